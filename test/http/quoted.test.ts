import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EmailError } from '../../src/model/errors.ts';
import type { EmailMessageInit } from '../../src/model/message-init.ts';
import type { SendStatus } from '../../src/model/status.ts';
import { ScriptedHttp } from '../servers/scripted-http.ts';
import { type PlainOptions, PlainProvider } from './plain-provider.ts';

const CODE = 'your code is 471-103 until noon';
const HTML = '<a href="https://shop.example/reset/7d9f">reset</a>';
const mail = { subject: `Hello, ${CODE}`, body: 'b', htmlBody: HTML, fromEmail: 'a@x.org', to: 'b@x.org' };

let server: ScriptedHttp;
beforeEach(async () => {
  server = await ScriptedHttp.start();
});
afterEach(() => server.close());

async function send(
  messages: readonly EmailMessageInit[],
  options: PlainOptions = {},
): Promise<EmailError | SendStatus> {
  const backend = new PlainProvider({ baseUrl: server.url, ...options });
  try {
    return await backend.sendMessages(messages);
  } catch (error) {
    if (error instanceof EmailError) return error;
    throw error;
  } finally {
    await backend.close();
  }
}

/** Everything that is said of a call. */
function saidOf(answer: EmailError | SendStatus): string {
  const status = answer instanceof EmailError ? answer.status : answer;
  const error = answer instanceof EmailError ? [answer.message, answer.stack, JSON.stringify(answer.reply)] : [];
  return [
    ...error,
    inspect(answer, { depth: 9 }),
    JSON.stringify(status),
    inspect(status?.results, { depth: 9 }),
  ].join();
}

describe('what a provider quotes of a mail', () => {
  test.each<[string, object]>([
    ['in its refusal', { status: 422, body: { message: `subject "Hello, ${CODE}" is spam, so is ${HTML}` } }],
    ['in another field', { status: 422, body: { message: 'no', errors: [{ value: CODE, [CODE]: [HTML] }] } }],
    ['in a page', { status: 500, body: `<h1>bad request: ${CODE}</h1>` }],
    ['although it takes it', { body: { id: '1', echo: { subject: CODE, html: HTML } } }],
    ['in a 200 that cannot be read', { body: { subject: CODE } }],
    ['in a 200 that says no', { body: { error: `no ${CODE}` } }],
  ])('%s is in no error and no status', async (_, reply) => {
    server.script = () => reply;
    const said = saidOf(await send([mail]));
    expect(said).toContain('[content]');
    expect(said).not.toContain('471-103');
    expect(said).not.toContain('reset/7d9f');
  });

  test('of one mail of a batch is not told of another', async () => {
    const other = { ...mail, subject: 'another subject', to: 'c@x.org' };
    server.script = () => ({ status: 401, body: { message: `no: ${CODE}` } });
    expect(saidOf(await send([mail, other], { batchOf: 5 }))).not.toContain('471-103');
    server.script = () => ({ body: [{ id: '1' }, { error: `no: ${CODE}` }] });
    expect(saidOf(await send([other, mail], { batchOf: 5 }))).not.toContain('471-103');
  });

  test('changes nothing of what its answer means', async () => {
    const id = '3b241101-e2bb-4255-8caf-4136c566a962';
    server.script = () => ({ body: { id } });
    expect(await send([{ ...mail, body: `The last one was ${id}.` }])).toMatchObject({ messageId: id });
  });

  test('is shown as far as it is short', async () => {
    server.script = () => ({ status: 422, body: { message: 'your code is bad' } });
    expect((await send([{ ...mail, subject: 'your code is 1' }])) as EmailError).toMatchObject({
      message: 'plain refused the mail: 422 your code is bad',
    });
  });
});

describe('headers of the caller', () => {
  const headers = {
    'x-gateway-key': 'gateway-secret-17',
    'proxy-authorization': 'Basic dXNlcjpwYXNz',
    'x-team': 'shop',
  };

  test('are in nothing that is said when an answer repeats them, but for words', async () => {
    server.script = (call) => ({ status: 403, body: { message: 'the shop must not', headers: call.headers } });
    const said = saidOf(await send([mail], { headers }));
    expect(said).toContain('the shop must not');
    expect(said).not.toContain('gateway-secret-17');
    expect(said).not.toContain('dXNlcjpwYXNz');
  });

  test('change nothing of what the answer means', async () => {
    server.script = () => ({ body: { id: 'accepted-id' } });
    const status = await send([mail], { headers: { 'x-a': '{"id":"accepted-id"}', 'x-b': '"id":"accep' } });
    expect(status).toMatchObject({ isSuccess: true });
  });
});

test('a key that comes back as the id is not shown', async () => {
  server.script = ({ headers }) => ({ body: { id: headers['authorization'] } });
  const said = saidOf(await send([mail], { apiKey: 'the-secret-key' }));
  expect(said).not.toContain('the-secret-key');
});

test('an answer with more levels than any is read all the same', async () => {
  server.script = () => ({ body: `{"id":"1","x":${'['.repeat(20_000)}${']'.repeat(20_000)}}` });
  expect(await send([mail])).toMatchObject({ isSuccess: true });
});
