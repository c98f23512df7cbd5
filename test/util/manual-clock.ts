import type { Clock } from '../../src/util/clock.ts';

interface Timer {
  readonly at: number;
  readonly wake: () => void;
}

/** A clock that stands until it is told to go on. */
export class ManualClock implements Clock {
  readonly #timers = new Set<Timer>();
  #now = 0;

  now(): number {
    return this.#now;
  }

  wakeAfter(ms: number, wake: () => void): () => void {
    const timer = { at: this.#now + ms, wake };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Lets time pass up to `until`, or until nobody waits for it. */
  async run(until = Number.POSITIVE_INFINITY): Promise<void> {
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve)); // whoever was woken goes on
      const [next] = [...this.#timers].sort((one, other) => one.at - other.at);
      if (next === undefined || next.at > until) break;
      this.#timers.delete(next);
      this.#now = next.at;
      next.wake();
    }
    if (until !== Number.POSITIVE_INFINITY) this.#now = until;
  }
}
