import { UsageError } from '../usage-error.ts';
import type { BulkMail } from './bulk-mail.ts';
import type { JournalEntry, JournalState } from './journal-reader.ts';
import type { Person } from './read-people.ts';
import type { Outcome, RowResult } from './row-outcome.ts';

/** A row that is not sent now, and what is known of it. */
export interface ToldRow extends RowResult {
  readonly row: number;
  readonly line: number;
  readonly to: string;
}

const ANEW = 'another --journal begins anew, and sends to everybody';

/** Which rows a run sends, by what earlier runs have left. */
export class RunPlan {
  readonly #mail: BulkMail;
  readonly #journal: JournalState;
  readonly #again: readonly Outcome[];
  readonly #path: string;

  /** @param again which rows of earlier runs are sent again, besides those that certainly were not sent */
  constructor(mail: BulkMail, journal: JournalState, path: string, again: readonly Outcome[]) {
    this.#mail = mail;
    this.#journal = journal;
    this.#path = path;
    this.#again = again;
  }

  /**
   * What earlier runs say of a row that is not to be sent now; null: it is.
   *
   * What was certainly not sent is tried again when it failed, and when it was refused and the row or mail is another one now.
   *
   * @throws {UsageError} when something was sent, or may have been, that was not what stands there now.
   */
  told({ row, line, cells }: Person): ToldRow | null {
    const entry = this.#journal.rows.get(row);
    if (entry === undefined || isOpen(entry.outcome)) return null;
    const isSame = entry.hash === this.#mail.hash(cells);
    if (!isSame && (entry.outcome === 'invalid' || entry.outcome === 'rejected')) return null;
    if (!isSame)
      throw new UsageError(
        `line ${line} or the mail has changed since this row was sent, or that run's mails were caught or redirected (${this.#path}): undo that; ${ANEW}`,
      );
    if (this.#again.includes(entry.outcome)) return null;
    return { ...facts(entry), row, line, to: this.#mail.to(cells) };
  }

  /** @throws {UsageError} when rows that were sent are no longer there */
  checkCount(count: number): void {
    for (const [row, { outcome }] of this.#journal.rows) {
      if (row > count && !isOpen(outcome))
        throw new UsageError(`row ${row} was sent (${this.#path}) and is no longer there: undo that; ${ANEW}`);
    }
  }
}

function isOpen(outcome: Outcome): boolean {
  return outcome === 'failed' || outcome === 'unsent';
}

function facts({ outcome, code, response }: JournalEntry): RowResult {
  return { outcome, code, response, retryable: false };
}
