import { addAbortListener, removeAbortListener } from './abort-listeners.ts';
import { type Clock, SYSTEM_CLOCK } from './clock.ts';

/** What a {@link RateLimiter} is made with. */
export interface RateLimiterOptions {
  /** Recipients a second; default: no limit, until one is set or learnt. */
  readonly perSecond?: number;
  /** Recipients that may go together after a pause; default 1: they are spread evenly. */
  readonly burst?: number;
  /** Default: the clock of this process. */
  readonly clock?: Clock;
  /** From 0 to 1. */
  readonly random?: () => number;
}

interface Waiter {
  readonly count: number;
  grant(grantedAt: number): void;
}

const SECOND = 1_000;
/** How late a timer may be without the rate being missed, in milliseconds. */
const LATE_TIMER_MS = 100;
const FIRST_PAUSE_MS = 250;
const MAX_PAUSE_MS = 20_000;
/** What is left of the rate after a throttled request, and how much of it comes back with each recipient accepted. */
const DECREASE = 0.8;
const INCREASE = 0.1;

/**
 * Lets recipients go at a rate, first come, first served.
 *
 * A request goes when nothing is owed, and then owes the time its recipients take at the rate. It also waits until the second
 * that ends with it holds no more than the rate, or nothing but this request. A rate that is not known is unlimited, and is
 * learnt from requests that a service throttled; one that is known is lowered by them for a while, as others may use the same
 * account.
 */
export class RateLimiter {
  readonly #burst: number;
  readonly #clock: Clock;
  readonly #random: () => number;
  /** In the order they came; a Set, as whoever gives up leaves from the middle. */
  readonly #waiting = new Set<Waiter>();
  #cancelWake: (() => void) | null = null;
  #limit = Number.POSITIVE_INFINITY;
  #rate = Number.POSITIVE_INFINITY;
  /** When nothing will be owed. */
  #paidAt = Number.NEGATIVE_INFINITY;
  /** What went in the last second, the oldest first. */
  readonly #recent: { readonly at: number; readonly count: number }[] = [];
  /** The sum of it: an account may send thousands a second, and each asks. */
  #recentCount = 0;
  #pausedUntil = Number.NEGATIVE_INFINITY;
  #throttledAt = Number.NEGATIVE_INFINITY;
  /** Pauses in a row. */
  #pauses = 0;
  #isToLearn = false;
  /** Recipients accepted in this second and the one before, while no rate is known. */
  readonly #accepted = { since: 0, count: 0, before: 0 };

  constructor({ perSecond, burst = 1, clock = SYSTEM_CLOCK, random = Math.random }: RateLimiterOptions = {}) {
    this.#burst = burst;
    this.#clock = clock;
    this.#random = random;
    if (perSecond !== undefined) this.setLimit(perSecond);
  }

  /** Recipients a second at present; Infinity while nothing is known. */
  get rate(): number {
    return this.#rate;
  }

