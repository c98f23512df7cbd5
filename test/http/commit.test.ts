import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { EmailMessageInit } from '../../src/model/message-init.ts';
import { CommitTrial, errorsOf, outcomes, WITHHELD } from '../commit-trial.ts';
import { ScriptedHttp } from '../servers/scripted-http.ts';
import { type PlainOptions, PlainProvider } from './plain-provider.ts';

const mail: EmailMessageInit = { subject: 's', body: 'b', fromEmail: 'a@x.org', to: 'b@x.org' };
const many = (count: number) => Array.from({ length: count }, (_, index) => ({ ...mail, to: `u${index}@x.org` }));

let server: ScriptedHttp;
let backend: PlainProvider;
beforeEach(async () => {
  server = await ScriptedHttp.start();
  server.script = ({ path, body }, count) => {
    if (path === '/send') return { body: { id: `${count}` } };
    return { body: JSON.parse(String(body)).map((_: unknown, index: number) => ({ id: `${count}-${index}` })) };
  };
});
afterEach(async () => {
  await backend.close();
  await server.close();
});

function connect(options: PlainOptions = {}): PlainProvider {
  backend = new PlainProvider({ baseUrl: server.url, ...options });
  return backend;
}

/** The recipients that the server was asked to send to, request by request. */
function asked(): readonly unknown[] {
  return server.calls.map(({ body }) => {
    const said: unknown = JSON.parse(String(body));
    return Array.isArray(said) ? said.flatMap(({ to }) => to) : (said as { readonly to: unknown }).to;
  });
}

describe('a mail that must be written down before it leaves', () => {
  test('is asked for when its turn has come, and no request is made before the answer', async () => {
    const trial = new CommitTrial(() => null);
    const sending = trial.deliver(connect({ maxConnections: 2 }), many(3));
    await expect.poll(() => trial.asked.flat()).toEqual([0, 1]);
    expect(server.connections).toBe(0);
    trial.answer(1, true);
    await expect.poll(() => trial.asked.flat()).toEqual([0, 1, 2]);
    expect(asked()).toEqual([['u1@x.org']]);
    trial.answer(0, true);
    trial.answer(2, true);
    expect(outcomes(await sending)).toEqual(Array(3).fill('queued 200'));
  });

  test.each([
    ['a no', false],
    ['a failure', new Error('the disk is full')],
  ])('is not sent after %s, also where it would be tried again', async (_, answer) => {
    const trial = new CommitTrial(() => answer);
    const results = await trial.deliver(connect({ retry: { attempts: 3, baseMs: 1 } }), [mail]);
    expect(errorsOf(results)).toMatchObject([WITHHELD]);
    expect(outcomes(results)).toEqual(['failed aborted']);
    expect(trial.asked).toEqual([[0]]);
    expect(server.connections).toBe(0);
  });

  test('is asked for once when it is tried again', async () => {
    server.script = (_, count) => (count < 3 ? { status: 429 } : { body: { id: '1' } });
    const trial = new CommitTrial();
    const results = await trial.deliver(connect({ retry: { attempts: 3, baseMs: 1, maxMs: 1 } }), [mail]);
    expect(outcomes(results)).toEqual(['queued 200']);
    expect(server.calls).toHaveLength(3);
    expect(trial.asked).toEqual([[0]]);
  });

  test('and is being asked for is settled at once when its call is aborted, and never sent', async () => {
    const controller = new AbortController();
    const trial = new CommitTrial(() => null);
    const sending = trial.deliver(connect(), [mail], { signal: controller.signal });
    await expect.poll(() => trial.asked).toEqual([[0]]);
    controller.abort();
    expect(errorsOf(await sending)).toMatchObject([{ code: 'aborted', outcome: 'not-sent' }]);
    trial.answer(0, true);
    await backend.close();
    expect(server.connections).toBe(0);
  });

  test('is asked for once when it goes to each of its recipients alone', async () => {
    const merge = { ...mail, to: ['u0@x.org', 'u1@x.org'], templateId: 't', body: '', subject: '', mergeData: {} };
    const trial = new CommitTrial();
    expect(outcomes(await trial.deliver(connect(), [merge]))).toEqual(['queued 200']);
    expect(asked()).toEqual([['u0@x.org'], ['u1@x.org']]);
    expect(trial.asked).toEqual([[0]]);
    const no = await new CommitTrial(() => false).deliver(connect(), [merge]);
    expect([...(no[0]?.recipients.values() ?? [])].map(({ status }) => status)).toEqual(['failed', 'failed']);
    expect(server.calls).toHaveLength(2);
  });
});

describe('a batch of mails that must be written down', () => {
  test('is asked for in one turn, and goes without those that are withheld', async () => {
    const trial = new CommitTrial((index) => index !== 1);
    const results = await trial.deliver(connect({ batchOf: 4 }), many(4));
    expect(trial.asked).toEqual([[0, 1, 2, 3]]);
    expect(asked()).toEqual([['u0@x.org', 'u2@x.org', 'u3@x.org']]);
    expect(outcomes(results)).toEqual(['queued 200', 'failed aborted', 'queued 200', 'queued 200']);
    expect(results.map(({ messageId }) => messageId)).toEqual(['1-0', null, '1-1', '1-2']);
  });

  test('makes no request when all are withheld', async () => {
    const results = await new CommitTrial(() => false).deliver(connect({ batchOf: 4 }), many(3));
    expect(errorsOf(results)).toMatchObject([WITHHELD, WITHHELD, WITHHELD]);
    expect(server.connections).toBe(0);
  });

  test('does not ask again when its mails go alone after a refusal', async () => {
    server.script = ({ path }) =>
      path === '/send' ? { body: { id: '1' } } : { status: 400, body: { code: 'rejected' } };
    const trial = new CommitTrial((index) => index !== 0);
    const results = await trial.deliver(connect({ batchOf: 3 }), many(3));
    expect(asked()).toEqual([['u1@x.org', 'u2@x.org'], ['u1@x.org'], ['u2@x.org']]);
    expect(outcomes(results)).toEqual(['failed aborted', 'queued 200', 'queued 200']);
    expect(trial.asked).toEqual([[0, 1, 2]]);
  });

  test('that is being asked for when its call is aborted is not sent', async () => {
    const controller = new AbortController();
    const trial = new CommitTrial(() => null);
    const sending = trial.deliver(connect({ batchOf: 2 }), many(2), { signal: controller.signal });
    await expect.poll(() => trial.asked).toEqual([[0, 1]]);
    controller.abort();
    expect(errorsOf(await sending)).toMatchObject(Array(2).fill({ code: 'aborted', outcome: 'not-sent' }));
    trial.answer(0, true);
    trial.answer(1, true);
    await backend.close();
    expect(server.connections).toBe(0);
  });
});
