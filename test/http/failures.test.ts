import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { EmailConnectionError, EmailError, SendError } from '../../src/model/errors.ts';
import { type HttpReply, ScriptedHttp } from '../servers/scripted-http.ts';
import { type PlainOptions, PlainProvider } from './plain-provider.ts';

const mail = { subject: 's', body: 'b', fromEmail: 'a@x.org', to: 'b@x.org' };
const SECRET = 'the-secret-key';

let server: ScriptedHttp;
let opened: PlainProvider[] = [];

beforeEach(async () => {
  server = await ScriptedHttp.start();
});
afterEach(async () => {
  for (const backend of opened) await backend.close();
  opened = [];
  await server.close();
});

/** Both ways to make requests. */
const TRANSPORTS: [string, PlainOptions][] = [
  ['node:http', {}],
  ['fetch', { fetch: globalThis.fetch }],
];

function provider(options: PlainOptions): PlainProvider {
  const backend = new PlainProvider({ baseUrl: server.url, apiKey: SECRET, ...options });
  opened.push(backend);
  return backend;
}

/** What is said of the one recipient. */
async function outcome(backend: PlainProvider, signal?: AbortSignal): Promise<Record<string, unknown>> {
  const error = await backend.sendMessages([mail], signal ? { signal } : {}).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof EmailError)) return { status: 'queued' };
  const recipient = error.status?.recipients.get('b@x.org');
  return { status: recipient?.status, code: error.code, outcome: error.outcome, retryable: error.retryable, error };
}