  /** How many could go now, one by one; Infinity while no rate is known. */
  get available(): number {
    const now = this.#clock.now();
    if (this.#waiting.size > 0 || this.#pausedUntil > now) return 0;
    if (this.#rate === Number.POSITIVE_INFINITY) return this.#rate;
    this.#forgetOld(now);
    const unspent = Math.min(this.#burst, this.#burst + ((now - this.#paidAt) * this.#rate) / SECOND);
    return Math.max(0, Math.floor(Math.min(unspent, this.#mostInSecond - this.#recentCount)));
  }

  /** Sets the limit, in recipients a second; a rate that was lowered stays until it has recovered. */
  setLimit(perSecond: number): void {
    this.#limit = perSecond;
    this.#rate = Math.min(this.#rate, perSecond);
    this.#admit();
  }

  /** Waits for the turn of `count` recipients and says when it came, by the clock; rejects with the signal's reason when it aborts before. */
  acquire(count: number, signal?: AbortSignal): Promise<number> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const onAbort = () => {
        this.#waiting.delete(waiter);
        this.#admit();
        reject(signal?.reason);
      };
      const waiter: Waiter = {
        count,
        grant: (grantedAt) => {
          removeAbortListener(signal, onAbort);
          resolve(grantedAt);
        },
      };
      addAbortListener(signal, onAbort);
      this.#waiting.add(waiter);
      if (this.#waiting.size === 1) this.#admit();
    });
  }

  /** Notes that the service accepted `count` recipients of the request that went at `grantedAt`. */
  accepted(grantedAt: number, count: number): void {
    if (grantedAt > this.#throttledAt) this.#pauses = 0;
    if (this.#rate === Number.POSITIVE_INFINITY) this.#countAccepted(count);
    else this.#rate = Math.min(this.#limit, this.#rate + count * INCREASE);
  }

  /** Notes that the service refused the request that went at `grantedAt` for the rate: all wait, longer each time, and go on slower. */
  throttled(grantedAt: number): void {
    if (grantedAt <= this.#throttledAt) return; // it went before the last pause, and says nothing of the rate since
    // What was accepted is known when the answers that are still on their way are there: after the pause.
    if (this.#rate === Number.POSITIVE_INFINITY) this.#isToLearn = true;
    else this.#rate = Math.max(Math.min(1, this.#limit), this.#rate * DECREASE);
    this.#throttledAt = this.#clock.now();
    const pause = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#pauses++);
    this.#pausedUntil = this.#throttledAt + pause * (0.5 + this.#random() / 2);
    this.#admit();
  }

  get #mostInSecond(): number {
    return Math.max(this.#rate, this.#burst);
  }

  #countAccepted(count: number): void {
    const now = this.#clock.now();
    const seen = this.#accepted;
    if (now - seen.since >= SECOND) {
      seen.before = now - seen.since < 2 * SECOND ? seen.count : 0;
      seen.count = 0;
      seen.since = now;
    }
    seen.count += count;
  }

  #learnRate(): void {
    this.#isToLearn = false;
    const { count, before } = this.#accepted;
    this.#rate = Math.min(this.#limit, Math.max(1, Math.max(count, before) * DECREASE));
  }

  #forgetOld(now: number): void {
    for (let [oldest] = this.#recent; oldest !== undefined && oldest.at <= now - SECOND; [oldest] = this.#recent) {
      this.#recentCount -= oldest.count;
      this.#recent.shift();
    }
  }

  /** When the second before has room for so many. */
  #roomAt(count: number, now: number): number {
    this.#forgetOld(now);
    let sum = this.#recentCount;
    let at = Number.NEGATIVE_INFINITY;
    for (const sent of this.#recent) {
      if (sum + count <= this.#mostInSecond) break;
      at = sent.at + SECOND;
      sum -= sent.count;
    }
    return at;
  }

  /** @param lateMs how late it may be called, in milliseconds, by a timer */
  #admit(lateMs = 0): void {
    this.#cancelWake?.();
    this.#cancelWake = null;
    for (const waiter of this.#waiting) {
      const now = this.#clock.now();
      const inAdvance = ((this.#burst - 1) * SECOND) / this.#rate;
      const wait = Math.max(this.#paidAt - inAdvance, this.#pausedUntil, this.#roomAt(waiter.count, now)) - now;
      if (wait > 0) {
        this.#cancelWake = this.#clock.wakeAfter(wait, () => this.#admit(LATE_TIMER_MS));
        return;
      }
      if (this.#isToLearn) this.#learnRate();
      this.#waiting.delete(waiter);
      this.#paidAt = Math.max(this.#paidAt, now - lateMs) + (waiter.count * SECOND) / this.#rate;
      if (this.#rate !== Number.POSITIVE_INFINITY) {
        this.#recent.push({ at: now, count: waiter.count });
        this.#recentCount += waiter.count;
      }
      waiter.grant(now);
    }
  }
}
