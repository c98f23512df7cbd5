import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Provider } from '../../src/http/provider.ts';
import type { EmailMessageInit } from '../../src/model/message-init.ts';
import { ScriptedHttp } from '../servers/scripted-http.ts';
import { type PlainOptions, PlainProvider } from './plain-provider.ts';

const mail = { subject: 's', body: 'b', fromEmail: 'a@x.org', to: 'b@x.org' };

let server: ScriptedHttp;
beforeEach(async () => {
  server = await ScriptedHttp.start();
  server.script = () => ({ body: { id: `id-${server.calls.length}` } });
});
afterEach(() => server.close());

const bodies = () => server.calls.map(({ body }) => JSON.parse(body.toString()));
const many = (count: number) => Array.from({ length: count }, (_, index) => ({ ...mail, to: `u${index}@x.org` }));

describe('where each message is in a list', () => {
  /** Whatever it answers, it tells of each mail. */
  class Listing extends PlainProvider {
    protected override async load(options: PlainOptions): Promise<Provider> {
      const { batch, parse, ...provider } = await super.load(options);
      if (batch === undefined) throw new Error('it has batches');
      return {
        ...provider,
        batch: { ...batch, holdsOne: true },
        parse: (answer, message) => batch.parse(answer, [message])[0] ?? null,
        tellsOfEach: ({ body }) => Array.isArray(body),
      };
    }
  }
  async function list(messages: readonly EmailMessageInit[]) {
    const backend = new Listing({ baseUrl: server.url, batchOf: 4 });
    const status = await backend.sendMessages(messages).catch((error) => error);
    await backend.close();
    return status;
  }

  test('one alone is, too', async () => {
    server.script = () => ({ body: [{ id: '1' }] });
    expect(await list([mail])).toMatchObject({ isSuccess: true });
    expect(await list([{ ...mail, subject: 'alone' }])).toMatchObject({ isSuccess: true });
    expect(bodies()).toMatchObject([[{ subject: 's' }], [{ subject: 'alone' }]]);
  });

  test('a 400 says of each what became of it', async () => {
    server.script = () => ({ status: 400, body: [{ id: '1' }, { error: 'no' }] });
    const status = await list(many(2));
    expect(server.calls).toHaveLength(1);
    expect([...status.recipients.values()].map((told) => told.status)).toEqual(['queued', 'rejected']);
    expect(status.results[1].error).toMatchObject({ code: 'rejected', message: 'plain refused the mail: 400 no' });
  });

  test('one that does not is said of all', async () => {
    server.script = () => ({ status: 401, body: { message: 'no key' } });
    expect(await list(many(2))).toMatchObject({ code: 'auth' });
    expect(server.calls).toHaveLength(1);
  });
});

test.each<[NonNullable<Provider['mergesTexts']>, Partial<EmailMessageInit>, string | null]>([
  ['always', { mergeGlobalData: { shop: 'Acme' } }, null],
  ['always', { mergeData: { 'b@x.org': { name: 'Bob' } } }, null],
  ['with-merge-data', { mergeGlobalData: { shop: 'Acme' } }, 'mergeGlobalData'],
  ['with-merge-data', { mergeGlobalData: { shop: 'Acme' }, mergeData: {} }, null],
])('variables in texts that are merged %s: %j', async (mergesTexts, fields, refused) => {
  class Merging extends PlainProvider {
    protected override async load(options: PlainOptions): Promise<Provider> {
      return { ...(await super.load(options)), mergesTexts };
    }
  }
  const backend = new Merging({ baseUrl: server.url });
  const error = await backend.sendMessages([{ ...mail, ...fields }]).then(
    () => null,
    (thrown) => thrown,
  );
  await backend.close();
  expect(error === null ? null : error.issues[0].path).toBe(refused);
  expect(error?.message ?? '').toMatch(refused === null ? /^$/ : /with mergeData only/);
});

test('verify asks another service than that of mails, where that knows', async () => {
  class Elsewhere extends PlainProvider {
    protected override async load(options: PlainOptions): Promise<Provider> {
      const { check, ...provider } = await super.load(options);
      return { ...provider, check: { ...check, baseUrl: `${server.url}/accounts` } };
    }
  }
  const backend = new Elsewhere();
  expect(await backend.verify()).toMatchObject({ details: { id: 'id-1' } });
  expect(server.calls[0]?.path).toBe('/accounts/me');
  await backend.close();
});
