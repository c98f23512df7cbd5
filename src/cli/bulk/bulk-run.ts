import { setTimeout as sleep } from 'node:timers/promises';
import type { EmailBackend } from '../../backend.ts';
import { ConfigurationError, EmailConnectionError, type EmailError, MessageError, SendError } from '../../errors.ts';
import type { EmailMessageDraft } from '../../message-init.ts';
import { wrongMail } from '../mail-options.ts';
import type { UsageError } from '../usage-error.ts';
import type { BulkMail } from './bulk-mail.ts';
import type { Journal } from './journal.ts';
import { Pace } from './pace.ts';
import type { Person } from './read-people.ts';
import { type RowResult, rowResult } from './row-outcome.ts';
import type { ToldRow } from './run-plan.ts';

/** So many rows are noted as started at once, at most: what a kill leaves in doubt, and one flush of the disk. */
const WINDOW = 32;
/** After so many failures in a row that are nothing of the mail's, the rest is not even tried. */
const MAX_OUTAGES = 5;
const OUTAGES: readonly string[] = ['account', 'quota'];
/** Shorter waits are added up, as timers cannot keep them. */
const MIN_WAIT_MS = 2;
const UNSENT: RowResult = { outcome: 'unsent', code: null, response: null, retryable: true };

/** What a run works with. */
export interface BulkRunOptions {
  readonly connection: EmailBackend;
  readonly mail: BulkMail;
  /** None: nothing is noted, for a trial. */
  readonly journal: Pick<Journal, 'start' | 'end'> | null;
  /** At most so many rows a second; null: as fast as they are taken. */
  readonly perSecond: number | null;
  readonly onRow: (row: ToldRow) => void;
}

/** Sends rows: notes each before it is handed over, and what became of it as soon as that is known. */
export class BulkRun {
  readonly #options: BulkRunOptions;
  readonly #underWay = new Map<number, Person>();
  readonly #stop = new AbortController();
  readonly #pace: Pace | null;
  #handedOver = 0;
  #outages = 0;
  #fault: unknown = null;
  /** Why nothing could be sent any more. */
  outage: EmailError | UsageError | null = null;

  constructor(options: BulkRunOptions) {
    this.#options = options;
    this.#pace = options.perSecond === null ? null : new Pace(options.perSecond);
  }

  /** Rows that were handed over and have no answer yet. */
  get underWay(): number {
    return this.#underWay.size;
  }

  /** Hands nothing over any more; what is under way is waited for. */
  stop(): void {
    this.#stop.abort();
  }

  /** @throws {UsageError} when the journal cannot be written, or the rows cannot be read on. */
  async send(people: AsyncIterable<Person>): Promise<void> {
    const { connection, journal, mail, onRow } = this.#options;
    try {
      for await (const result of connection.stream(this.#handOver(people))) {
        const person = this.#underWay.get(result.index);
        if (person === undefined) continue;
        this.#underWay.delete(result.index);
        const told = rowResult(result);
        journal?.end(person.row, told);
        onRow({ ...told, row: person.row, line: person.line, to: mail.to(person.cells) });
        this.#watch(result.error);
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
        await this.#waitForTurn();
        if (this.#stop.signal.aborted) return;
        left.shift();
        this.#underWay.set(this.#handedOver++, person);
        yield mail.draft(person.cells);
      }
    } finally {
      for (const { row } of left) journal?.end(row, UNSENT);
    }
  }

  async #waitForTurn(): Promise<void> {
    const waitMs = this.#pace?.take() ?? 0;
    if (waitMs >= MIN_WAIT_MS) await sleep(waitMs, undefined, { signal: this.#stop.signal }).catch(() => {}); // stopped
  }

  #watch(error: EmailError | null): void {
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
