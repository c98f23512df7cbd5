import { UsageError } from '../failure.ts';
import type { BulkMail } from './bulk-mail.ts';
import type { JournalEntry, JournalState } from './journal-reader.ts';
import type { Person } from './read-people.ts';
import type { Outcome, RowResult } from './row-outcome.ts';

/** What is known of a row. */
export interface RowReport extends RowResult {
  readonly row: number;
  readonly line: number;
  readonly to: string;
}

const START_OVER = 'another --journal starts over, and sends to everybody';

/** Decides which rows a run sends, from the journal of earlier runs. */
export class RunPlan {
  readonly #mail: BulkMail;
  readonly #journal: JournalState;
  readonly #again: readonly Outcome[];
  readonly #path: string;

  /** @param again outcomes to send again, besides those that mean certainly not sent */
  constructor(mail: BulkMail, journal: JournalState, path: string, again: readonly Outcome[]) {
    this.#mail = mail;
    this.#journal = journal;
    this.#path = path;
    this.#again = again;
  }

  /**
   * The result of an earlier run when the row is not to be sent now; null when it is.
   *
   * Failed rows are tried again; refused ones when the row or the mail has changed.
   *
   * @throws {UsageError} when a row that was or may have been sent has changed since
   */
  earlierResult({ row, line, cells }: Person): RowReport | null {
    const entry = this.#journal.rows.get(row);
    if (entry === undefined || isOpen(entry.outcome)) return null;
    const isSame = entry.hash === this.#mail.hash(cells);
    if (!isSame && (entry.outcome === 'invalid' || entry.outcome === 'rejected')) return null;
    if (!isSame)
      throw new UsageError(
        `line ${line} or the mail has changed since this row was sent, or that run's mails were caught or redirected (${this.#path}): undo that; ${START_OVER}`,
      );
    if (this.#again.includes(entry.outcome)) return null;
    return { ...facts(entry), row, line, to: this.#mail.to(cells) };
  }

  /** @throws {UsageError} when rows that were sent are missing */
  checkCount(count: number): void {
    for (const [row, { outcome }] of this.#journal.rows) {
      if (row > count && !isOpen(outcome))
        throw new UsageError(`row ${row} was sent (${this.#path}) and is no longer there: undo that; ${START_OVER}`);
    }
  }
}

function isOpen(outcome: Outcome): boolean {
  return outcome === 'failed' || outcome === 'unsent';
}

function facts({ outcome, code, response }: JournalEntry): RowResult {
  return { outcome, code, response, retryable: false };
}
