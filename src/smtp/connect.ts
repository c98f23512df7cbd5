import type { OnReadOpts, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';
import { type ConnectionErrorCode, EmailConnectionError, type ErrorPhase } from '../errors.ts';
import { addAbortListener, removeAbortListener } from '../util/abort-listeners.ts';
import { setDeadline } from '../util/deadline.ts';
import { unlessAborted } from '../util/unless-aborted.ts';
import type { ResolvedSmtpOptions } from './options.ts';
import { systemCode } from './system-code.ts';
import { handshakeError } from './tls-failure.ts';

/** How long one address is tried before the next joins in (RFC 8305, section 5). */
const STAGGER_MS = 250;

/** One address of a host. */
export interface HostAddress {
  readonly address: string;
  readonly family: number;
}

/**
 * Connects to the server: unix socket, socket of the caller's, or TCP to whichever address of the host answers first.
 *
 * @throws {EmailConnectionError} code `dns`, `refused`, `unreachable`, `timeout`, `aborted` or `connection`.
 */
export async function dial(options: ResolvedSmtpOptions, signal: AbortSignal): Promise<Duplex> {
  const { host, port, path, timeouts } = options;
  const where = path ?? `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const deadline = setDeadline(timeouts.connect, signal);
  const bounded = deadline.signal;
  try {
    if (options.socket) {
      const socket = Promise.resolve(options.socket({ host, port, signal: bounded }));
      // One that comes too late is nobody's.
      socket.then((late) => bounded.aborted && late.destroy()).catch(() => {});
      // Any Node Duplex is taken: what the wire needs of it, it finds out by using it.
      return (await unlessAborted(socket, bounded)) as unknown as Duplex;
    }
    const net = process.getBuiltinModule('node:net');
    if (path !== null) return await connected(net.connect({ path }), bounded);
    const isPlain = options.security === 'none';
    if (net.isIP(host)) return await connectFirst([{ address: host, family: net.isIP(host) }], port, bounded, isPlain);
    const dns = process.getBuiltinModule('node:dns').promises;
    const addresses = await unlessAborted(dns.lookup(host, { all: true, verbatim: true }), bounded);
    return await connectFirst(interleave(addresses), port, bounded, isPlain);
  } catch (error) {
    if (signal.aborted) throw abortedError(signal, 'connect');
    if (deadline.isOver) {
      throw new EmailConnectionError('timeout', `no connection to ${where} within ${timeouts.connect} ms`, {
        retryable: true,
      });
    }
    throw connectError(error, where);
  } finally {
    deadline.clear();
  }
}

/**
 * Connects to the first of several addresses that answers, each given a head start over the next (RFC 8305); when all
 * fail, it fails with the first address's error. A plain socket, which TLS will not take over, reads frugally.
 */
export function connectFirst(
  addresses: readonly HostAddress[],
  port: number,
  signal: AbortSignal,
  isPlain = false,
): Promise<Socket> {
  const net = process.getBuiltinModule('node:net');
  return new Promise((resolve, reject) => {
    const attempts = new Set<Socket>();
    const errors: unknown[] = [];
    let next = 0;
    let timer: NodeJS.Timeout | undefined;
    const settle = (winner: Socket | null, error?: unknown): void => {
      clearTimeout(timer);
      removeAbortListener(signal, onAbort);
      for (const socket of attempts) if (socket !== winner) socket.destroy();
      if (winner) resolve(winner);
      else reject(error);
    };
    const onAbort = (): void => settle(null, signal.reason);
    const attempt = (): void => {
      clearTimeout(timer);
      const target = addresses[next++];
      if (!target) return;
      const onread = isPlain ? { onread: readFrugally((chunk) => socket.push(chunk)) } : {};
      const socket: Socket = net.connect({
        host: target.address,
        port,
        family: target.family,
        noDelay: true,
        ...onread,
      });
      attempts.add(socket);
      socket.once('connect', () => {
        socket.removeAllListeners('error');
        settle(socket);
      });
      socket.on('error', (error) => {
        if (!attempts.delete(socket)) return;
        errors.push(error);
        if (next < addresses.length) attempt();
        else if (attempts.size === 0) settle(null, errors[0]);
      });
      if (next < addresses.length) timer = setTimeout(attempt, STAGGER_MS);
    };
    if (signal.aborted) {
      onAbort();
      return;
    }
    addAbortListener(signal, onAbort);
    attempt();
  });
}

/**
 * Reads into one buffer again and again: Node takes 64 KiB for every read otherwise, and a reply has a hundred bytes.
 * What was read is pushed as a copy, so that it waits in the stream for whoever listens: the greeting may be there before.
 */
function readFrugally(push: (chunk: Buffer) => boolean): OnReadOpts {
  return {
    buffer: Buffer.allocUnsafeSlow(16 * 1024),
    callback(length, buffer) {
      return push(Buffer.from(buffer.subarray(0, length)));
    },
  };
}

/** Puts the families in turn, so that one that leads nowhere costs one attempt (RFC 8305, section 4). */
export function interleave(addresses: readonly HostAddress[]): readonly HostAddress[] {
  const first = addresses.filter(({ family }) => family === addresses[0]?.family);
  const second = addresses.filter(({ family }) => family !== addresses[0]?.family);
  const mixed: HostAddress[] = [];
  for (let index = 0; index < Math.max(first.length, second.length); index++) {
    mixed.push(...first.slice(index, index + 1), ...second.slice(index, index + 1));
  }
  return mixed;
}

/**
 * Starts TLS over a connection and verifies the server's certificate and name (RFC 9525).
 *
 * @throws {EmailConnectionError} code `certificate` naming the check that failed, `tls`, `timeout` or `aborted`.
 */
export async function startTls(socket: Duplex, options: ResolvedSmtpOptions, signal: AbortSignal): Promise<Duplex> {
  const net = process.getBuiltinModule('node:net');
  const tls = process.getBuiltinModule('node:tls');
  const { host, tls: given, timeouts } = options;
  const servername = given.servername ?? (net.isIP(host) ? undefined : host);
  const deadline = setDeadline(timeouts.connect, signal);
  try {
    // The bytes and lists of SmtpTlsOptions are what Node takes, read-only.
    const secure = tls.connect({ minVersion: 'TLSv1.2', ...given, host, socket, servername } as ConnectionOptions);
    await connected(secure, deadline.signal, 'secureConnect');
    return secure;
  } catch (error) {
    socket.destroy();
    if (signal.aborted) throw abortedError(signal, 'tls');
    if (deadline.isOver) {
      throw new EmailConnectionError(
        'timeout',
        `the TLS handshake with ${host} took longer than ${timeouts.connect} ms`,
        {
          phase: 'tls',
          retryable: true,
        },
      );
    }
    throw handshakeError(error, servername ?? host);
  } finally {
    deadline.clear();
  }
}

/** The error for a call that its signal ended before anything was sent. */
function abortedError(signal: AbortSignal, phase: ErrorPhase): EmailConnectionError {
  return new EmailConnectionError('aborted', 'the call was aborted', { phase, cause: signal.reason });
}

function connected<T extends Duplex>(socket: T, signal: AbortSignal, event = 'connect'): Promise<T> {
  return new Promise((resolve, reject) => {
    const settle = (error?: unknown): void => {
      removeAbortListener(signal, onAbort);
      socket.off('close', onClose);
      socket.off('error', settle);
      if (error === undefined) {
        resolve(socket);
        return;
      }
      socket.on('error', () => {});
      socket.destroy();
      reject(error);
    };
    const onAbort = (): void => settle(signal.reason);
    const onClose = (): void => settle(new Error('the server closed the connection'));
    socket.once(event, () => settle());
    socket.once('error', settle);
    socket.once('close', onClose);
    if (signal.aborted) onAbort();
    else addAbortListener(signal, onAbort);
  });
}

const CODES: Readonly<Record<string, ConnectionErrorCode>> = {
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns',
  EAI_FAIL: 'dns',
  ENODATA: 'dns',
  ECONNREFUSED: 'refused',
  ENOENT: 'refused',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
  ETIMEDOUT: 'timeout',
  ECONNRESET: 'closed',
};

function connectError(error: unknown, where: string): EmailConnectionError {
  const system = systemCode(error);
  const code = CODES[system] ?? 'connection';
  const why: Partial<Record<ConnectionErrorCode, string>> = {
    dns: 'its name was not found: check host',
    refused: 'nothing listens there: check host and port',
    unreachable: 'there is no way to it: check host and network',
  };
  const reason = why[code] ?? (error instanceof Error ? error.message : String(error));
  return new EmailConnectionError(code, `no connection to ${where}: ${reason}`, {
    retryable: system !== 'ENOTFOUND',
    cause: error,
  });
}
