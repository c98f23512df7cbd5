import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { NodeTransport } from '../../src/net/node-transport.ts';
import { parseProxy } from '../../src/net/proxy-server.ts';
import { type HttpAnswer, NoAnswer } from '../../src/net/transport.ts';
import { makeCertificates, type TestCertificates } from '../servers/certificates.ts';
import { ConnectProxy } from '../servers/connect-proxy.ts';
import { ScriptedHttp } from '../servers/scripted-http.ts';
import { PlainProvider } from './plain-provider.ts';

let certificates: TestCertificates;
let server: ScriptedHttp;
let transport: NodeTransport;

beforeAll(() => {
  certificates = makeCertificates();
});
beforeEach(async () => {
  server = await ScriptedHttp.start();
  transport = new NodeTransport();
});
afterEach(async () => {
  transport.close();
  vi.restoreAllMocks();
  await server.close();
});

const never = new AbortController().signal;

function send(body = 'hello', url = server.url, by = transport): Promise<HttpAnswer> {
  return by.send({ method: 'POST', url: `${url}/x`, headers: { 'x-a': 'b' }, body }, never);
}

async function failure(sending: Promise<unknown>): Promise<NoAnswer> {
  const error = await sending.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(NoAnswer);
  return error as NoAnswer;
}

/** Later, by the clock that judges; nothing is waited for. */
function later(ms: number): void {
  const now = Date.now();
  vi.spyOn(Date, 'now').mockReturnValue(now + ms);
}

describe('a connection is kept', () => {
  test('for the next request', async () => {
    for (let count = 0; count < 5; count++) expect(await send()).toMatchObject({ status: 200, text: '{}' });
    expect(server.calls.map(({ connection }) => connection)).toEqual([1, 1, 1, 1, 1]);
    expect(server.calls[0]).toMatchObject({ method: 'POST', path: '/x', headers: { 'content-length': '5' } });
  });

  test.each([
    [3_900, 1],
    [4_000, 2],
    [60_000, 2],
    [-60_000, 2], // the clock was set: nobody knows how long it was
  ])('after %i ms: %i connections', async (ms, expected) => {
    server.idle(60_000);
    await send();
    later(ms);
    await send();
    expect(server.connections).toBe(expected);
  });

  test('no longer than the server says that it keeps it, and a little less', async () => {
    server.idle(3_000);
    await send();
    later(1_900);
    await send();
    expect(server.connections).toBe(1);
    later(2_100);
    await send();
    expect(server.connections).toBe(2);
  });

  test('not at all by a server that hangs up soon', async () => {
    server.idle(400);
    for (let count = 0; count < 3; count++) await send();
    expect(server.connections).toBe(3);
  });

  test('that died unnoticed: the request goes again, and arrives once', async () => {
    await send();
    server.drop();
    expect(await send('second')).toMatchObject({ status: 200 });
    expect(server.calls.map(({ body }) => body.toString())).toEqual(['hello', 'second']);
  });

  test('that died unnoticed ends no request that is under way on another', async () => {
    let release = (): void => {};
    const after = new Promise<void>((resolve) => {
      release = resolve;
    });
    server.script = ({ body }) => (body.toString() === 'slow' ? { after } : {});
    const slow = send('slow');
    await vi.waitFor(() => expect(server.calls).toHaveLength(1));
    await send();
    server.drop('reset', 2);
    expect(await send('second')).toMatchObject({ status: 200 });
    release();
    expect(await slow).toMatchObject({ status: 200 });
    expect(server.calls.map(({ connection }) => connection)).toEqual([1, 2, 3]);
  });

  test('that breaks when the request has left: nobody knows', async () => {
    await send();
    server.script = () => ({ cut: 'unanswered' });
    expect(await failure(send('second'))).toMatchObject({ isSent: true });
    expect(server.calls).toHaveLength(2);
  });
});

describe('when the server has closed a connection that idled', () => {
  /** The server closes what idles after that time, and the client has noticed. */
  async function closeAfter(ms: number, how: 'end' | 'reset' = 'end'): Promise<void> {
    server.idle(60_000);
    await send();
    later(ms);
    server.drop(how);
    await vi.waitFor(() => expect(server.open).toBe(0));
    await new Promise((resolve) => setImmediate(resolve));
  }

  test.each(['end', 'reset'] as const)('the next are used half as long (%s)', async (how) => {
    await closeAfter(400, how);
    await send();
    later(190);
    await send();
    expect(server.connections).toBe(2);
    later(210);
    await send();
    expect(server.connections).toBe(3);
  });

  test('so soon that it was for another reason, the next are used as before', async () => {
    await closeAfter(90);
    await send();
    later(3_900);
    await send();
    expect(server.connections).toBe(2);
  });

  test('and not when it was closed here', async () => {
    server.idle(60_000);
    await send();
    later(400);
    transport.close();
    await vi.waitFor(() => expect(server.open).toBe(0));
    await send();
    later(3_900);
    await send();
    expect(server.connections).toBe(2);
  });

  test('and another is open for much longer, they are used as before', async () => {
    await closeAfter(400);
    await send();
    later(700);
    await send(); // over a new one, as the last idled too long
    later(3_900);
    await send();
    expect(server.connections).toBe(3);
  });
});

