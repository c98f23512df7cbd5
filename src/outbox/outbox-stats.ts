import type { Rates } from '../util/rates.ts';
import { ACCOUNT, bucketOf, laneOf } from './limits.ts';
import type { BucketLeft, Count, Left, MailState, OutboxStore, Pause } from './store.ts';

/** How many mails an outbox has. */
export interface OutboxStats {
  /** By lane, then by state; what there is none of is left out. */
  readonly lanes: Readonly<Record<string, Readonly<Partial<Record<MailState, number>>>>>;
  /** How long the mail has been due that waits the longest, in milliseconds; 0 when none is due. */
  readonly oldestMs: number;
  /** How many recipients more may go, by lane, of those whose rates have a minute, an hour or a day. */
  readonly left: Readonly<Record<string, Left>>;
  /** The same of the account that all lanes send over, as far as its provider tells. */
  readonly accountLeft: Left;
  /** The lanes that wait for a fault to be mended, and why. */
  readonly paused: readonly Pause[];
}

/** Whether somebody should look at an outbox. */
export interface OutboxHealth {
  /** `ok` as long as no mail is in doubt and no lane is paused. */
  readonly status: 'ok' | 'attention';
  /** As in {@link OutboxStats}. */
  readonly oldestMs: number;
  /** How many mails wait for a decision. */
  readonly inDoubt: number;
  /** How many have failed and are still kept. */
  readonly failed: number;
  /** The names of the lanes. */
  readonly paused: readonly string[];
}

/** What has been read of a store. */
export interface StoreNumbers {
  readonly counts: readonly Count[];
  readonly paused: readonly Pause[];
  readonly left: readonly BucketLeft[];
}

/** One after the other: each is work for the store. */
export async function numbersOf(store: OutboxStore): Promise<StoreNumbers> {
  const counts = await store.query('counts', {});
  return { counts, paused: await store.query('pauses', {}), left: await store.query('left', {}) };
}

/** What is left by lane: all, where nothing has gone yet. Other processes may have lanes that are not in `rates`. */
export function leftByLane(left: StoreNumbers['left'], rates: ReadonlyMap<string, Rates | null>): OutboxStats['left'] {
  const limits = [...rates].map(([lane, each]): BucketLeft => {
    const { perMinute: minute, perHour: hour, perDay: day } = each ?? {};
    const given = Object.entries({ minute, hour, day }).filter(([, max]) => max !== undefined);
    return { bucket: bucketOf(lane), left: Object.fromEntries(given) };
  });
  const lanes: Record<string, Left> = {};
  for (const { bucket, left: windows } of [...limits, ...left]) {
    const lane = laneOf(bucket);
    if (lane !== null && Object.keys(windows).length > 0) lanes[lane] = { ...lanes[lane], ...windows };
  }
  return lanes;
}

export function accountLeftOf(left: StoreNumbers['left']): Left {
  return left.find(({ bucket }) => bucket === ACCOUNT)?.left ?? {};
}

export function statsOf({ counts, paused, left }: StoreNumbers, rates: ReadonlyMap<string, Rates | null>): OutboxStats {
  const lanes: Record<string, Partial<Record<MailState, number>>> = {};
  let oldest = 0;
  for (const { lane, state, count, oldestMs } of counts) {
    lanes[lane] = { ...lanes[lane], [state]: count };
    if (state === 'queued') oldest = Math.max(oldest, oldestMs ?? 0);
  }
  return { lanes, oldestMs: oldest, left: leftByLane(left, rates), accountLeft: accountLeftOf(left), paused };
}

export function healthOf({ lanes, oldestMs, paused }: OutboxStats): OutboxHealth {
  const sumOf = (state: MailState) => Object.values(lanes).reduce((sum, lane) => sum + (lane[state] ?? 0), 0);
  const inDoubt = sumOf('in-doubt');
  const isOk = inDoubt === 0 && paused.length === 0;
  return {
    status: isOk ? 'ok' : 'attention',
    oldestMs,
    inDoubt,
    failed: sumOf('failed'),
    paused: paused.map(({ lane }) => lane),
  };
}
