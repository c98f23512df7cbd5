import { unlessAborted } from './unless-aborted.ts';

/** How long a request is taken to last before the first one was answered. */
const FIRST_LATENCY_MS = 1_000;
/** How much of a faster answer counts; a slower one counts at once, as the rate would be missed. */
const FORGETTING = 0.1;
/** Requests that may always be under way. */
const FEW = 2;

interface Waiter {
  readonly count: number;
  readonly admit: () => void;
}

/**
 * Bounds the requests under way, first come, first served: twice as many as the account's rate needs at the service's latency,
 * and at most `max`. More would not be faster, and all of them would be in doubt if the service hung.
 */
export class ConcurrencyLimiter {
  /** In the order they came; a Set, as whoever gives up leaves from the middle. */
  readonly #waiting = new Set<Waiter>();
  readonly #max: number;
  readonly #rate: () => number;
  #latencyMs = FIRST_LATENCY_MS;
  #requests = 0;
  #recipients = 0;

  /** @param rate Recipients a second, as far as is known now. */
  constructor(max: number, rate: () => number) {
    this.#max = max;
    this.#rate = rate;
  }

  /** Waits for room for a request of `count` recipients; rejects with the signal's reason. What it returns ends the request. */
  async acquire(count: number, signal: AbortSignal | undefined): Promise<() => void> {
    if (this.#waiting.size === 0 && this.#hasRoom()) this.#begin(count);
    else await this.#wait(count, signal);
    return () => this.#end(count);
  }

  /** Notes how long the service took to answer a request. */
  answeredAfter(milliseconds: number): void {
    const slower = milliseconds - this.#latencyMs;
    this.#latencyMs += slower > 0 ? slower : slower * FORGETTING;
  }

  async #wait(count: number, signal: AbortSignal | undefined): Promise<void> {
    let admit = () => {};
    const admission = new Promise<void>((resolve) => {
      admit = resolve;
    });
    const waiter = { count, admit };
    this.#waiting.add(waiter);
    try {
      await unlessAborted(admission, signal);
    } catch (reason) {
      if (!this.#waiting.delete(waiter)) this.#end(count); // it was admitted at the same moment
      throw reason;
    }
  }

  #hasRoom(): boolean {
    if (this.#requests >= this.#max) return false;
    return this.#requests < FEW || this.#recipients < (2 * this.#rate() * this.#latencyMs) / 1_000;
  }

  #begin(count: number): void {
    this.#requests++;
    this.#recipients += count;
  }

  #end(count: number): void {
    this.#requests--;
    this.#recipients -= count;
    for (const waiter of this.#waiting) {
      if (!this.#hasRoom()) return;
      this.#waiting.delete(waiter);
      this.#begin(waiter.count);
      waiter.admit();
    }
  }
}
