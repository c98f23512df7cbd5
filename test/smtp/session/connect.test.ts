import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resolveSmtpOptions, type SmtpOptions } from '../../../src/smtp/options.ts';
import { Route } from '../../../src/smtp/session/route.ts';

const never = new AbortController().signal;
const folder = mkdtempSync(join(tmpdir(), 'connect-'));
const path = join(folder, 'socket');
let tcp: Server;
let unix: Server;
let port = 0;
/** A port on which nothing listens. */
let closed = 0;

function listen(server: Server, where: string | { readonly port: number; readonly host: string }): Promise<void> {
  return new Promise((resolve) => server.listen(where, resolve));
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}

beforeAll(async () => {
  tcp = createServer((socket) => socket.on('error', () => {}).end('220 hello\r\n'));
  unix = createServer((socket) => socket.on('error', () => {}).end());
  await listen(tcp, { port: 0, host: '127.0.0.1' });
  await listen(unix, path);
  port = portOf(tcp);
  const gone = createServer();
  await listen(gone, { port: 0, host: '127.0.0.1' });
  closed = portOf(gone);
  await new Promise((resolve) => gone.close(resolve));
});

afterAll(() => {
  tcp.close();
  unix.close();
  rmSync(folder, { recursive: true });
});

const open = (options: SmtpOptions) => new Route(resolveSmtpOptions(options)).dial(never);

describe('a route', () => {
  it.each([
    ['a name', () => ({ host: 'localhost', port })],
    ['an address', () => ({ host: '127.0.0.1', port })],
    ['a unix socket', () => ({ path })],
  ])('reaches %s', async (_, options) => {
    (await open(options())).destroy();
  });

  it.each([
    ['refused', () => ({ host: '127.0.0.1', port: closed }), 'nothing listens there'],
    ['dns', () => ({ host: 'nowhere.invalid', port: 25 }), 'its name was not found'],
    ['refused', () => ({ path: `${path}-not` }), 'nothing listens there'],
  ])('says %s with what to check', async (code, options, text) => {
    await expect(open(options())).rejects.toMatchObject({ code, phase: 'connect', outcome: 'not-sent' });
    await expect(open(options())).rejects.toThrow(text);
  });

  it('gives up in time, and destroys a socket of the caller that comes later', async () => {
    let late = (): void => {};
    let isDestroyed = false;
    const socket = () =>
      new Promise<never>((resolve) => {
        const given = { write: () => true, destroy: () => (isDestroyed = true) };
        late = () => resolve(given as never); // the promise's type says that nobody waits for it any more
      });
    await expect(open({ socket, timeouts: { connect: 20 } })).rejects.toMatchObject({
      code: 'timeout',
      retryable: true,
    });
    late();
    await new Promise((resolve) => setImmediate(resolve));
    expect(isDestroyed).toBe(true);
  });

  it('passes on why a socket of the caller failed', async () => {
    const socket = () => Promise.reject(new Error('the proxy said no'));
    await expect(open({ socket })).rejects.toThrow('the proxy said no');
  });

  it('tells the socket factory where to', async () => {
    const asked: unknown[] = [];
    const socket = ({ host, port: wanted }: { readonly host: string; readonly port: number }) => {
      asked.push([host, wanted]);
      return Promise.reject(new Error('no'));
    };
    await open({ host: '[::1]', port: 2525, socket }).catch(() => {});
    expect(asked).toEqual([['::1', 2525]]);
  });
});

describe('a plain socket', () => {
  it.each([
    ['a greeting', '220 hello\r\n'],
    ['more than a stream holds', `${'220-hello\r\n'.repeat(30_000)}220 hello\r\n`],
  ])('keeps %s that came before anybody listened', async (_, greeting) => {
    const server = createServer((peer) => peer.on('error', () => {}).end(greeting));
    await listen(server, { port: 0, host: '127.0.0.1' });
    const socket = await open({ host: '127.0.0.1', port: portOf(server) });
    // Some event loops read before the promise of a connection has told whoever waits for it.
    const plain = socket as Socket; // TCP without TLS
    await expect.poll(() => plain.bytesRead).toBeGreaterThan(0);
    let received = '';
    for await (const chunk of socket) received += String(chunk);
    server.close();
    expect(received).toBe(greeting);
  });
});
