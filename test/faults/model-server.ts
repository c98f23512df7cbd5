import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { Ledger } from './ledger.ts';
import { type ModelHost, ModelSession } from './model-session.ts';
import type { Random } from './random.ts';
import type { Fault, ServerPlan, Step } from './server-plan.ts';

/** A mail server on loopback that follows its plan, and knows what it took. */
export class ModelServer implements ModelHost {
  readonly plan: ServerPlan;
  readonly ledger = new Ledger();
  /** How many connections were made. */
  connections = 0;
  readonly #seeds: readonly number[];
  readonly #server: Server;
  readonly #sessions = new Set<ModelSession>();
  readonly #timesLeft: number[];

  private constructor(plan: ServerPlan, seeds: readonly number[]) {
    this.plan = plan;
    this.#seeds = seeds;
    this.#timesLeft = plan.faults.map(({ times }) => times);
    this.#server = createServer({ noDelay: true }, (socket) => {
      const number = ++this.connections;
      const session = new ModelSession(socket, this, [...this.#seeds, number], `#${number}`);
      this.#sessions.add(session);
      socket.once('close', () => this.#sessions.delete(session));
    });
  }

  /** @param seeds what its random numbers follow from, together with the number of the connection */
  static async start(plan: ServerPlan, seeds: readonly number[] = [0]): Promise<ModelServer> {
    const server = new ModelServer(plan, seeds);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port; // it listens on TCP
  }

  /** The connections that neither side has ended. */
  get open(): number {
    return this.#sessions.size;
  }

  faultAt(step: Step, random: Random): Fault | null {
    if (this.ledger.taken.length < this.plan.calmFor) return null;
    for (const [index, { at, fault, chance }] of this.plan.faults.entries()) {
      if (!at.includes(step) || !random.chance(chance)) continue;
      const left = this.#timesLeft[index] ?? 0;
      if (left <= 0) continue;
      this.#timesLeft[index] = left - 1;
      return fault;
    }
    return null;
  }

  /** Settles when the other side has ended every connection; what it had stopped reading it reads, to see that. */
  async deserted(): Promise<true> {
    for (const session of this.#sessions) {
      session.socket.resume();
      if (!session.socket.destroyed) await new Promise((resolve) => session.socket.once('close', resolve));
    }
    return true;
  }

  async close(): Promise<void> {
    for (const { socket } of this.#sessions) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
