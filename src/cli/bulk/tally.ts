import { OUTCOMES, type Outcome } from './row-outcome.ts';

/** How many rows have come to which end. */
export type Counts = Readonly<Record<Outcome, number>>;

/** Counts ends. */
export class Tally {
  readonly counts: Record<Outcome, number> = {
    sent: 0,
    queued: 0,
    invalid: 0,
    rejected: 0,
    failed: 0,
    unknown: 0,
    unsent: 0,
  };

  add(outcome: Outcome): void {
    this.counts[outcome]++;
  }
}

/** `9,990 sent, 3 invalid, 4 unknown`: what there is of each, the sent always. */
export function formatCounts(counts: Counts): string {
  return OUTCOMES.filter((outcome) => outcome === 'sent' || counts[outcome] > 0)
    .map((outcome) => `${formatCount(counts[outcome])} ${outcome}`)
    .join(', ');
}

/** A number with its thousands apart. */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}
