import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { EmailConnectionError } from '../../src/model/errors.ts';
import { ScriptedSmtpServer } from '../../src/testing/server/scripted-smtp-server.ts';
import { connectTo, mails } from '../backends/smtp-fixture.ts';
import { makeCertificates } from '../servers/certificates.ts';
import { freePorts } from '../servers/process.ts';
import { RealProxy } from '../servers/real-proxies.ts';

const LOGIN = { username: 'mailer', password: 'S3cr3tWord' };
const { ca, good } = makeCertificates();
const open: AsyncDisposable[] = [];
let clear: ScriptedSmtpServer;
let startTls: ScriptedSmtpServer;
let implicit: ScriptedSmtpServer;
let socks: RealProxy;
let openSocks: RealProxy;

beforeAll(async () => {
  clear = await ScriptedSmtpServer.start();
  startTls = await ScriptedSmtpServer.start({ tls: good, users: { jane: 'secret' } });
  implicit = await ScriptedSmtpServer.start({ tls: good, implicitTls: true, users: { jane: 'secret' } });
  socks = await RealProxy.microsocks(LOGIN);
  openSocks = await RealProxy.microsocks({});
  open.push(clear, startTls, implicit, socks, openSocks);
});

afterEach(() => {
  for (const server of [clear, startTls, implicit]) server.reset();
});

afterAll(async () => {
  for (const each of open.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

async function tinyproxy(allowed: number): Promise<RealProxy> {
  const proxy = await RealProxy.tinyproxy(LOGIN, allowed);
  open.push(proxy);
  return proxy;
}

function urlOf(scheme: string, { port }: RealProxy, password: string | null = LOGIN.password): string {
  return `${scheme}://${password === null ? '' : `${LOGIN.username}:${password}@`}127.0.0.1:${port}`;
}

async function failure(promise: Promise<unknown>): Promise<EmailConnectionError> {
  const error: unknown = await promise.catch((reason: unknown) => reason);
  if (!(error instanceof EmailConnectionError)) throw new Error(`no EmailConnectionError: ${String(error)}`);
  expect(error.message).not.toContain(LOGIN.password);
  return error;
}

describe.each(['tinyproxy', 'microsocks'] as const)('through %s', (program) => {
  const urlTo = async (server: { readonly port: number }, password?: string | null): Promise<string> =>
    program === 'tinyproxy' ? urlOf('http', await tinyproxy(server.port), password) : urlOf('socks5', socks, password);

  test.each([
    ['in clear', () => clear, {}],
    ['with STARTTLS', () => startTls, { useTls: true, username: 'jane', password: 'secret' }],
    ['with implicit TLS', () => implicit, { useSsl: true, username: 'jane', password: 'secret' }],
  ])('mails go %s', async (_, serverOf, options) => {
    const server = serverOf();
    server.on('message', { reply: '250 2.0.0 Taken', delayMs: 50 });
    const proxy = await urlTo(server);
    const pool = { maxConnections: 3, maxInFlight: 1 };
    const backend = connectTo(server, { ...options, ...pool, host: 'localhost', tls: { ca }, proxy });
    expect((await backend.sendMessages(mails(20))).isSuccess).toBe(true);
    expect(server.messages).toHaveLength(20);
    expect([2, 3]).toContain(server.connections.length); // on a slow machine the last one is not needed any more
  });

  test.each([
    ['a wrong login', 'wrong'],
    ['no login', null],
  ])('%s is told', async (_, password) => {
    const error = await failure(connectTo(clear, { proxy: await urlTo(clear, password) }).verify());
    expect(error).toMatchObject({ code: 'auth', phase: 'connect', retryable: false });
  });

  test('a port where nothing listens is told', async () => {
    const [port = 0] = await freePorts(1);
    const error = await failure(connectTo(clear, { port, proxy: await urlTo({ port }) }).verify());
    expect(error).toMatchObject({ code: program === 'tinyproxy' ? 'unreachable' : 'refused', phase: 'connect' });
    expect(error.retryable).toBe(true);
  });

  test('a name that the proxy does not find is told', async () => {
    const options = { host: 'nowhere.invalid', proxy: await urlTo(clear) };
    const error = await failure(connectTo(clear, options).verify());
    expect(error).toMatchObject({ phase: 'connect', retryable: true });
    expect(error.message).toContain('makes no connection to nowhere.invalid');
  });
});

test('tinyproxy does not allow CONNECT to another port', async () => {
  const error = await failure(connectTo(clear, { proxy: urlOf('http', await tinyproxy(443)) }).verify());
  expect(error).toMatchObject({ code: 'refused', phase: 'connect', retryable: false, reply: { code: 403 } });
});

test('microsocks that wants no login takes a mail with one, and without', async () => {
  for (const password of [LOGIN.password, null]) {
    const backend = connectTo(clear, { proxy: urlOf('socks5h', openSocks, password) });
    expect((await backend.sendMessages(mails(1))).isSuccess).toBe(true);
  }
});
