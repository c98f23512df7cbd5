import { unlessAborted } from './unless-aborted.ts';

/** The latency assumed before the first answer. */
const FIRST_LATENCY_MS = 1_000;
/** The weight of a faster answer; a slower one counts fully, or the rate would be missed. */
const FASTER_WEIGHT = 0.1;
/** Requests that are always allowed at once. */
const MIN_REQUESTS = 2;

interface Waiter {
  readonly count: number;
  readonly admit: () => void;
}

/**
 * Limits concurrent requests, in order of arrival: to twice as many as the account's rate needs at the service's latency, and at
 * most `max`. More would not be faster, and would all have an unknown outcome if the service hung.
 */
export class ConcurrencyLimiter {
  /** In order of arrival; a Set, as a waiter that gives up is removed from the middle. */
  readonly #waiting = new Set<Waiter>();
  readonly #max: number;
  readonly #rate: () => number;
  #latencyMs = FIRST_LATENCY_MS;
  #requests = 0;
  #recipients = 0;

  /** @param rate The known rate in recipients per second. */
  constructor(max: number, rate: () => number) {
    this.#max = max;
    this.#rate = rate;
  }

  /** Makes a request of `count` recipients when there is room for it, or returns what `stopped` does when the signal aborts before. */
  async run<T>(
    count: number,
    signal: AbortSignal | undefined,
    request: () => Promise<T>,
    stopped: () => T,
  ): Promise<T> {
    if (this.#waiting.size === 0 && this.#hasRoom()) this.#begin(count);
    else if (!(await this.#wait(count, signal))) return stopped();
    try {
      return await request();
    } finally {
      this.#end(count);
    }
  }

  /** Records how long the service took to answer a request. */
  answeredAfter(milliseconds: number): void {
    const slower = milliseconds - this.#latencyMs;
    this.#latencyMs += slower > 0 ? slower : slower * FASTER_WEIGHT;
  }

  /** False when the signal aborts first. */
  async #wait(count: number, signal: AbortSignal | undefined): Promise<boolean> {
    let admit = () => {};
    const admission = new Promise<void>((resolve) => {
      admit = resolve;
    });
    const waiter = { count, admit };
    this.#waiting.add(waiter);
    try {
      await unlessAborted(admission, signal);
      return true;
    } catch {
      if (!this.#waiting.delete(waiter)) this.#end(count); // it was admitted at the same moment
      return false;
    }
  }

  #hasRoom(): boolean {
    if (this.#requests >= this.#max) return false;
    return this.#requests < MIN_REQUESTS || this.#recipients < (2 * this.#rate() * this.#latencyMs) / 1_000;
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
