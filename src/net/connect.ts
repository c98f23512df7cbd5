import type { OnReadOpts, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { addAbortListener, removeAbortListener } from '../util/abort-listeners.ts';
import { isWorkerd } from '../util/runtime.ts';
import { unlessAborted } from '../util/unless-aborted.ts';

/** How long one address is tried before the next joins in (RFC 8305, section 5). */
const STAGGER_MS = 250;

/** One address of a host. */
export interface HostAddress {
  readonly address: string;
  readonly family: number;
}

/** The addresses of a host in the order in which they are tried. @throws what node:dns throws, and the signal's reason */
export async function addressesOf(host: string, signal: AbortSignal): Promise<readonly HostAddress[]> {
  const family = process.getBuiltinModule('node:net').isIP(host);
  if (family !== 0 || isWorkerd()) return [{ address: host, family }]; // workerd connects to names
  const dns = process.getBuiltinModule('node:dns').promises;
  return interleave(await unlessAborted(dns.lookup(host, { all: true, verbatim: true }), signal));
}

/** A connection, and where it leads. */
export interface Connection {
  readonly socket: Socket;
  readonly target: HostAddress;
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

/** Waits for a stream that is being connected; destroys it when that fails. @throws what it fails with, and the signal's reason */
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
