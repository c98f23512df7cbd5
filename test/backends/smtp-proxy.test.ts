import tls from 'node:tls';
import { inspect } from 'node:util';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { SmtpBackendOptions } from '../../src/backends/smtp.ts';
import { EmailConnectionError } from '../../src/model/errors.ts';
import { ScriptedSmtpServer } from '../../src/testing/server/scripted-smtp-server.ts';
import { makeCertificates } from '../servers/certificates.ts';
import { ConnectProxy } from '../servers/connect-proxy.ts';
import type { TestProxy, TestProxyOptions } from '../servers/proxy-server.ts';
import { SocksProxy } from '../servers/socks-proxy.ts';
import { connectTo, mails } from './smtp-fixture.ts';

const SECRET = 'S3cr3tWord';
const LOGIN = { username: 'jürgen', password: `p@ss:${SECRET}` };
const USERS = { jane: 'secret' };
const { ca, good, wrongHost } = makeCertificates();
const open: AsyncDisposable[] = [];

afterEach(async () => {
  vi.restoreAllMocks();
  for (const each of open.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

function kept<T extends AsyncDisposable>(disposable: T): T {
  open.push(disposable);
  return disposable;
}

type Scheme = 'http' | 'https' | 'socks5';

async function proxy(scheme: Scheme, options: TestProxyOptions = {}): Promise<TestProxy> {
  const settings = { ...options, ...(scheme === 'https' && { tls: good }) };
  return kept(await (scheme === 'socks5' ? new SocksProxy(settings) : new ConnectProxy(settings)).start());
}

function urlOf(scheme: Scheme, { port }: TestProxy, login: typeof LOGIN | null = null, host = 'localhost'): string {
  const { username, password } = login ?? { username: '', password: '' };
  return `${scheme}://${login ? `${encodeURIComponent(username)}:${encodeURIComponent(password)}@` : ''}${host}:${port}`;
}

async function server(options: Parameters<typeof ScriptedSmtpServer.start>[0] = {}): Promise<ScriptedSmtpServer> {
  return kept(await ScriptedSmtpServer.start({ users: USERS, ...options }));
}

/** As Node does when NODE_EXTRA_CA_CERTS names the file. */
function trustEverywhere(): void {
  const { connect } = tls;
  // The one of many signatures that is called.
  vi.spyOn(tls, 'connect').mockImplementation(((options: tls.ConnectionOptions) =>
    connect({ ca, ...options })) as unknown as typeof tls.connect);
}

async function failure(promise: Promise<unknown>): Promise<EmailConnectionError> {
  const error: unknown = await promise.catch((reason: unknown) => reason);
  if (!(error instanceof EmailConnectionError)) throw new Error(`no EmailConnectionError: ${inspect(error)}`);
  return error;
}

const SECURITIES = [
  ['in clear', {}, {}],
  ['with STARTTLS', { tls: good }, { useTls: true, username: 'jane', password: 'secret' }],
  ['with implicit TLS', { tls: good, implicitTls: true }, { useSsl: true, username: 'jane', password: 'secret' }],
] as const;

describe.each(['http', 'https', 'socks5'] as const)('a mail through a proxy of %s', (scheme) => {
  it.each(
    SECURITIES.flatMap(([name, settings, options]) =>
      [false, true].map((isGlued) => [name, isGlued ? 'with' : 'after', settings, options, isGlued] as const),
    ),
  )('goes %s, the greeting %s the answer of the proxy', async (name, _, settings, options, isGlued) => {
    trustEverywhere();
    const mx = await server(settings);
    // With implicit TLS it is the client that talks first.
    const via = await proxy(scheme, { isGlued: isGlued && name !== 'with implicit TLS' });
    const backend = connectTo(mx, { ...options, host: 'localhost', tls: { ca }, proxy: urlOf(scheme, via) });
    expect((await backend.sendMessages(mails(1))).isSuccess).toBe(true);
    expect(mx.messages).toHaveLength(1);
    expect(via).toMatchObject({ targets: [`localhost:${mx.port}`], breaches: [] });
  });

  it('goes where the proxy finds the name, which this machine need not know', async () => {
    trustEverywhere();
    const mx = await server();
    const via = await proxy(scheme, { to: mx });
    const backend = connectTo(mx, { host: 'mail.example.invalid', port: 25, proxy: urlOf(scheme, via) });
    expect((await backend.sendMessages(mails(1))).isSuccess).toBe(true);
    expect(via.targets).toEqual(['mail.example.invalid:25']);
  });

  it('goes with a login, by code, URL and variable alike', async () => {
    trustEverywhere();
    const mx = await server();
    const via = await proxy(scheme, { login: LOGIN });
    const backend = connectTo(mx, { proxy: urlOf(scheme, via, LOGIN) });
    expect((await backend.sendMessages(mails(1))).isSuccess).toBe(true);
    expect(via.breaches).toEqual([]);
  });

  it.each([
    ['a wrong login', { ...LOGIN, password: SECRET }, 'refuses the login'],
    ['no login', null, 'wants a login'],
  ])('with %s fails, and shows none', async (_, login, text) => {
    trustEverywhere();
    const mx = await server();
    const via = await proxy(scheme, { login: LOGIN });
    const lines: string[] = [];
    const options: SmtpBackendOptions = { proxy: urlOf(scheme, via, login), debug: (line) => lines.push(line) };
    const backend = connectTo(mx, { ...options, retry: { attempts: 3, baseMs: 1 } });
    const error = await failure(backend.sendMessages(mails(1)));
    expect(error).toMatchObject({ code: 'auth', phase: 'connect', retryable: false, outcome: 'not-sent' });
    expect(error.message).toContain(`the proxy ${scheme}://localhost:${via.port} ${text}`);
    expect(via.connections).toBe(1);
    const shown = inspect([error, backend, backend.stats(), lines], { depth: 20, showHidden: true });
    for (const secret of [SECRET, encodeURIComponent(LOGIN.username), LOGIN.username])
      expect(shown).not.toContain(secret);
    expect(mx.connections).toEqual([]);
  });

  it('fails when the proxy does not get there', async () => {
    trustEverywhere();
    const mx = await server();
    const via = await proxy(scheme, { to: { host: '127.0.0.1', port: 1 } });
    const error = await failure(connectTo(mx, { proxy: urlOf(scheme, via) }).sendMessages(mails(1)));
    expect(error).toMatchObject({ code: scheme === 'socks5' ? 'refused' : 'unreachable', retryable: true });
    expect(error.message).toContain(`localhost:${via.port} makes no connection to 127.0.0.1:${mx.port}`);
  });

  it('is given up in time when the proxy is silent', async () => {
    trustEverywhere();
    const mx = await server();
    const via = await proxy(scheme, { ignore: () => {} });
    const options = { proxy: urlOf(scheme, via), timeouts: { connect: 300 } };
    const error = await failure(connectTo(mx, options).sendMessages(mails(1)));
    expect(error).toMatchObject({ code: 'timeout', phase: 'connect', retryable: true });
    const name = `${scheme}://localhost:${via.port}`;
    expect(error.message).toBe(`no connection to 127.0.0.1:${mx.port} through the proxy ${name} within 300 ms`);
    await expect.poll(() => via.openStreams).toBe(0);
  });

  it('is given up when the call is', async () => {
    trustEverywhere();
    const mx = await server();
    const abort = new AbortController();
    const via = await proxy(scheme, { ignore: () => abort.abort(new Error('enough')) });
    const sending = connectTo(mx, { proxy: urlOf(scheme, via) }).verify({ signal: abort.signal });
    expect(await failure(sending)).toMatchObject({ code: 'aborted', phase: 'connect' });
  });

  it('is one of many over a few connections', async () => {
    trustEverywhere();
    const mx = await server();
    mx.on('message', { reply: '250 2.0.0 Taken', delayMs: 50 });
    const via = await proxy(scheme);
    const backend = connectTo(mx, { proxy: urlOf(scheme, via), maxConnections: 3, maxInFlight: 1 });
    const status = await backend.sendMessages(mails(20));
    expect(status.isSuccess).toBe(true);
    expect(new Set(mx.messages.map(({ envelope }) => envelope.rcptTo[0])).size).toBe(20);
    expect([2, 3]).toContain(via.connections); // on a slow machine the last one is not needed any more
    await backend.close();
    await expect.poll(() => via.openStreams).toBe(0);
  });

  it('shows the way in verify() and in the dialogue', async () => {
    trustEverywhere();
    const mx = await server();
    const via = await proxy(scheme, { login: LOGIN });
    const lines: string[] = [];
    const backend = connectTo(mx, { proxy: urlOf(scheme, via, LOGIN), debug: (line) => lines.push(line) });
    const { details } = await backend.verify();
    const name = `${scheme}://localhost:${via.port}`;
    expect(details['proxy']).toBe(name);
    expect(lines[0]).toBe(`*: connected through the proxy ${name}`);
    expect(inspect([details, lines, backend], { depth: 20, showHidden: true })).not.toContain(SECRET);
  });
});

describe('a proxy weakens nothing', () => {
  it.each(['http', 'socks5'] as const)("the certificate is the mail host's, through %s", async (scheme) => {
    const mx = await server({ tls: wrongHost });
    const via = await proxy(scheme);
    const options = { host: 'localhost', useTls: true, tls: { ca }, proxy: urlOf(scheme, via) };
    const error = await failure(connectTo(mx, options).sendMessages(mails(1)));
    expect(error).toMatchObject({ code: 'certificate', phase: 'tls' });
    expect(error.message).toContain('the certificate of localhost was not accepted');
    const named = { ...options, tls: { ca, servername: 'mail.example.net' } };
    expect((await connectTo(mx, named).sendMessages(mails(1))).isSuccess).toBe(true);
  });

  it('no login goes in clear, also not over TLS to the proxy', async () => {
    trustEverywhere();
    const mx = await server();
    const via = await proxy('https');
    const options = { username: 'jane', password: 'secret', proxy: urlOf('https', via) };
    expect(await failure(connectTo(mx, options).sendMessages(mails(1)))).toMatchObject({
      code: 'starttls-unavailable',
    });
    expect(() => connectTo(mx, { ...options, security: 'none' })).toThrow('credentials are not sent without TLS');
  });

  it('tls.rejectUnauthorized is about the mail host alone', async () => {
    const mx = await server({ tls: good });
    const via = await proxy('https');
    const options = { useTls: true, tls: { ca, rejectUnauthorized: false }, proxy: urlOf('https', via) };
    const error = await failure(connectTo(mx, options).sendMessages(mails(1)));
    expect(error).toMatchObject({ code: 'certificate', phase: 'connect' });
    expect(error.message).toContain(`the certificate of the proxy https://localhost:${via.port} was not accepted`);
  });
});

it('a proxy at an IPv6 address is reached, and told an IPv6 address', async () => {
  const mx = await server();
  for (const scheme of ['http', 'socks5'] as const) {
    const via = await proxy(scheme, { host: '::1', to: mx });
    const options = { host: '[2001:db8::1]', port: 2525, proxy: urlOf(scheme, via, null, '[::1]') };
    expect((await connectTo(mx, options).sendMessages(mails(1))).isSuccess).toBe(true);
    expect(via.targets).toEqual([scheme === 'http' ? '2001:db8::1:2525' : '2001:db8:0:0:0:0:0:1:2525']);
    expect(via.breaches).toEqual([]);
  }
});

it('what was learned of a server does not count for its namesake behind a proxy', async () => {
  const near = await server();
  const far = await server();
  const via = await proxy('http', { to: far });
  near.once('message', { reply: '421 4.3.2 Closing', end: 'fin' });
  await connectTo(near, { maxInFlight: 8 }).sendMessages(mails(1), { failSilently: true });
  const most = async (options: SmtpBackendOptions): Promise<boolean> => {
    near.reset();
    far.reset();
    expect((await connectTo(near, { maxConnections: 1, ...options }).sendMessages(mails(6))).isSuccess).toBe(true);
    // Cautious, each mail waits for the reply to the one before it; else several are written at once.
    const { transcript = [] } = (options.proxy ? far : near).connections[0] ?? {};
    return transcript.some((line, at) => line.startsWith('C: MAIL') && transcript[at - 1]?.startsWith('C: ') === true);
  };
  expect(await most({})).toBe(false);
  expect(await most({ proxy: urlOf('http', via) })).toBe(true);
});
