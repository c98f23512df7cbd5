import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { MessageResult } from '../../src/model/status.ts';
import { type HttpReply, ScriptedHttp } from '../servers/scripted-http.ts';
import { type PlainOptions, PlainProvider } from './plain-provider.ts';

const MAILS = 300;
/** What a server does, and whether it takes the mails of the request. */
const MOODS: readonly (readonly [reply: HttpReply | null, takes: boolean])[] = [
  [null, true],
  [null, true],
  [null, true],
  [{ cut: 'unanswered' }, true],
  [{ cut: 'unanswered' }, false],
  [{ cut: 'head' }, true],
  [{ cut: 'body' }, true],
  [{ status: 500 }, true],
  [{ status: 500 }, false],
  [{ status: 429 }, false],
  [{ status: 422 }, false],
  [{ body: 'nonsense' }, true],
];

/** Random numbers from 0 to 1, the same each time. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

let server: ScriptedHttp;
beforeEach(async () => {
  server = await ScriptedHttp.start();
});
afterEach(() => server.close());

const trials: [string, PlainOptions][] = [
  ['one by one', {}],
  ['one by one, by fetch', { fetch: globalThis.fetch }],
  ['with keys', { keyMs: 60_000 }],
  ['in batches', { batchOf: 7 }],
  ['in batches, with keys', { batchOf: 7, keyMs: 60_000 }],
];

describe('a provider that drops, resets and lies at random', () => {
  test.each(trials)('what is said of each mail is true: %s', async (_, options) => {
    const random = randomFrom(7);
    const counts = new Map<string, number>();
    const answers = new Map<string, object>();
    server.scriptUnread = () => (random() < 0.05 ? 'unread' : undefined);
    server.script = ({ body, headers }) => {
      if (random() < 0.02) server.drop(random() < 0.5 ? 'end' : 'reset');
      const [reply, takes] = MOODS[Math.floor(random() * MOODS.length)] ?? [null, true];
      const key = headers['idempotency-key'];
      const before = key === undefined ? undefined : answers.get(key);
      // A provider says of a key what it said of it before.
      if (before) return reply === null || reply.status === 422 ? { body: before } : reply;
      const asked: unknown = JSON.parse(body.toString());
      const mails = (Array.isArray(asked) ? asked : [asked]) as readonly { readonly to: readonly string[] }[];
      const ids = mails.map(({ to: [address = ''] }) => ({ id: address }));
      const answer = Array.isArray(asked) ? ids : (ids[0] ?? {});
      if (takes) for (const { id } of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
      if (takes && key !== undefined) answers.set(key, answer);
      return reply ?? { body: answer };
    };
    const retry = { attempts: 3, baseMs: 1, maxMs: 2 };
    const backend = new PlainProvider({ baseUrl: server.url, retry, timeoutMs: 3_000, ...options });
    const messages = Array.from({ length: MAILS }, (__, index) => ({
      subject: index % 10 === 0 ? 'alone' : 's',
      body: 'b',
      fromEmail: 'a@x.org',
      to: `u${index}@x.org`,
    }));
    const results: MessageResult[] = [];
    for await (const result of backend.stream(messages)) results.push(result);
    await backend.close();

    const lies = results.flatMap(({ recipients }) =>
      [...recipients.values()].flatMap(({ address, status, retryable }) => {
        const count = counts.get(address) ?? 0;
        const isTrue = status === 'queued' ? count === 1 : status === 'unknown' ? count <= 1 : count === 0;
        return isTrue && !(retryable && count > 0) ? [] : [`${address} is ${status} and was taken ${count} times`];
      }),
    );
    expect(lies).toEqual([]);
    expect(results).toHaveLength(MAILS);
    expect(results.some(({ error }) => error === null)).toBe(true);
  });
});
