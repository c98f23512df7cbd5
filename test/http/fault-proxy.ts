import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Random } from '../faults/random.ts';

/** What happens to a connection when it has carried so many octets one way. */
interface Fault {
  readonly way: 'up' | 'down';
  readonly octets: number;
  readonly how: 'end' | 'reset' | 'stall';
}

/** The most octets after which something happens: about those of a few mails. */
const REACH = 4_000;

/** Stands between client and server; some connections it ends, resets or stalls, at any octet. */
export class FaultProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(target: number, random: Random, share: number) {
    this.#server = createServer((client) => {
      const server = connect(target, '127.0.0.1');
      const fault = random.chance(share) ? planFault(random) : null;
      this.#pass(client, server, fault?.way === 'up' ? fault : null);
      this.#pass(server, client, fault?.way === 'down' ? fault : null);
    });
  }

  /** @param share how many of the connections have a fault, of 1 */
  static async start(target: number, random: Random, share: number): Promise<FaultProxy> {
    const proxy = new FaultProxy(target, random, share);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`; // it is TCP
  }

  close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #pass(from: Socket, to: Socket, fault: Fault | null): void {
    this.#sockets.add(from);
    let left = fault?.octets ?? Number.POSITIVE_INFINITY;
    from.on('data', (chunk) => {
      to.write(chunk.subarray(0, Math.max(0, Math.min(left, chunk.length))));
      left -= chunk.length;
      if (left > 0 || fault?.how === 'stall') return;
      for (const socket of [from, to]) {
        if (fault?.how === 'reset') socket.resetAndDestroy();
        else socket.end();
      }
    });
    from.on('error', () => to.destroy());
    from.on('end', () => to.end());
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroySoon();
    });
  }
}

function planFault(random: Random): Fault {
  return {
    way: random.pick(['up', 'down']),
    octets: random.integer(1, REACH),
    how: random.pick(['end', 'reset', 'stall']),
  };
}