describe('a new connection', () => {
  test('that breaks before a large body has left: it cannot have been taken', async () => {
    server.scriptUnread = () => 'unread';
    const error = await failure(send('x'.repeat(20_000_000)));
    expect(error).toMatchObject({ isSent: false });
    expect(server.calls).toEqual([]);
  });

  test('is not made when the signal has aborted', async () => {
    const request = { method: 'POST', url: server.url, headers: {}, body: 'x' } as const;
    expect(await failure(transport.send(request, AbortSignal.abort()))).toMatchObject({ isSent: false });
    expect(server.connections).toBe(0);
  });
});

describe('over TLS', () => {
  test('to a server that an authority vouches for, once for two requests', async () => {
    const secure = await ScriptedHttp.start(certificates.good);
    const trusting = new NodeTransport({ tls: { ca: certificates.ca } });
    for (let count = 0; count < 2; count++)
      expect(await send('x', secure.url, trusting)).toMatchObject({ status: 200 });
    expect(secure.connections).toBe(1);
    trusting.close();
    await secure.close();
  });

  test.each(['selfSigned', 'expired', 'wrongHost'] as const)('not to one that is %s', async (which) => {
    const secure = await ScriptedHttp.start(certificates[which]);
    const ca = which === 'selfSigned' ? {} : { ca: certificates.ca };
    const trusting = new NodeTransport({ tls: ca });
    expect(await failure(send('x', secure.url, trusting))).toMatchObject({ isSent: false });
    expect(secure.calls).toEqual([]);
    trusting.close();
    await secure.close();
  });

  test('the error says what to do about the certificate, and about a server without TLS', async () => {
    const secure = await ScriptedHttp.start(certificates.selfSigned);
    for (const [baseUrl, code, advice] of [
      [secure.url, 'certificate', 'NODE_EXTRA_CA_CERTS'],
      [server.url.replace('http:', 'https:'), 'tls', 'baseUrl'],
    ] as const) {
      const backend = new PlainProvider({ baseUrl });
      const sending = backend.sendMessages([{ subject: 's', body: 'b', fromEmail: 'a@x.org', to: 'b@x.org' }]);
      const error = await sending.catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code, outcome: 'not-sent' });
      expect((error as Error).message).toContain(advice);
      await backend.close();
    }
    await secure.close();
  });
});

describe('through a proxy', () => {
  test('that refuses: certainly not sent, and it is the proxy that is blamed', async () => {
    server.script = () => ({ status: 500 });
    const backend = new PlainProvider({ baseUrl: 'https://api.example.com', proxy: server.url });
    const sending = backend.sendMessages([{ subject: 's', body: 'b', fromEmail: 'a@x.org', to: 'b@x.org' }]);
    const error = await sending.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ outcome: 'not-sent' });
    expect((error as Error).message).toContain(`the proxy http://127.0.0.1:${server.port}`);
    await backend.close();
  });

  test('reaches the provider over TLS, and keeps the tunnel', async () => {
    const secure = await ScriptedHttp.start(certificates.good);
    const proxy = await new ConnectProxy({ login: { username: 'u', password: 'p' } }).start();
    const through = new NodeTransport({
      proxy: parseProxy(`http://u:p@127.0.0.1:${proxy.port}`),
      tls: { ca: certificates.ca },
    });
    for (let count = 0; count < 2; count++) expect(await send('x', secure.url, through)).toMatchObject({ status: 200 });
    expect(secure.connections).toBe(1);
    through.close();
    await proxy[Symbol.asyncDispose]();
    await secure.close();
  });

  test('cannot be one that is none, and not with fetch', () => {
    expect(() => parseProxy('ftp://x')).toThrow('proxy must begin');
    const both = { proxy: 'http://127.0.0.1:1', fetch: globalThis.fetch };
    expect(() => new PlainProvider(both)).toThrow('proxy cannot be used with fetch');
    expect(() => new PlainProvider({ proxy: 'nonsense' })).toThrow('proxy must begin');
  });
});

describe('ten at once', () => {
  test('use no more connections than may be', async () => {
    server.script = () => ({ body: { id: '1' } });
    const backend = new PlainProvider({ baseUrl: server.url, maxConnections: 3 });
    const mails = Array.from({ length: 30 }, (_, index) => ({
      subject: 's',
      body: 'b',
      fromEmail: 'a@x.org',
      to: `u${index}@x.org`,
    }));
    const calls = await Promise.all(
      [mails.slice(0, 10), mails.slice(10, 20), mails.slice(20)].map((list) => backend.sendMessages(list)),
    );
    expect(calls.every(({ isSuccess }) => isSuccess)).toBe(true);
    expect(server.connections).toBeLessThanOrEqual(3);
    expect(server.calls).toHaveLength(30);
    await backend.close();
  });

  test('closed, it sends on', async () => {
    server.script = () => ({ body: { id: '1' } });
    const backend = new PlainProvider({ baseUrl: server.url });
    const mail = { subject: 's', body: 'b', fromEmail: 'a@x.org', to: 'b@x.org' };
    await backend.sendMessages([mail]);
    await backend.close();
    expect((await backend.sendMessages([mail])).isSuccess).toBe(true);
    expect(server.connections).toBe(2);
    await backend.close();
  });
});