describe.each(TRANSPORTS)('by %s', (_, transport) => {
  const answers: [string, HttpReply, object][] = [
    ['200', { body: { id: '1' } }, { status: 'queued' }],
    ['a 200 without the id', { body: {} }, { status: 'unknown', code: 'uncertain' }],
    ['a 200 that is no JSON', { body: '<html>Welcome to nginx!' }, { status: 'unknown', code: 'uncertain' }],
    ['a 200 that says no', { body: { error: 'no' } }, { status: 'rejected', code: 'rejected' }],
    ['a 301', { status: 301, headers: { location: 'https://x.invalid/' } }, { status: 'failed', code: 'provider' }],
    ['a 400', { status: 400, body: { message: 'bad' } }, { status: 'rejected', code: 'rejected' }],
    ['a 401', { status: 401 }, { status: 'failed', code: 'auth' }],
    ['a 402', { status: 402 }, { status: 'failed', code: 'quota', retryable: true }],
    ['a 403', { status: 403 }, { status: 'failed', code: 'auth' }],
    ['a 403 about the account', { status: 403, body: { code: 'account' } }, { status: 'failed', code: 'account' }],
    ['a 404', { status: 404, body: 'not found' }, { status: 'rejected', code: 'rejected' }],
    ['a 408', { status: 408 }, { status: 'unknown', code: 'uncertain' }],
    ['a 409', { status: 409 }, { status: 'unknown', code: 'uncertain' }],
    ['a 409 that is in doubt', { status: 409, body: { code: 'uncertain' } }, { status: 'unknown', code: 'uncertain' }],
    ['a 413', { status: 413 }, { status: 'failed', code: 'too-large' }],
    ['a 422', { status: 422 }, { status: 'rejected', code: 'rejected' }],
    ['a 422 about the address', { status: 422, body: { code: 'invalid-recipient' } }, { status: 'invalid' }],
    ['a 429', { status: 429 }, { status: 'failed', code: 'throttled', retryable: true }],
    ['a 500', { status: 500 }, { status: 'unknown', code: 'uncertain' }],
    ['a 503', { status: 503, headers: { 'retry-after': '7' } }, { status: 'unknown', code: 'uncertain' }],
    ['no answer', { cut: 'unanswered' }, { status: 'unknown', code: 'closed' }],
    ['half a status line', { cut: 'head' }, { status: 'unknown', code: 'closed' }],
    ['half a 200', { cut: 'body', body: { id: '1' } }, { status: 'unknown', code: 'uncertain' }],
    ['half a 400', { cut: 'body', status: 400 }, { status: 'rejected', code: 'rejected' }],
    ['half a 429', { cut: 'body', status: 429 }, { status: 'failed', code: 'throttled' }],
  ];
  test.each(answers)('%s', async (name, reply, expected) => {
    server.script = () => reply;
    const told = await outcome(provider(transport));
    expect(told, JSON.stringify(reply)).toMatchObject(expected);
    if (told['status'] === 'unknown') expect(told, name).toMatchObject({ outcome: 'unknown', retryable: false });
    expect(server.calls).toHaveLength(1);
  });

  test('a server that is not there, and a name that is not', async () => {
    const gone = await ScriptedHttp.start();
    const { port } = gone;
    await gone.close();
    const told = await outcome(provider({ ...transport, baseUrl: `http://127.0.0.1:${port}` }));
    expect(told).toMatchObject({ status: 'failed', code: 'refused', outcome: 'not-sent', retryable: true });
    const baseUrl = `https://${'x'.repeat(64)}.invalid`;
    const unnamed = await outcome(provider({ ...transport, baseUrl }));
    expect(unnamed).toMatchObject({ status: 'failed', code: 'dns', outcome: 'not-sent' });
    expect((unnamed['error'] as Error).message).toContain('baseUrl');
  });

  test('a silent server: the request ends in time, and nobody knows', async () => {
    server.script = () => ({ cut: 'silent' });
    const told = await outcome(provider({ ...transport, timeoutMs: 600 }));
    expect(told).toMatchObject({ status: 'unknown', code: 'timeout', outcome: 'unknown' });
  });

  test('aborted while it waits for the answer', async () => {
    const controller = new AbortController();
    server.script = () => {
      controller.abort();
      return { cut: 'silent' };
    };
    expect(await outcome(provider(transport), controller.signal)).toMatchObject({ status: 'unknown', code: 'aborted' });
  });

  test('aborted while it waits for its turn: certainly not sent', async () => {
    const controller = new AbortController();
    server.script = () => {
      controller.abort();
      return { cut: 'silent' };
    };
    const backend = provider({ ...transport, maxConnections: 1 });
    const first = outcome(backend);
    const second = outcome(backend, controller.signal);
    expect(await second).toMatchObject({ status: 'failed', code: 'aborted', outcome: 'not-sent', retryable: true });
    server.drop();
    expect(await first).toMatchObject({ status: 'unknown', code: 'closed' });
    expect(server.calls).toHaveLength(1);
  });

  test('past the deadline of the call', async () => {
    server.script = () => ({ cut: 'silent' });
    const told = await outcome(provider({ ...transport, deadlineMs: 600 }));
    expect(told).toMatchObject({ status: 'unknown', code: 'timeout' });
  });

  test('an answer without end is not read to it', async () => {
    server.script = () => ({ body: `{"id":"${'x'.repeat(5_000_000)}"}` });
    expect(await outcome(provider(transport))).toMatchObject({ status: 'unknown', code: 'uncertain' });
  });

  test('one recipient of two is refused', async () => {
    server.script = () => ({ body: { id: '7', refused: ['c@x.org'] } });
    const status = await provider(transport).sendMessages([{ ...mail, cc: 'c@x.org' }]);
    expect(status.recipients.get('b@x.org')).toMatchObject({ status: 'queued', messageId: '7', code: 200 });
    expect(status.recipients.get('c@x.org')).toMatchObject({ status: 'rejected', messageId: null });
    expect(status.recipients.get('c@x.org')?.error).toBeInstanceOf(SendError);
  });

  test('the key is in the request, and in nothing that is said', async () => {
    server.script = ({ headers }) => ({ status: 401, body: { message: `no such key: ${headers['authorization']}` } });
    const { error } = await outcome(provider(transport));
    const { stack = '', message, status } = error as EmailError;
    const said = [
      message,
      stack,
      JSON.stringify(status),
      JSON.stringify((error as EmailError).reply),
      String(status?.espResponse),
    ];
    expect(server.calls[0]?.headers['authorization']).toBe(`Bearer ${SECRET}`);
    expect(said.join('\n')).not.toContain(SECRET);
    expect(message).toContain('no such key: Bearer ***');
  });
});

test('a call that is aborted before its request begins keeps nobody else from their turn', async () => {
  server.script = () => ({ body: { id: '1' } });
  const backend = provider({ maxConnections: 1, batchOf: 10 });
  const controller = new AbortController();
  const pull = async (): Promise<void> => {
    for (let steps = 0; steps < 100; steps++) await null; // the first waits for others to go with, by then
    controller.abort();
  };
  const content = new ReadableStream<Uint8Array>({ pull }, { highWaterMark: 0 });
  const attached = { ...mail, attachments: [{ filename: 'a.txt', content }] };
  const error = await backend.sendMessages([mail, attached], { signal: controller.signal }).catch((thrown) => thrown);
  expect(error).toMatchObject({ code: 'aborted', outcome: 'not-sent' });
  expect(server.calls).toEqual([]);
  expect(await outcome(backend)).toEqual({ status: 'queued' });
});

test.each<[string, object]>([
  ['read', { status: 'unknown', code: 'closed' }],
  ['write', { status: 'unknown', code: 'closed' }],
  ['connect', { status: 'failed', code: 'unreachable', outcome: 'not-sent' }],
])('a network that goes away when it is asked to %s', async (syscall, expected) => {
  const cause = Object.assign(new Error(`${syscall} EHOSTUNREACH`), { code: 'EHOSTUNREACH', syscall });
  const fetch = async () => {
    throw new TypeError('fetch failed', { cause });
  };
  expect(await outcome(provider({ fetch }))).toMatchObject(expected);
});

