import type { EmailError } from '../../model/errors.ts';
import { failureOf, UsageError } from '../failure.ts';
import { type Color, formatCount, type Output, STATUS_COLORS } from '../output.ts';
import { type Counts, formatCounts, type Outcome } from './row-outcome.ts';
import type { RowReport } from './run-plan.ts';
import { SIGNALS, type StopSignal } from './stop-signals.ts';

/** The result of a run. */
export interface BulkReport {
  readonly isTrial: boolean;
  /** The journal's path. */
  readonly journal: string;
  /** The rows that earlier runs finished. */
  readonly before: Counts;
  /** All rows. */
  readonly counts: Counts;
  /** Rows that were not sent, may not have been, or did not reach everybody. */
  readonly problems: readonly RowReport[];
  /** Rows whose address appears in an earlier row; `--unique` leaves them out. */
  readonly repeated: number;
  readonly signal: StopSignal | null;
  /** Why the run gave up. */
  readonly outage: EmailError | UsageError | null;
}

/** Rows listed in the terminal; JSON has all. */
const MAX_LISTED = 20;
const COLORS: Readonly<Record<Outcome, Color>> = { ...STATUS_COLORS, unsent: 'dim' };

/** 0: all sent; 128 + the number of the signal that stopped the run; 75: the same command may send more; 2: an option is missing; else 1. */
export function exitCodeOf({ counts, problems, signal, outage }: Omit<BulkReport, 'isTrial' | 'journal'>): number {
  if (signal !== null) return 128 + SIGNALS[signal];
  if (outage instanceof UsageError) return 2;
  const isMore = problems.some(({ retryable }) => retryable) || (counts.unsent > 0 && outage?.retryable === true);
  if (isMore) return 75;
  return problems.length > 0 || counts.unsent > 0 ? 1 : 0;
}

/** Prints how many rows had each outcome, which were not sent, and what can be done. */
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
  // Rows in doubt come first: only the user can decide about them.
  const listed = problems.toSorted((a, b) => Number(b.outcome === 'unknown') - Number(a.outcome === 'unknown'));
  output.table(
    listed
      .slice(0, MAX_LISTED)
      .map(({ outcome, line, to, code, response, missed }) => [
        [COLORS[outcome], outcome],
        `line ${line}`,
        to,
        missed ? `but not ${missed.join('; ')}` : [code, response].filter((part) => part !== null).join(' '),
      ]),
  );
  if (listed.length > MAX_LISTED)
    output.line(`... and ${formatCount(listed.length - MAX_LISTED)} more: --json lists all`);
  const shown = { ...counts, sent: isTrial ? before.sent : counts.sent };
  const summary = [
    ...(isTrial ? [`${formatCount(counts.sent - before.sent)} would be sent`] : []),
    `${formatCounts(shown)}${earlier > 0 ? ` (${formatCount(earlier)} before)` : ''}`,
  ];
  output.line(summary.join(', '));
  if (failure !== null) output.note(failure.line);
  if (counts.unknown > 0)
    output.note('unknown: these may or may not have been sent; --resend-unknown sends them again');
  if (counts.failed + counts.unsent > 0 && !isTrial)
    output.note('failed, unsent: certainly not sent; the same command tries them again');
}
