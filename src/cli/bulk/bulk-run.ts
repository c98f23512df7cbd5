import type { EmailBackend } from '../../backend/backend.ts';
import {
  ConfigurationError,
  EmailConnectionError,
  type EmailError,
  MessageError,
  SendError,
} from '../../model/errors.ts';
import type { EmailMessageDraft } from '../../model/message-init.ts';
import type { Clock } from '../../util/clock.ts';
import { RateLimiter } from '../../util/rate-limiter.ts';
import { UsageError } from '../failure.ts';
import { wrongMail } from '../send/mail-options.ts';
import type { BulkMail } from './bulk-mail.ts';
import type { Journal } from './journal.ts';
import type { Person } from './read-people.ts';
import { type RowResult, rowResult } from './row-outcome.ts';
import type { RowReport } from './run-plan.ts';

/** Rows journalled per flush to disk; also the most that a kill leaves in doubt. */
const WINDOW = 32;
/** Consecutive failures not caused by a mail after which the run gives up. */
const MAX_OUTAGES = 5;
const OUTAGES: readonly string[] = ['account', 'quota'];
/** Rows a second that a limit may let go together, for each 50: timers are too coarse to space them. */
const ROWS_PER_BURST = 50;
const UNSENT: RowResult = { outcome: 'unsent', code: null, response: null, retryable: true };

/** Options of {@link BulkRun}. */
export interface BulkRunOptions {
  readonly connection: EmailBackend;
  readonly mail: BulkMail;
  /** Null for a dry run, of which nothing is recorded. */
  readonly journal: Pick<Journal, 'start' | 'end'> | null;
  /** The most rows a second; null: as fast as the backend takes them. */
  readonly perSecond: number | null;
  readonly onRow: (row: RowReport) => void;
  readonly clock?: Clock;
}

/** Sends rows: records each in the journal before it is handed over, and its outcome as soon as that is known. */
export class BulkRun {
  readonly #options: BulkRunOptions;
  readonly #underWay = new Map<number, Person>();
  readonly #stop = new AbortController();
  readonly #limiter: RateLimiter | null;
  #handedOver = 0;
  #outages = 0;
  #fault: unknown = null;
  /** Why the run gave up. */
  outage: EmailError | UsageError | null = null;

  constructor(options: BulkRunOptions) {
    this.#options = options;
    const { perSecond, clock } = options;
    const burst = Math.max(1, Math.floor((perSecond ?? 0) / ROWS_PER_BURST));
    this.#limiter = perSecond === null ? null : new RateLimiter({ perSecond, burst, ...(clock && { clock }) });
  }

  /** Rows that were handed over and are unanswered. */
  get underWay(): number {
    return this.#underWay.size;
  }

  /** Hands over no further rows; `send` still waits for those under way. */
  stop(): void {
    this.#stop.abort();
  }

  /** @throws {UsageError} when the journal cannot be written, or the rows cannot be read */
  async send(people: AsyncIterable<Person>): Promise<void> {
    const { connection, journal, mail, onRow } = this.#options;
    try {
      for await (const result of connection.stream(this.#handOver(people))) {
        const person = this.#underWay.get(result.index);
        if (person === undefined) continue;
        this.#underWay.delete(result.index);
        const outcome = rowResult(result);
        journal?.end(person.row, outcome);
        onRow({ ...outcome, row: person.row, line: person.line, to: mail.to(person.cells) });
        this.#checkOutage(result.error);
      }
    } catch (error) {
      throw this.#fault ?? error;
    }
  }

  async *#handOver(people: AsyncIterable<Person>): AsyncGenerator<EmailMessageDraft, void, undefined> {
    const { perSecond } = this.#options;
    const size = perSecond === null ? WINDOW : Math.min(WINDOW, Math.max(1, Math.floor(perSecond / 10)));
    let window: Person[] = [];
    try {
      for await (const person of people) {
        if (this.#stop.signal.aborted) return;
        window.push(person);
        if (window.length < size) continue;
        yield* this.#handOverWindow(window);
        window = [];
      }
      if (!this.#stop.signal.aborted) yield* this.#handOverWindow(window);
    } catch (error) {
      this.#fault = error;
      throw error;
    }
  }

  async *#handOverWindow(window: readonly Person[]): AsyncGenerator<EmailMessageDraft, void, undefined> {
    const { mail, journal } = this.#options;
    await journal?.start(window.map(({ row, cells }) => ({ row, hash: mail.hash(cells) })));
    const left = [...window];
    try {
      for (const person of window) {
        await this.#limiter?.acquire(1, this.#stop.signal).catch(() => {}); // rejected when stopped
        if (this.#stop.signal.aborted) return;
        left.shift();
        this.#underWay.set(this.#handedOver++, person);
        yield mail.draft(person.cells);
      }
    } finally {
      for (const { row } of left) journal?.end(row, UNSENT);
    }
  }

  #checkOutage(error: EmailError | null): void {
    const isSenderMissing =
      error instanceof MessageError &&
      error.issues.some(({ path, code }) => path === 'fromEmail' && code === 'required');
    const isOutage =
      error instanceof EmailConnectionError ||
      error instanceof ConfigurationError ||
      (error instanceof SendError && (OUTAGES.includes(error.code) || error.phase === 'mail'));
    this.#outages = isOutage ? this.#outages + 1 : 0;
    if (this.outage !== null || !(isSenderMissing || this.#outages >= MAX_OUTAGES)) return;
    this.outage = isSenderMissing ? wrongMail(error) : error;
    this.stop();
  }
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** Rows a second, read from `10/s`, `600/m` or `1000/h`. @throws {UsageError} for anything else */
export function parseRate(text: string): number {
  const [, number, unit = 's'] = /^(\d{1,9}(?:\.\d{1,9})?)(?:\/([smh]))?$/.exec(text) ?? [];
  const rate = Number(number) / (SECONDS[unit] ?? 1);
  if (rate > 0) return rate;
  throw new UsageError(`--rate must be a number with /s, /m or /h, such as 10/s, got ${text}`);
}
