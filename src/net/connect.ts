import type { OnReadOpts, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { addAbortListener, removeAbortListener } from '../util/abort-listeners.ts';
import { isWorkerd } from '../util/runtime.ts';
import { unlessAborted } from '../util/unless-aborted.ts';

/** Head start of each address over the next (RFC 8305, section 5). */
const STAGGER_MS = 250;

/** One address of a host. */
export interface HostAddress {
  readonly address: string;
  readonly family: number;
}

/** Resolves a host to its addresses in the order to try them. @throws What node:dns throws, and the signal's reason. */
export async function addressesOf(host: string, signal: AbortSignal): Promise<readonly HostAddress[]> {
  const family = process.getBuiltinModule('node:net').isIP(host);
  if (family !== 0 || isWorkerd()) return [{ address: host, family }]; // workerd connects to names
  const dns = process.getBuiltinModule('node:dns').promises;
  return interleave(await unlessAborted(dns.lookup(host, { all: true, verbatim: true }), signal));
}

/** A connected socket and its address. */
export interface Connection {
  readonly socket: Socket;
  readonly target: HostAddress;
}

/**
 * Connects to the first address that answers, each with a head start over the next (RFC 8305); if all fail, rejects with the
 * first one's error.
 *
 * @param isPlain Whether the socket will not be upgraded to TLS; it then reads into a small buffer.
 */
export function connectFirst(
  addresses: readonly HostAddress[],
  port: number,
  signal: AbortSignal,
  isPlain = false,
): Promise<Connection> {
  const net = process.getBuiltinModule('node:net');
  return new Promise((resolve, reject) => {
    const attempts = new Set<Socket>();
    const errors: unknown[] = [];
    let next = 0;
    let timer: NodeJS.Timeout | undefined;
    const settle = (winner: Connection | null, error?: unknown): void => {
      clearTimeout(timer);
      removeAbortListener(signal, onAbort);
      for (const socket of attempts) if (socket !== winner?.socket) socket.destroy();
      if (winner) resolve(winner);
      else reject(error);
    };
    const onAbort = (): void => settle(null, signal.reason);
    const attempt = (): void => {
      clearTimeout(timer);
      const target = addresses[next++];
      if (!target) return;
      const onread = isPlain ? { onread: smallBuffer((chunk) => socket.push(chunk)) } : {};
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
        settle({ socket, target });
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
 * Reads into one reused buffer: otherwise Node allocates 64 KiB per read, for replies of a hundred bytes. The data is pushed
 * as a copy, so that the stream keeps it until there is a listener: the greeting may arrive before.
 */
function smallBuffer(push: (chunk: Buffer) => boolean): OnReadOpts {
  return {
    buffer: Buffer.allocUnsafeSlow(16 * 1024),
    callback(length, buffer) {
      return push(Buffer.from(buffer.subarray(0, length)));
    },
  };
}

/** Alternates the address families, so that an unreachable one costs one attempt (RFC 8305, section 4). */
export function interleave(addresses: readonly HostAddress[]): readonly HostAddress[] {
  const first = addresses.filter(({ family }) => family === addresses[0]?.family);
  const second = addresses.filter(({ family }) => family !== addresses[0]?.family);
  const mixed: HostAddress[] = [];
  for (let index = 0; index < Math.max(first.length, second.length); index++) {
    mixed.push(...first.slice(index, index + 1), ...second.slice(index, index + 1));
  }
  return mixed;
}

/** Waits until a stream is connected, and destroys it if that fails. @throws Its error, and the signal's reason. */
export function connected<T extends Duplex>(socket: T, signal: AbortSignal, event = 'connect'): Promise<T> {
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
