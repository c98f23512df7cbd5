import { addAbortListener, removeAbortListener } from './abort-listeners.ts';
import { type Clock, SYSTEM_CLOCK } from './clock.ts';
import { RateWindow, WINDOWS_MS } from './rate-window.ts';
import type { Rates } from './rates.ts';

/** The options of a {@link RateLimiter}; without `perSecond` there is no limit to that until one is set or learnt. */
export interface RateLimiterOptions extends Rates {
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
 * throttled requests; they also lower a known rate for a while, as others may use the same account. Longer times have limits of
 * their own, which are not spread.
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
  readonly #windows: readonly RateWindow[];
  /** The requests of the last second, oldest first. */
  readonly #recent: { at: number; count: number }[] = [];
  /** Their sum, kept because an account may send thousands per second. */
  #recentCount = 0;
  #pausedUntil = Number.NEGATIVE_INFINITY;
  #throttledAt = Number.NEGATIVE_INFINITY;
  /** Consecutive pauses. */
  #pauses = 0;
  #mustLearn = false;
  /** Recipients accepted in this second and the one before, while no rate is known. */
  readonly #accepted = { since: 0, count: 0, before: 0 };

  constructor(options: RateLimiterOptions = {}) {
    const { perSecond, burst = 1, clock = SYSTEM_CLOCK, random = Math.random } = options;
    this.#burst = burst;
    this.#clock = clock;
    this.#random = random;
    const { perMinute: minute, perHour: hour, perDay: day } = options;
    this.#windows = Object.entries({ minute, hour, day }).flatMap(
      ([name, max]) =>
        max === undefined ? [] : [new RateWindow(name, WINDOWS_MS[name as keyof typeof WINDOWS_MS], max)], // the keys of just above
    );
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
    return Math.min(this.#availableInSecond(now), ...this.#windows.map((window) => window.left(now)));
  }

  /** How many more may go in this minute, hour and day, as far as these are limited. */
  get left(): Readonly<Partial<Record<'minute' | 'hour' | 'day', number>>> {
    const now = this.#clock.now();
    return Object.fromEntries(this.#windows.map((window) => [window.name, window.left(now)]));
  }

  #availableInSecond(now: number): number {
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

  /** How long `count` recipients would wait if nobody waited before them, in milliseconds; at most 0: not at all. */
  waitOf(count: number): number {
    return this.#waitAt(this.#clock.now(), count);
  }

  /** How long `count` recipients would wait behind all who wait now, in milliseconds; at most 0: not at all. */
  waitInLine(count: number): number {
    let ahead = 0;
    for (const waiter of this.#waiting) ahead += waiter.count;
    return this.waitOf(count + ahead) + (ahead * SECOND) / this.#rate;
  }

  /** Takes the turn of `count` recipients if they may go now, and nobody waits before them. */
  tryNow(count: number): boolean {
    const now = this.#clock.now();
    if (this.#waiting.size > 0 || this.#waitAt(now, count) > 0) return false;
    this.#take(count, now, 0);
    return true;
  }

  /** Takes the turn of `count` recipients now, before all who wait: they cannot go on while the thread is blocked. */
  takeNow(count: number): void {
    this.#take(count, this.#clock.now(), 0);
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
      const wait = this.#waitAt(now, waiter.count);
      if (wait > 0) {
        this.#cancelWake = this.#clock.wakeAfter(wait, () => this.#admit(LATE_TIMER_MS));
        return;
      }
      if (this.#mustLearn) this.#learnRate();
      this.#waiting.delete(waiter);
      this.#take(waiter.count, now, lateMs);
      waiter.grant(now);
    }
  }

  #waitAt(now: number, count: number): number {
    const inAdvance = ((this.#burst - 1) * SECOND) / this.#rate;
    let at = Math.max(this.#paidAt - inAdvance, this.#pausedUntil, this.#roomAt(count, now));
    for (const window of this.#windows) at = Math.max(at, window.roomAt(count, now));
    return at - now;
  }

  #take(count: number, now: number, lateMs: number): void {
    this.#paidAt = Math.max(this.#paidAt, now - lateMs) + (count * SECOND) / this.#rate;
    for (const window of this.#windows) window.add(count, now);
    if (this.#rate === Number.POSITIVE_INFINITY) return;
    this.#recentCount += count;
    const latest = this.#recent.at(-1);
    if (latest === undefined || now - latest.at >= 1) this.#recent.push({ at: now, count });
    else {
      latest.at = now; // those of a millisecond count as one, or thousands a second would be many
      latest.count += count;
    }
  }
}
