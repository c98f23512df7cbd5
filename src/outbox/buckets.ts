import { parseObject } from '../util/json.ts';
import { RateWindow, WINDOWS_MS, type WindowPart } from '../util/rate-window.ts';
import type { Rates } from '../util/rates.ts';
import type { BucketRates, Left } from './store.ts';

/** How late workers may ask without the rate being missed, in milliseconds: they are told a time, and come a little after that. */
const LATE_MS = 100;
/** When it is looked again whether others have left room in an account, in milliseconds. */
const OTHERS_MS = 600_000;
/**
 * For so long what a provider tells can only be more than was told last, in milliseconds: other processes have asked, perhaps before
 * what has gone since.
 */
const TOLD_MS = OTHERS_MS / 2;
/** Room is kept for one that has waited when there is some within this time, and so long after that, in milliseconds. */
const LONGEST_KEPT_MS = 61_000;
const KEPT_MS = 2_000;
/** How soon others ask again that wait for it, in milliseconds. */
const ASK_AGAIN_MS = 20;
const SECOND = 1_000;
const LENGTHS_MS = { second: SECOND, ...WINDOWS_MS } as const;

type WindowName = keyof typeof LENGTHS_MS;

/** What a store keeps of a bucket, as JSON. */
interface Kept {
  /** When it was last taken from. */
  readonly at: number;
  /** When no more time is owed, and the rate by which that was reckoned. */
  readonly paidAt: number;
  readonly perSecond: number | null;
  /** When the account's provider told of others. */
  readonly toldAt: number;
  /** The places that room is kept for, and when there is some; null for none. */
  readonly room: readonly [count: number, at: number] | null;
  /** Of each window its limit, how many of it others have used, the number of its first part since 1970, and what went in each part from there on. */
  readonly windows: Readonly<Partial<Record<WindowName, KeptWindow>>>;
}

/** A limit of null is none: the rates of another worker, or of another time, have one. */
type KeptWindow = readonly [max: number | null, others: number, first: number, ...counts: number[]];

const NOTHING: Kept = { at: 0, paidAt: 0, perSecond: null, toldAt: 0, room: null, windows: {} };

/** What becomes of buckets that are asked for places. */
export interface Taken {
  /** 0 when the places were taken, else how long to wait, in milliseconds. */
  readonly waitMs: number;
  /** What is to be kept of each bucket from now on, in the same order; null for what was kept before. */
  readonly kept: readonly string[] | null;
}

/**
 * Takes places from all buckets, or from none; for stores, which keep a text of each bucket and call it in one transaction, or write
 * only where the texts are still those that it was called with.
 *
 * @param kept the text of each bucket; empty before the first
 * @param now by the store's clock, in milliseconds since 1970; where it was put back, what went before counts as just gone
 */
export function takePlaces(kept: readonly string[], rates: readonly BucketRates[], count: number, now: number): Taken {
  const buckets = rates.map((each, place) => new Bucket(readKept(kept[place] ?? ''), each, now));
  const waitMs = Math.ceil(Math.max(0, ...buckets.map((bucket) => bucket.waitMs(count))));
  if (waitMs === 0) for (const bucket of buckets) bucket.add(count);
  else {
    const changes = buckets.map((bucket) => bucket.keepRoom(count) || bucket.isNews);
    if (!changes.includes(true)) return { waitMs, kept: null };
  }
  return { waitMs, kept: buckets.map((bucket) => bucket.text) };
}

/** What a bucket has left in each of its windows; for stores, which keep its text. @param now as in {@link takePlaces} */
export function placesLeft(kept: string, now: number): Left {
  const told = readKept(kept);
  const max = (name: WindowName) => told.windows[name]?.[0] ?? undefined;
  const limits = { perMinute: max('minute'), perHour: max('hour'), perDay: max('day') };
  const rates = Object.fromEntries(Object.entries(limits).filter(([, limit]) => limit !== undefined));
  return new Bucket(told, rates, now).left;
}

function readKept(text: string): Kept {
  const kept = parseObject(text);
  return kept === null ? NOTHING : { ...NOTHING, ...kept }; // as `text` below writes it
}

class Bucket {
  /** Whether it is to be kept without being taken from, too: its account was asked for, or the clock was put back. */
  readonly isNews: boolean;
  readonly #now: number;
  readonly #perSecond: number | null;
  readonly #inAdvanceMs: number;
  readonly #windows: readonly RateWindow[];
  /** What others have used of the account's day. */
  readonly #others: number;
  readonly #toldAt: number;
  readonly #isOverdue: boolean;
  #room: Kept['room'];
  #paidAt: number;

