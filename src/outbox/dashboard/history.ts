import { numbersOf, type StoreNumbers } from '../outbox-stats.ts';
import type { OutboxStore } from '../store.ts';

/** What a store said at a time. */
export interface Snapshot extends StoreNumbers {
  /** In milliseconds since 1970, by the clock of this process. */
  readonly at: number;
  /** From when each of the latest sent mails was written down until it was sent, in milliseconds, the shortest first. */
  readonly delays: readonly number[];
}

/** How often counts are remembered, in milliseconds, and how many of them: an hour. */
export const EVERY_MS = 10_000;
const MOST = 360;
/** A snapshot is asked for again after this time, or this many times as long as it took: counting is work for the store. */
const FRESH_MS = 1_500;
const FRESH_TIMES = 20;
/** Of how many of the newest mails the delays are told. */
const NEWEST = 200;

/** What the dashboard of this process has seen of an outbox since it was first opened, while somebody looked at it in the last hour. */
export class History {
  readonly #store: OutboxStore;
  readonly #signal: AbortSignal;
  readonly #samples: Snapshot[] = [];
  #latest: Promise<Snapshot> | null = null;
  #freshUntil = 0;
  #askedAt = 0;
  #timer: NodeJS.Timeout | null = null;

  /** @param signal ends it */
  constructor(store: OutboxStore, signal: AbortSignal) {
    this.#store = store;
    this.#signal = signal;
    signal.addEventListener('abort', () => this.#stop());
  }

  /** What the store says, as of lately. @throws what the store throws */
  async now(): Promise<Snapshot> {
    this.#askedAt = performance.now();
    const snapshot = await this.#snapshot();
    if (this.#timer === null && !this.#signal.aborted) {
      this.#remember(snapshot);
      this.#timer = setInterval(() => this.#sample(), EVERY_MS).unref();
    }
    return snapshot;
  }

  /** Something was changed: the next one asks anew. */
  expire(): void {
    this.#latest = null;
  }

  /** What was remembered after a time, in milliseconds since 1970. */
  since(at: number): readonly Snapshot[] {
    return this.#samples.filter((sample) => sample.at > at);
  }

  #snapshot(): Promise<Snapshot> {
    if (this.#latest !== null && performance.now() < this.#freshUntil) return this.#latest;
    this.#freshUntil = Infinity;
    const since = performance.now();
    const latest = this.#ask();
    this.#latest = latest;
    const settled = (isGood: boolean) => {
      if (this.#latest !== latest) return;
      const now = performance.now();
      this.#freshUntil = isGood ? now + Math.max(FRESH_MS, FRESH_TIMES * (now - since)) : 0;
    };
    latest.then(
      () => settled(true),
      () => settled(false),
    );
    return latest;
  }

  async #ask(): Promise<Snapshot> {
    const numbers = await numbersOf(this.#store);
    const newest = await this.#store.query('list', { limit: NEWEST });
    const sent = newest.filter(({ state }) => state === 'sent');
    const delays = sent.map(({ createdAt, changedAt }) => changedAt - createdAt).toSorted((a, b) => a - b);
    return { at: Date.now(), ...numbers, delays };
  }

  #sample(): void {
    if (performance.now() - this.#askedAt > MOST * EVERY_MS) this.#stop();
    else
      this.#snapshot().then(
        (snapshot) => this.#remember(snapshot),
        () => {}, // a gap; whoever looks is told
      );
  }

  #remember(snapshot: Snapshot): void {
    if (this.#samples.at(-1) === snapshot) return;
    this.#samples.push(snapshot);
    const oldest = Date.now() - MOST * EVERY_MS;
    while (this.#samples.length > MOST || (this.#samples[0]?.at ?? oldest) < oldest) this.#samples.shift();
  }

  #stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}
