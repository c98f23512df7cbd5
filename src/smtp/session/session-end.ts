import type { Delivery } from '../queue/delivery.ts';
import type { Transaction } from '../queue/transaction.ts';
import type { Disconnect } from './wire.ts';

/** How many sessions may end because of one mail, as it seems, before it is no longer given back. */
export const MAX_HANG_UPS = 3;

/** How a session ends: whether the server announced it (421), and which mail seems to have caused it. */
export class SessionEnd {
  /** The server's 421; nothing but QUIT is written after it (RFC 5321, section 3.8). */
  shutdown: Disconnect | null = null;
  /** Whether 421 is the last reply that was read. */
  isLastReply = false;
  #until = 0;
  #hasBlamed = false;

  /** Whether the server has announced it. */
  get isOver(): boolean {
    return this.shutdown !== null;
  }

  /** The server said 421: replies that are still due are awaited for this long at most. */
  begin(shutdown: Disconnect, timeoutMs: number): void {
    this.shutdown = shutdown;
    this.#until = performance.now() + timeoutMs;
  }

  /** How long replies that are due are still awaited, in milliseconds. */
  get timeLeftMs(): number {
    return this.#until - performance.now();
  }

  /**
   * Whether the server certainly has no mail of a transaction: its content was not sent, or it came after a 421 that was
   * the server's last reply before it closed the connection. Any later reply, or an end from our side, leaves it in doubt.
   */
  provesUnsent(transaction: Readonly<Transaction>, disconnect: Disconnect): boolean {
    if (!transaction.contentHandedOver) return true;
    return this.isLastReply && disconnect.isByPeer === true && !transaction.hasFinalReply;
  }

  /** Counts the end against the delivery that seems to have caused it, once. */
  blame(delivery: Delivery | undefined): void {
    if (this.#hasBlamed || !delivery) return;
    this.#hasBlamed = true;
    delivery.hangUps++;
  }
}

/** Whether too many sessions seem to have ended because of a delivery. */
export function hasHadItsChances(delivery: Delivery): boolean {
  return delivery.hangUps > MAX_HANG_UPS;
}
