import { readInput } from '../../backend/call/read-input.ts';
import type { DeliveryResult } from '../../backend/job.ts';
import type { Part } from '../../backend/part.ts';
import type { EmailError } from '../../model/errors.ts';
import type { EmailMessage } from '../../model/message.ts';
import { takePlaces } from '../../outbox/buckets.ts';
import { factsOf, type MailFacts } from '../../outbox/facts.ts';
import type { Judged, Verdict } from '../../outbox/judge.ts';
import type {
  BucketRates,
  Claim,
  ClaimedMail,
  ClaimRequest,
  Held,
  Marking,
  Recovered,
  Settlement,
} from '../../outbox/store.ts';
import type { WorkerStore } from '../../outbox/worker-host.ts';
import type { BulkMail } from './bulk-mail.ts';
import type { Journal, RowEnd } from './journal.ts';
import type { Person } from './read-people.ts';
import { isSent, type RowResult, rowResult } from './row-outcome.ts';
import type { RowReport } from './run-plan.ts';

/** The one lane of a run. */
export const ROWS = 'rows';
/** So many rows are read for a claim, so that the first ones go while others are read. */
const AT_ONCE = 100;
const UNSENT: RowResult = { outcome: 'unsent', code: null, response: null, retryable: true };
const NO_CONTENT = new Uint8Array();
const NOTHING: Recovered = { requeued: [], doubtful: [], pruned: 0 };

/** Options of {@link JournalStore}. */
export interface JournalStoreOptions {
  readonly mail: BulkMail;
  /** Null for a dry run, of which nothing is recorded. */
  readonly journal: Pick<Journal, 'start' | 'end'> | null;
  readonly onRow: (row: RowReport) => void;
  /** Hears of each row's error, null for one that has none. */
  readonly onError: (error: EmailError | null) => void;
  /** The rows cannot be read, or the journal cannot be written. */
  readonly onFault: (fault: unknown) => void;
  /** All rows are through. */
  readonly onEnd: () => void;
}

/** A row that is not through. */
interface Row {
  readonly person: Person;
  readonly message: EmailMessage;
  /** Whether its start is on disk, and no end of it. */
  isMarked: boolean;
  /** What became of it. */
  result: RowResult;
}

/**
 * The rows of a file as a store of the outbox, for the one worker that its journal lets have them: a claim reads rows, a mark is a
 * `start` in the journal, a settlement an `end`.
 */
export class JournalStore implements WorkerStore {
  readonly pollMs = null;
  readonly wakers: Set<() => void> = new Set();
  readonly #people: AsyncIterator<Person>;
  readonly #part: Part;
  readonly #options: JournalStoreOptions;
  /** By their numbers. */
  readonly #open = new Map<string, Row>();
  /** Claimed and given back. */
  readonly #back: string[] = [];
  #isRead = false;
  /** What is kept of the rate. */
  #bucket = '';

  constructor(people: AsyncIterable<Person>, part: Part, options: JournalStoreOptions) {
    this.#people = people[Symbol.asyncIterator]();
    this.#part = part;
    this.#options = options;
  }

