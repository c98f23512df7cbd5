import type { Count, MailState, Pause } from './store.ts';

/** How many mails an outbox has. */
export interface OutboxStats {
  /** By lane, then by state; what there is none of is left out. */
  readonly lanes: Readonly<Record<string, Readonly<Partial<Record<MailState, number>>>>>;
  /** How long the mail has been due that waits the longest, in milliseconds; 0 when none is due. */
  readonly oldestMs: number;
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

export function statsOf(counts: readonly Count[], paused: readonly Pause[]): OutboxStats {
  const lanes: Record<string, Partial<Record<MailState, number>>> = {};
  let oldest = 0;
  for (const { lane, state, count, oldestMs } of counts) {
    lanes[lane] = { ...lanes[lane], [state]: count };
    if (state === 'queued') oldest = Math.max(oldest, oldestMs ?? 0);
  }
  return { lanes, oldestMs: oldest, paused };
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
