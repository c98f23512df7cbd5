import { unlessAborted } from '../../util/unless-aborted.ts';

/** How long a request is taken to be under way while none has been answered. */
const FIRST_LATENCY_MS = 1_000;
/** How much of a faster answer counts; a slower one counts at once, as the rate would be missed. */
const FORGETTING = 0.1;
/** Requests that always may be under way. */
const FEW = 2;

interface Waiter {
  readonly count: number;
  go(): void;
}

/**
 * Lets as many requests at once as the account's rate needs at the service's latency, twice over, and at most `max`, first
 * come, first served: more would not be faster, and all of them would be in doubt if the service hung.
 */
export class Slots {
  readonly #waiting: Waiter[] = [];
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

  /** Runs a request of `count` recipients when there is room. */
  async run<T>(count: number, signal: AbortSignal | undefined, task: () => Promise<T>): Promise<T> {
    if (this.#waiting.length > 0 || !this.#hasRoom()) await this.#turn(count, signal);
    else this.#take(count);
    try {
      return await task();
    } finally {
      this.#leave(count);
    }
  }

  async #turn(count: number, signal: AbortSignal | undefined): Promise<void> {
    let go = () => {};
    const turn = new Promise<void>((resolve) => {
      go = resolve;
    });
    const waiter: Waiter = { count, go };
    this.#waiting.push(waiter);
    try {
      await unlessAborted(turn, signal);
    } catch (reason) {
      const place = this.#waiting.indexOf(waiter);
      if (place >= 0) this.#waiting.splice(place, 1);
      else this.#leave(count); // it was let in at the same moment
      throw reason;
    }
  }

  #leave(count: number): void {
    this.#requests--;
    this.#recipients -= count;
    for (let [next] = this.#waiting; next !== undefined && this.#hasRoom(); [next] = this.#waiting) {
      this.#waiting.shift();
      this.#take(next.count);
      next.go();
    }
  }

  /** Tells how long the service took to answer a request. */
  answeredAfter(milliseconds: number): void {
    const slower = milliseconds - this.#latencyMs;
    this.#latencyMs += slower > 0 ? slower : slower * FORGETTING;
  }

  #hasRoom(): boolean {
    if (this.#requests >= this.#max) return false;
    return this.#requests < FEW || this.#recipients < (2 * this.#rate() * this.#latencyMs) / 1_000;
  }

  #take(count: number): void {
    this.#requests++;
    this.#recipients += count;
  }
}