  async claim({ limit }: ClaimRequest): Promise<Claim> {
    const ids = this.#back.splice(0, limit);
    const most = Math.min(limit, AT_ONCE);
    try {
      for (let count = ids.length; count < most && !this.#isRead; count++) {
        const { done, value: person } = await this.#people.next();
        if (done === true) this.#isRead = true;
        else if (this.#add(person)) ids.push(`${person.row}`);
      }
      this.#endIfDone();
    } catch (error) {
      this.#options.onFault(error);
    }
    return { mails: ids.map((id) => this.#claimed(id)), nextMs: this.#isRead ? null : 0 };
  }

  async mark(markings: readonly Marking[]): Promise<readonly Held[]> {
    const { journal, mail, onFault } = this.#options;
    const open = markings.filter(({ id }) => this.#open.has(id)); // a deadline may have given up others
    const rows = open.map(({ id }) => this.#row(id));
    try {
      await journal?.start(rows.map(({ person: { row, cells } }) => ({ row, hash: mail.hash(cells) })));
    } catch (error) {
      onFault(error);
      throw error;
    }
    for (const row of rows) row.isMarked = true;
    return open;
  }

  async settle(settlements: readonly Settlement[]): Promise<readonly string[]> {
    const { journal, mail } = this.#options;
    const ends: RowEnd[] = [];
    const through: Row[] = [];
    for (const { id, to } of settlements) {
      const row = this.#row(id);
      const { person, result, isMarked } = row;
      if (isMarked) ends.push({ ...result, row: person.row });
      else if (to !== 'queued') ends.push({ ...result, row: person.row, hash: mail.hash(person.cells) });
      row.isMarked = false;
      if (to === 'queued') this.#back.push(id);
      else if (this.#open.delete(id)) through.push(row);
    }
    try {
      journal?.end(ends);
    } catch (error) {
      this.#options.onFault(error);
    }
    for (const { person, result } of through) this.#report(person, result);
    this.#endIfDone();
    return settlements.map(({ id }) => id);
  }

  async take(rates: readonly BucketRates[]): Promise<number> {
    const { waitMs, kept } = takePlaces([this.#bucket], rates, 1, Date.now()); // a row, whoever its mail goes to
    this.#bucket = kept?.[0] ?? this.#bucket;
    return waitMs;
  }

  /** The lock of the journal is its lease. */
  async renew(held: readonly Held[]): Promise<readonly Held[]> {
    return held;
  }

  /** What earlier runs have left is planned before this one. */
  async recover(): Promise<Recovered> {
    return NOTHING;
  }

  readFacts({ id }: ClaimedMail): MailFacts {
    return factsOf(this.#row(id).message, null);
  }

  async open({ id }: ClaimedMail): Promise<EmailMessage> {
    return this.#row(id).message;
  }

  /** A row is tried once in a run; what that came to is told here, and counts for no outbox. */
  judge({ id, facts }: Judged, answer: DeliveryResult): Verdict {
    const error = answer.error ?? null;
    const row = this.#row(id);
    row.result = rowResult({ ...answer, error });
    this.#options.onError(error);
    const { outcome } = row.result;
    const to = outcome === 'unknown' ? 'in-doubt' : isSent(outcome) ? 'sent' : 'failed';
    return { to, facts, afterMs: 0, isTried: false, keepsRequest: false, pause: null };
  }

  /** Whether the row makes a mail; one that does not is through. */
  #add(person: Person): boolean {
    const { mail, journal, onError } = this.#options;
    const { row, cells } = person;
    const read = readInput(this.#part.facts, mail.draft(cells), row, false);
    if (read.kind === 'readable') {
      this.#open.set(`${row}`, { person, message: read.message, isMarked: false, result: UNSENT });
      return true;
    }
    const result = rowResult(read.result);
    journal?.end([{ ...result, row, hash: mail.hash(cells) }]);
    this.#report(person, result);
    onError(read.result.error);
    return false;
  }

  #claimed(id: string): ClaimedMail {
    const [lane, content, isProbe] = [ROWS, NO_CONTENT, false];
    const [fence, tries, createdAt, request, repeatMs] = [0, 0, 0, null, 0];
    return { id, fence, lane, tries, onDoubt: 'hold', createdAt, facts: '', content, request, repeatMs, isProbe };
  }

  #row(id: string): Row {
    return this.#open.get(id) as Row; // a worker asks for what it has claimed
  }

  #report({ row, line, cells }: Person, result: RowResult): void {
    const { mail, onRow } = this.#options;
    onRow({ ...result, row, line, to: mail.to(cells) });
  }

  #endIfDone(): void {
    if (this.#isRead && this.#open.size === 0) this.#options.onEnd();
  }
}
