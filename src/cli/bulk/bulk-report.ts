import type { EmailError } from '../../errors.ts';
import { failureOf } from '../failure.ts';
import { type Color, type Output, STATUS_COLORS } from '../output.ts';
import { UsageError } from '../usage-error.ts';
import type { Outcome } from './row-outcome.ts';
import type { ToldRow } from './run-plan.ts';
import { SIGNALS, type StopSignal } from './stop-signals.ts';
import { type Counts, formatCount, formatCounts } from './tally.ts';

/** What a run has come to. */
export interface BulkReport {
  readonly isTrial: boolean;
  /** The journal's path. */
  readonly journal: string;
  /** What earlier runs had come to. */
  readonly before: Counts;
  /** Of all rows. */
  readonly counts: Counts;
  /** The rows that were not sent, or perhaps, or not to everybody. */
  readonly problems: readonly ToldRow[];
  /** Rows whose address stands in an earlier row: with `--unique` they are left out. */
  readonly repeated: number;
  readonly signal: StopSignal | null;
  /** Why the run stopped by itself. */
  readonly outage: EmailError | UsageError | null;
}

/** So many rows are listed for people; JSON has all. */
const LISTED = 20;
const COLORS: Readonly<Record<Outcome, Color>> = { ...STATUS_COLORS, unsent: 'dim' };

/** 0 all were sent; 128 and the signal's number when one came; 75 the same command may send more; 2 an option is missing; 1 otherwise. */
export function exitCodeOf({ counts, problems, signal, outage }: Omit<BulkReport, 'isTrial' | 'journal'>): number {
  if (signal !== null) return 128 + SIGNALS[signal];
  if (outage instanceof UsageError) return 2;
  const isMore = problems.some(({ retryable }) => retryable) || (counts.unsent > 0 && outage?.retryable === true);
  if (isMore) return 75;
  return problems.length > 0 || counts.unsent > 0 ? 1 : 0;
}

/** Tells how many rows came to which end, which ones were not sent, and what can be done. */
export function printReport(report: BulkReport, output: Output): void {
  const { isTrial, journal, before, counts, problems, repeated, signal, outage } = report;
  const failure = failureOf(outage);
  const earlier = before.sent + before.queued;
  output.json({
    ...(isTrial && { wouldSend: counts.sent - before.sent }),
    ...counts,
    ...(isTrial && { sent: before.sent }),
    sentBefore: earlier,
    repeated,
    signal,
    error: failure?.json ?? null,
    journal,
    rows: problems,
  });
  // The rows in doubt come first: they are the user's to decide.
  const listed = problems.toSorted((a, b) => Number(b.outcome === 'unknown') - Number(a.outcome === 'unknown'));
  output.table(
    listed
      .slice(0, LISTED)
      .map(({ outcome, line, to, code, response, missed }) => [
        [COLORS[outcome], outcome],
        `line ${line}`,
        to,
        missed ? `but not ${missed.join('; ')}` : [code, response].filter((part) => part !== null).join(' '),
      ]),
  );
  if (listed.length > LISTED) output.line(`... and ${formatCount(listed.length - LISTED)} more: --json lists all`);
  const shown = { ...counts, sent: isTrial ? before.sent : counts.sent };
  const told = [
    ...(isTrial ? [`${formatCount(counts.sent - before.sent)} would be sent`] : []),
    `${formatCounts(shown)}${earlier > 0 ? ` (${formatCount(earlier)} before)` : ''}`,
  ];
  output.line(told.join(', '));
  if (failure !== null) output.note(failure.line);
  if (counts.unknown > 0)
    output.note('unknown: these may or may not have been sent; --resend-unknown sends them again');
  if (counts.failed + counts.unsent > 0 && !isTrial)
    output.note('failed, unsent: certainly not sent; the same command tries them again');
}
