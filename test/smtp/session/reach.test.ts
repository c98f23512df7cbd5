import dns from 'node:dns';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { EmailConnectionError } from '../../../src/model/errors.ts';
import { resolveSmtpOptions, type SmtpOptions } from '../../../src/smtp/options.ts';
import { openSession } from '../../../src/smtp/session/session.ts';
import { ScriptedSmtpServer } from '../../../src/testing/server/scripted-smtp-server.ts';

const WELL = '127.0.0.1';
const open: { close(): unknown }[] = [];

afterEach(async () => {
  vi.restoreAllMocks();
  for (const each of open.splice(0)) await each.close();
});

/** A host with these addresses. */
function resolveTo(...addresses: readonly string[]): void {
  const found = addresses.map((address) => ({ address, family: 4 }));
  // The one of many signatures that is called.
  vi.spyOn(dns.promises, 'lookup').mockImplementation((() =>
    Promise.resolve(found)) as unknown as typeof dns.promises.lookup);
}

/** A server at another address and the same port, which does this to who connects; gives how many did. */
async function sick(address: string, port: number, treat: (socket: Socket) => void): Promise<() => number> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    treat(socket);
  });
  await once(server.listen(port, address), 'listening');
  open.push({
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    },
  });
  return () => sockets.size;
}

async function well(options?: Parameters<typeof ScriptedSmtpServer.start>[0]): Promise<ScriptedSmtpServer> {
  const server = await ScriptedSmtpServer.start(options);
  open.push(server);
  return server;
}

async function connect(port: number, options: SmtpOptions = {}): Promise<string> {
  const resolved = resolveSmtpOptions({ host: 'mx.example.com', port, timeoutMs: 5_000, ...options });
  const { server, wire } = await openSession(resolved, new AbortController().signal);
  wire.hangUp();
  return server;
}

describe('a host whose first address takes the connection', () => {
  it.each([
    ['and never greets', () => {}, { timeouts: { greeting: 2_000 } }],
    ['and hangs up', (socket: Socket) => socket.end(), {}],
    ['and resets it', (socket: Socket) => socket.resetAndDestroy(), {}],
    ['and is too busy', (socket: Socket) => socket.end('421 4.3.2 Too busy\r\n'), {}],
    ['and wants nobody of our address', (socket: Socket) => socket.write('554 5.7.1 No PTR record\r\n'), {}],
    ['and speaks no SMTP', (socket: Socket) => socket.write('SSH-2.0-OpenSSH\r\n'), {}],
  ])('%s is reached at the next', async (_, treat, options) => {
    const server = await well();
    const count = await sick('127.0.0.2', server.port, treat);
    resolveTo('127.0.0.2', WELL);
    expect(await connect(server.port, options)).toBe('localhost');
    expect(count()).toBe(1);
  });

  it.each([
    ['and speaks no TLS', (socket: Socket) => socket.write('220 in clear\r\n'), {}],
    ['and hangs up in TLS', (socket: Socket) => socket.end(), {}],
    ['and never answers in TLS', () => {}, { connect: 3_000 }],
  ])('%s is reached at the next with implicit TLS', async (_, treat, timeouts) => {
    const server = await well({ tls: 'generate', implicitTls: true });
    await sick('127.0.0.2', server.port, treat);
    resolveTo('127.0.0.2', WELL);
    const tls = { ca: server.certificate ?? '', servername: 'localhost' };
    expect(await connect(server.port, { security: 'implicit', tls, timeouts })).toBe('localhost');
  });
});

describe('a host of which no address greets', () => {
  it('fails as the first did', async () => {
    const { port } = await well();
    await sick('127.0.0.2', port, (socket) => socket.end('554 5.7.1 Not you\r\n'));
    await sick('127.0.0.3', port, (socket) => socket.end('421 4.3.2 Too busy\r\n'));
    resolveTo('127.0.0.2', '127.0.0.3', '127.0.0.4');
    const error: unknown = await connect(port).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(EmailConnectionError);
    expect(error).toMatchObject({ code: 'greeting', reply: { code: 554 } });
  });

  it('is given up after three', async () => {
    const { port } = await well();
    const counts = [];
    for (const end of [2, 3, 4, 5]) counts.push(await sick(`127.0.0.${end}`, port, (socket) => socket.end()));
    resolveTo('127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5');
    await expect(connect(port)).rejects.toMatchObject({ code: 'closed', phase: 'greeting' });
    expect(counts.map((count) => count())).toEqual([1, 1, 1, 0]);
  });

  it('is left when the signal aborts', async () => {
    const { port } = await well();
    const abort = new AbortController();
    await sick('127.0.0.2', port, () => abort.abort(new Error('enough')));
    const count = await sick('127.0.0.3', port, () => {});
    resolveTo('127.0.0.2', '127.0.0.3');
    const options = resolveSmtpOptions({ host: 'mx.example.com', port });
    await expect(openSession(options, abort.signal)).rejects.toMatchObject({ code: 'aborted' });
    expect(count()).toBe(0);
  });
});
