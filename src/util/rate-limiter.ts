import { addAbortListener, removeAbortListener } from './abort-listeners.ts';
import { type Clock, SYSTEM_CLOCK } from './clock.ts';

/** The options of a {@link RateLimiter}. */
export interface RateLimiterOptions {
  /** Recipients per second; default: no limit, until one is set or learnt. */
  readonly perSecond?: number;
  /** Recipients that may go at once after a pause; default 1: they are spread evenly. */
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
/** The factor for the rate after a throttled request, and what each accepted recipient adds to it. */
const DECREASE = 0.8;
const INCREASE = 0.1;

/**
 * Limits the rate of recipients, in order of arrival.
 *
 * A request starts when no time is owed, and then owes the time that its recipients take at the rate. It also waits until the
 * second that ends with it holds at most the rate, or only this request. An unknown rate is unlimited and is learnt from
 * throttled requests; they also lower a known rate for a while, as others may use the same account.
 */
export class RateLimiter {
  readonly #burst: number;
  readonly #clock: Clock;
  readonly #random: () => number;
  /** In order of arrival; a Set, as a waiter that gives up is removed from the middle. */
  readonly #waiting = new Set<Waiter>();
  #cancelWake: (() => void) | null = null;
  #limit = Number.POSITIVE_INFINITY;
  #rate = Number.POSITIVE_INFINITY;
  /** When no more time is owed. */
  #paidAt = Number.NEGATIVE_INFINITY;
  /** The requests of the last second, oldest first. */
  readonly #recent: { readonly at: number; readonly count: number }[] = [];
  /** Their sum, kept because an account may send thousands per second. */
  #recentCount = 0;
  #pausedUntil = Number.NEGATIVE_INFINITY;
  #throttledAt = Number.NEGATIVE_INFINITY;
  /** Consecutive pauses. */
  #pauses = 0;
  #mustLearn = false;
  /** Recipients accepted in this second and the one before, while no rate is known. */
  readonly #accepted = { since: 0, count: 0, before: 0 };

  constructor({ perSecond, burst = 1, clock = SYSTEM_CLOCK, random = Math.random }: RateLimiterOptions = {}) {
    this.#burst = burst;
    this.#clock = clock;
    this.#random = random;
    if (perSecond !== undefined) this.setLimit(perSecond);
  }

  /** The current recipients per second; Infinity while unknown. */
  get rate(): number {
    return this.#rate;
  }

  /** How many recipients could go now, one by one; Infinity while the rate is unknown. */
  get available(): number {
    const now = this.#clock.now();
    if (this.#waiting.size > 0 || this.#pausedUntil > now) return 0;
    if (this.#rate === Number.POSITIVE_INFINITY) return this.#rate;
    this.#forgetOld(now);
    const unspent = Math.min(this.#burst, this.#burst + ((now - this.#paidAt) * this.#rate) / SECOND);
    return Math.max(0, Math.floor(Math.min(unspent, this.#mostInSecond - this.#recentCount)));
  }

  /** Sets the limit, in recipients per second; a lowered rate stays until it has recovered. */
  setLimit(perSecond: number): void {
    this.#limit = perSecond;
    this.#rate = Math.min(this.#rate, perSecond);
    this.#admit();
  }

  /** Waits until `count` recipients may go and returns that time; rejects with the signal's reason if it aborts first. */
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

  /** Records that the service accepted `count` recipients of the request granted at `grantedAt`. */
  accepted(grantedAt: number, count: number): void {
    if (grantedAt > this.#throttledAt) this.#pauses = 0;
    if (this.#rate === Number.POSITIVE_INFINITY) this.#countAccepted(count);
    else this.#rate = Math.min(this.#limit, this.#rate + count * INCREASE);
  }

  /** Records that the service throttled the request granted at `grantedAt`: all wait, longer each time, and continue more slowly. */
  throttled(grantedAt: number): void {
    if (grantedAt <= this.#throttledAt) return; // granted before the last pause, so it says nothing about the rate since
    // How many were accepted is known only after the pause, when pending answers have arrived.
    if (this.#rate === Number.POSITIVE_INFINITY) this.#mustLearn = true;
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
    this.#mustLearn = false;
    const { count, before } = this.#accepted;
    this.#rate = Math.min(this.#limit, Math.max(1, Math.max(count, before) * DECREASE));
  }

  #forgetOld(now: number): void {
    for (let [oldest] = this.#recent; oldest !== undefined && oldest.at <= now - SECOND; [oldest] = this.#recent) {
      this.#recentCount -= oldest.count;
      this.#recent.shift();
    }
  }

  /** When the last second has room for `count`. */
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

  /** @param lateMs how late a timer may call it, in milliseconds */
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
      if (this.#mustLearn) this.#learnRate();
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
