import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EmailError } from '../../src/model/errors.ts';
import type { EmailMessageInit } from '../../src/model/message-init.ts';
import { ScriptedHttp } from '../servers/scripted-http.ts';
import { type PlainOptions, PlainProvider } from './plain-provider.ts';

const mail = { subject: 's', body: 'b', fromEmail: 'a@x.org', to: 'b@x.org' };
const many = (count: number) => Array.from({ length: count }, (_, index) => ({ ...mail, to: `u${index}@x.org` }));

let server: ScriptedHttp;
beforeEach(async () => {
  server = await ScriptedHttp.start();
});
afterEach(() => server.close());

async function send(messages: readonly EmailMessageInit[], options: PlainOptions) {
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

describe('one mail of a batch that is refused for the moment', () => {
  const throttled = { error: 'slow down', code: 'throttled' };
  const retry = { attempts: 3, baseMs: 1, maxMs: 1 };

  test('goes again alone under retry, as it was certainly not sent', async () => {
    server.script = ({ path }, count) => {
      if (path === '/send-all') return { body: [{ id: '1' }, throttled, { id: '3' }] };
      return count === 2 ? { status: 429 } : { body: { id: '2' } };
    };
    const status = await send(many(3), { batchOf: 4, retry, keyMs: 60_000 });
    const results = status instanceof EmailError ? [] : status.results;
    expect(results.map(({ messageId }) => messageId)).toEqual(['1', '2', '3']);
    expect(server.calls.map(({ path }) => path)).toEqual(['/send-all', '/send', '/send']);
    expect(JSON.parse(String(server.calls[1]?.body))).toMatchObject({ to: ['u1@x.org'] });
  });

  test('the tries are counted, the first included', async () => {
    server.script = ({ path }) => (path === '/send-all' ? { body: [{ id: '1' }, throttled] } : { status: 429 });
    const status = await send(many(2), { batchOf: 4, retry });
    expect(server.calls.map(({ path }) => path)).toEqual(['/send-all', '/send', '/send']);
    expect(status).toMatchObject({ results: [{ error: null }, { error: { code: 'throttled', retryable: true } }] });
  });

  test.each<[string, object, PlainOptions]>([
    ['without retry', throttled, {}],
    ['when it is a quota', { error: 'used up', code: 'quota' }, { retry }],
    ['when it is refused for good', { error: 'no' }, { retry }],
  ])('%s does not go again, and what was said of it is told', async (_, refused, options) => {
    server.script = () => ({ body: [{ id: '1' }, refused] });
    const status = await send(many(2), { batchOf: 4, ...options });
    expect(server.calls).toHaveLength(1);
    const results = status instanceof EmailError ? [] : status.results;
    expect(results[1]).toMatchObject({ espResponse: refused, error: { outcome: 'not-sent' } });
  });
});

test('a mail that is refused for the moment by a 200 goes again under retry', async () => {
  server.script = (_, count) => ({ body: count === 1 ? { error: 'later', code: 'temporary' } : { id: '1' } });
  expect(await send([mail], { retry: { attempts: 2, baseMs: 1, maxMs: 1 } })).toMatchObject({ isSuccess: true });
});

test('a mail whose 200 cannot be read is asked for again under its key', async () => {
  server.script = (_, count) => ({ body: count === 1 ? 'nonsense' : { id: '1' } });
  expect(await send([mail], { keyMs: 60_000, retry: { baseMs: 1 } })).toMatchObject({ isSuccess: true });
  expect(new Set(server.calls.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
});