describe('how long to wait', () => {
  const cases: [string, Record<string, string>, number | null][] = [
    ['seconds', { 'retry-after': '7' }, 7_000],
    ['a date', { 'retry-after': 'Thu, 01 Jan 2026 00:01:00 GMT' }, 60_000],
    ['a time of an era', { 'x-ratelimit-reset': '1767225630' }, 30_000],
    ['seconds by another name', { 'x-sib-ratelimit-reset': '3' }, 3_000],
    ['a date that has passed', { 'retry-after': 'Wed, 31 Dec 2025 00:00:00 GMT' }, 0],
    ['nothing that can be read', { 'retry-after': 'soon' }, null],
    ['nothing', {}, null],
  ];
  test.each(cases)('%s', async (_, headers, expected) => {
    const { retryAfter } = await import('../../src/http/failure.ts');
    expect(retryAfter(headers, Date.parse('2026-01-01T00:00:00Z'))).toBe(expected);
  });

  test('is told, and obeyed by retry', async () => {
    server.script = (_, count) =>
      count === 1 ? { status: 429, headers: { 'retry-after': '0.05' } } : { body: { id: '1' } };
    const { error } = await outcome(provider({}));
    expect((error as EmailError).retryAfterMs).toBe(50);
    server.calls.length = 0;
    const wait = vi.spyOn(globalThis, 'setTimeout');
    expect(await outcome(provider({ retry: { attempts: 2, baseMs: 1, maxMs: 1 } }))).toMatchObject({
      status: 'queued',
    });
    expect(wait.mock.calls.map(([, ms]) => ms)).toContain(50);
    wait.mockRestore();
  });
});

describe('a retry', () => {
  test('is made of what was certainly not sent, and of nothing else', async () => {
    const replies: HttpReply[] = [{ status: 429 }, { status: 500 }, { body: { id: '1' } }];
    server.script = (_, count) => replies[count - 1] ?? {};
    const told = await outcome(provider({ retry: { attempts: 5, baseMs: 1, maxMs: 1 } }));
    expect(told).toMatchObject({ status: 'unknown' });
    expect(server.calls).toHaveLength(2);
  });
});

describe('a provider with keys', () => {
  const keyed = { keyMs: 3_600_000, retry: { attempts: 1, baseMs: 1, maxMs: 1 } };
  const cases: [string, HttpReply[], object][] = [
    ['a lost answer, then yes', [{ cut: 'unanswered' }, { body: { id: '1' } }], { status: 'queued' }],
    ['a 500, then yes', [{ status: 500 }, { body: { id: '1' } }], { status: 'queued' }],
    ['half an answer, then no', [{ cut: 'body' }, { status: 422 }], { status: 'rejected' }],
    [
      'lost, then throttled: still nobody knows',
      [{ cut: 'unanswered' }, { status: 429 }],
      { status: 'unknown', code: 'closed' },
    ],
    ['lost twice', [{ cut: 'unanswered' }, { status: 500 }], { status: 'unknown', code: 'closed' }],
    ['a no is a no', [{ status: 422 }], { status: 'rejected' }],
  ];
  test.each(cases)('%s', async (_, replies, expected) => {
    server.script = (__, count) => replies[count - 1] ?? {};
    expect(await outcome(provider(keyed))).toMatchObject(expected);
    const sent = server.calls.map(({ headers, body }) => [headers['idempotency-key'], body.toString()]);
    expect(sent).toHaveLength(replies.length);
    expect(new Set(sent.map(String)).size, 'the same request under the same key').toBe(1);
    expect(sent[0]?.[0]).toMatch(/^[0-9a-f]{32}$/);
  });

  test('the message says the key', async () => {
    server.script = () => ({ body: { id: '1' } });
    await provider(keyed).sendMessages([{ ...mail, idempotencyKey: 'order-17' }]);
    expect(server.calls[0]?.headers['idempotency-key']).toBe('order-17');
  });
});

describe('errors say what to do', () => {
  test('classes and texts', async () => {
    server.script = () => ({ status: 401, body: { message: 'unknown key' } });
    const { error } = await outcome(provider({}));
    expect(error).toBeInstanceOf(EmailConnectionError);
    expect((error as Error).message).toBe('plain refuses the key: 401 unknown key');
  });

  test('on one line, whatever a provider says, and not for ever', async () => {
    server.script = () => ({ status: 422, body: '<html>\r\n<h1>No\u001b[31m</h1>\n[error] mail sent\n' });
    const { error } = await outcome(provider({}));
    expect((error as Error).message).toBe('plain refused the mail: 422 <html> <h1>No [31m</h1> [error] mail sent');
    server.script = () => ({ status: 422, body: { message: 'x'.repeat(100_000) } });
    const { error: long } = await outcome(provider({}));
    expect((long as Error).message.length).toBeLessThan(1_100);
  });
});