  constructor(kept: Kept, rates: Rates & Pick<BucketRates, 'sentInDay' | 'isOverdue'>, now: number) {
    const { perSecond = null, perMinute, perHour, perDay, burst = 1, sentInDay, isOverdue = false } = rates;
    const roomMs = (kept.room?.[1] ?? now) - now;
    this.#room = roomMs > -KEPT_MS && roomMs <= LONGEST_KEPT_MS ? kept.room : null;
    this.#isOverdue = isOverdue;
    this.isNews = sentInDay !== undefined || kept.at > now;
    this.#now = now;
    this.#perSecond = perSecond;
    this.#inAdvanceMs = perSecond === null ? 0 : ((burst - 1) * SECOND) / perSecond;
    const paidAt = kept.paidAt - Math.max(0, kept.at - now);
    this.#paidAt = perSecond === kept.perSecond ? paidAt : 0; // what was owed by another rate is not owed by this one
    const second = perSecond === null ? undefined : Math.max(perSecond, burst);
    const limits = Object.entries({ second, minute: perMinute, hour: perHour, day: perDay });
    const windows = limits.flatMap(([key, max]) => {
      const name = key as WindowName; // the keys of just above
      // What went is not forgotten where other rates have no such limit.
      const isKept = max !== undefined || kept.windows[name] !== undefined;
      return isKept ? [windowOf(name, max ?? Number.POSITIVE_INFINITY, kept, now)] : [];
    });
    const day = windows.find(({ name }) => name === 'day');
    const own = day?.parts(now).reduce((sum, part) => sum + part.count, 0) ?? 0;
    const known = kept.windows.day?.[1] ?? 0;
    const isLate = sentInDay === undefined || (kept.toldAt <= now && now - kept.toldAt < TOLD_MS);
    this.#others = Math.max((sentInDay ?? 0) - own, isLate ? known : 0);
    this.#toldAt = isLate ? kept.toldAt : now;
    this.#windows = windows.map((window) =>
      window === day && this.#others > 0
        ? new RateWindow('day', window.lengthMs, window.max - this.#others, window.parts(now))
        : window,
    );
  }

  get left(): Left {
    const windows = this.#windows.filter(({ name, max }) => name !== 'second' && Number.isFinite(max));
    return Object.fromEntries(windows.map((window) => [window.name, window.left(this.#now)]));
  }

  /** At most 0 when `count` may go. */
  waitMs(count: number): number {
    const ownMs = this.#ownWaitMs(count);
    if (this.#room === null || (this.#isOverdue && this.#room[0] === count)) return ownMs;
    return Math.max(ownMs, this.#room[1] - this.#now, ASK_AGAIN_MS);
  }

  /** Keeps room for what has waited long: else many that need less, of other workers, would always be before it. Whether it did. */
  keepRoom(count: number): boolean {
    const ms = this.#ownWaitMs(count);
    if (!this.#isOverdue || this.#room !== null || ms <= 0 || ms > LONGEST_KEPT_MS) return false;
    this.#room = [count, this.#now + Math.ceil(ms)];
    return true;
  }

  #ownWaitMs(count: number): number {
    const waits = this.#windows.map((window) => {
      // More than ever fit go alone, but not where it is others that have left too little.
      const isKeptByOthers = window.name === 'day' && this.#others > 0 && count > window.max;
      return isKeptByOthers ? OTHERS_MS : window.roomAt(count, this.#now) - this.#now;
    });
    return Math.max(this.#paidAt - this.#inAdvanceMs - this.#now, ...waits);
  }

  add(count: number): void {
    this.#room = null;
    for (const window of this.#windows) window.add(count, this.#now);
    if (this.#perSecond === null) return;
    const isLate = this.#now - this.#paidAt <= LATE_MS;
    this.#paidAt = (isLate ? this.#paidAt : this.#now) + (count * SECOND) / this.#perSecond;
  }

  get text(): string {
    const windows = this.#windows.flatMap((window) => {
      const others = window.name === 'day' ? this.#others : 0;
      const max = Number.isFinite(window.max) ? window.max + others : null;
      const isEmpty = max === null && others === 0 && window.parts(this.#now).length === 0;
      return isEmpty ? [] : [[window.name, [max, others, ...countsOf(window, this.#now)]]];
    });
    const paidAt = Math.round(this.#paidAt * 1_000) / 1_000; // to the millisecond, 300 a second would be 250
    const kept = { at: this.#now, paidAt, perSecond: this.#perSecond, toldAt: this.#toldAt };
    return JSON.stringify({ ...kept, room: this.#room, windows: Object.fromEntries(windows) } satisfies Kept);
  }
}

function windowOf(name: WindowName, max: number, { at, windows }: Kept, now: number): RateWindow {
  const lengthMs = LENGTHS_MS[name];
  const [, , first = 0, ...counts] = windows[name] ?? [];
  const { partMs } = new RateWindow(name, lengthMs, max);
  const put = at > now ? Math.floor(at / partMs) - Math.floor(now / partMs) : 0;
  const parts = counts.map((count, place): WindowPart => ({ end: (first - put + place + 1) * partMs, count }));
  const filled = parts.filter(({ count }) => count > 0);
  return new RateWindow(name, lengthMs, max, filled);
}

/** The number of the first part, and what went in each from there on. */
function countsOf(window: RateWindow, now: number): readonly number[] {
  const parts = window.parts(now);
  const first = parts.length === 0 ? 0 : (parts[0]?.end ?? 0) / window.partMs - 1;
  const counts: number[] = [];
  for (const { end, count } of parts) {
    const place = end / window.partMs - 1 - first;
    while (counts.length < place) counts.push(0);
    counts.push(count);
  }
  return [first, ...counts];
}
