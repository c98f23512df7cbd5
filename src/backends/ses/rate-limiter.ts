import { addAbortListener, removeAbortListener } from '../../util/abort-listeners.ts';

/** When a reservation was granted, in milliseconds of `performance.now()`. */
export type Ticket = number;

interface Waiter {
  readonly count: number;
  grant(ticket: Ticket): void;
}

const SECOND = 1_000;
/** What a late timer may be made up for, in milliseconds' worth of the rate. */
const BURST_MS = 100;
const FIRST_PAUSE_MS = 250;
const MAX_PAUSE_MS = 20_000;
/** What is left of the rate after a throttled request, and how much of it comes back in a second of success. */
const DECREASE = 0.8;
const INCREASE = 0.1;

/**
 * Lets recipients go at an account's rate, first come, first served.
 *
 * A request goes when the account is not in debt and puts it into debt by its recipients, as SES counts; it waits, too, until
 * the second that ends with it holds no more than the rate, or nothing but it. Until the rate
 * is known it is unlimited, and learnt from throttled requests; others may use the same account, so that a known rate is
 * lowered by them too.
 */
export class RateLimiter {
  readonly #queue: Waiter[] = [];
  #limit = Number.POSITIVE_INFINITY;
  #rate = Number.POSITIVE_INFINITY;
  #paidUntil = Number.NEGATIVE_INFINITY;
  /** What went in the last second, the oldest first. */
  readonly #recent: { readonly at: Ticket; readonly count: number }[] = [];
  /** The sum of it: an account may send thousands a second, and each asks. */
  #recentCount = 0;
  #pausedUntil = Number.NEGATIVE_INFINITY;
  #lastCut = Number.NEGATIVE_INFINITY;
  #cuts = 0;
  #learns = false;
  #timer: ReturnType<typeof setTimeout> | null = null;
  readonly #accepted = { since: 0, count: 0, before: 0 };

  /** Recipients a second; Infinity when nothing is known. */
  get rate(): number {
    return this.#rate;
  }

  /** The account's own limit in recipients a second. */
  setLimit(perSecond: number): void {
    this.#limit = perSecond;
    this.#rate = Math.min(this.#rate, perSecond);
    this.#pump();
  }

  /** Waits for the turn of `count` recipients; rejects with the signal's reason when it aborts before. */
  reserve(count: number, signal: AbortSignal | undefined): Promise<Ticket> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#queue.splice(this.#queue.indexOf(waiter), 1);
        this.#pump();
        reject(signal?.reason);
      };
      const waiter: Waiter = {
        count,
        grant: (ticket) => {
          removeAbortListener(signal, onAbort);
          resolve(ticket);
        },
      };
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      addAbortListener(signal, onAbort);
      this.#queue.push(waiter);
      if (this.#queue.length === 1) this.#pump();
    });
  }

  /** Tells that SES took `count` recipients of a request. */
  accepted(ticket: Ticket, count: number): void {
    if (ticket > this.#lastCut) this.#cuts = 0;
    if (this.#rate !== Number.POSITIVE_INFINITY) this.#rate = Math.min(this.#limit, this.#rate + count * INCREASE);
    else this.#observe(count);
  }

  /** Tells that SES refused a request because of the rate: everything pauses, longer each time, and goes on slower. */
  throttled(ticket: Ticket): void {
    if (ticket <= this.#lastCut) return; // it left before the last cut, and says nothing of the rate since
    const now = performance.now();
    // What was accepted is known when the answers that are still on their way are there: after the pause.
    if (this.#rate === Number.POSITIVE_INFINITY) this.#learns = true;
    else this.#rate = Math.max(1, this.#rate * DECREASE);
    this.#lastCut = now;
    const pause = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#cuts++);
    this.#pausedUntil = now + pause * (0.5 + Math.random() / 2);
    this.#pump();
  }

  #learn(): void {
    this.#learns = false;
    const { count, before } = this.#accepted;
    this.#rate = Math.min(this.#limit, Math.max(1, Math.max(count, before) * DECREASE));
  }

  /** Counts what was accepted in this and the last second, while no rate is known. */
  #observe(count: number): void {
    const now = performance.now();
    const seen = this.#accepted;
    if (now - seen.since >= SECOND) {
      seen.before = now - seen.since < 2 * SECOND ? seen.count : 0;
      seen.count = 0;
      seen.since = now;
    }
    seen.count += count;
  }

  /** When the second before has room for so many, in milliseconds of `performance.now()`. */
  #roomAt(count: number, now: number): number {
    for (let [oldest] = this.#recent; oldest !== undefined && oldest.at <= now - SECOND; [oldest] = this.#recent) {
      this.#recentCount -= oldest.count;
      this.#recent.shift();
    }
    let sum = this.#recentCount;
    let at = Number.NEGATIVE_INFINITY;
    for (const sent of this.#recent) {
      if (sum + count <= this.#rate) break;
      at = sent.at + SECOND;
      sum -= sent.count;
    }
    return at;
  }

  /** @param lateMs how late it may be, in milliseconds, when it was called by a timer */
  #pump(lateMs = 0): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    for (let [next] = this.#queue; next !== undefined; [next] = this.#queue) {
      const now = performance.now();
      const wait = Math.max(this.#paidUntil, this.#pausedUntil, this.#roomAt(next.count, now)) - now;
      if (wait > 0) {
        this.#timer = setTimeout(() => this.#pump(BURST_MS), Math.ceil(wait));
        return;
      }
      if (this.#learns) this.#learn();
      this.#queue.shift();
      this.#paidUntil = Math.max(this.#paidUntil, now - lateMs) + (next.count * SECOND) / this.#rate;
      if (this.#rate !== Number.POSITIVE_INFINITY) {
        this.#recent.push({ at: now, count: next.count });
        this.#recentCount += next.count;
      }
      next.grant(now);
    }
  }
}
