import type { Delivery } from './delivery.ts';
import type { Disconnect } from './wire.ts';

/** How often a mail is given back that seems to be why sessions end. */
export const MAX_HANG_UPS = 3;

/** How a session ends: with a last word of the server (421), and because of which mail, as far as can be told. */
export class SessionEnd {
  /** What the server said shutdown with; nothing but QUIT is written after it (RFC 5321, section 3.8). */
  shutdown: Disconnect | null = null;
  /** Whether 421 is the last reply that was read. */
  isLastWord = false;
  #until = 0;
  #hasBlamed = false;

  /** The server said 421: what is still due is waited for no longer than this. */
  begin(shutdown: Disconnect, timeoutMs: number): void {
    this.shutdown = shutdown;
    this.#until = performance.now() + timeoutMs;
  }

  /** How long what is due is waited for, in milliseconds. */
  get timeLeftMs(): number {
    return this.#until - performance.now();
  }

  /** Counts the end against the delivery that seems to be why, once. */
  blame(delivery: Delivery | undefined): void {
    if (this.#hasBlamed || !delivery) return;
    this.#hasBlamed = true;
    delivery.hangUps++;
  }
}

/** Whether a delivery has had all its chances. */
export function hasHadItsChances(delivery: Delivery): boolean {
  return delivery.hangUps > MAX_HANG_UPS;
}
