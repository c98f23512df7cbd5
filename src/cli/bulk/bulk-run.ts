import type { EmailBackend } from '../../backend/backend.ts';
import type { DeliveryResult, Job } from '../../backend/job.ts';
import { LocalBackend } from '../../backend/local-backend.ts';
import { Part } from '../../backend/part.ts';
import {
  ConfigurationError,
  EmailConnectionError,
  type EmailError,
  MessageError,
  SendError,
} from '../../model/errors.ts';
import { loaded } from '../../options/late-module.ts';
import { UsageError } from '../failure.ts';
import { wrongMail } from '../send/mail-options.ts';
import type { BulkMail } from './bulk-mail.ts';
import type { Journal } from './journal.ts';
import { JournalStore, ROWS } from './journal-store.ts';
import type { Person } from './read-people.ts';
import type { RowReport } from './run-plan.ts';

/** Rows that are claimed at once: providers take as many in a request. */
const CONCURRENCY = 1_000;
/** What is under way may take as long as it does. */
const NEVER_MS = 2_147_483_647;
/** Consecutive failures not caused by a mail after which the run gives up. */
const MAX_OUTAGES = 5;
const OUTAGES: readonly string[] = ['account', 'quota'];
/** Rows a second that a limit may let go together, for each 50: timers are too coarse to space them. */
const ROWS_PER_BURST = 50;

/** Options of {@link BulkRun}. */
export interface BulkRunOptions {
  readonly connection: EmailBackend;
  readonly mail: BulkMail;
  /** Null for a dry run, of which nothing is recorded. */
  readonly journal: Pick<Journal, 'start' | 'end'> | null;
  /** The most rows a second; null: as fast as the backend takes them. */
  readonly perSecond: number | null;
  readonly onRow: (row: RowReport) => void;
}

/** Sends rows with the worker of the outbox, over its journal: {@link JournalStore} records what it does. */
export class BulkRun {
  readonly #options: BulkRunOptions;
  /** Jobs that the connection has, by their place in its call. */
  readonly #given = new Map<number, Job>();
  readonly #stop = new AbortController();
  #outages = 0;
  #fault: { readonly error: unknown } | null = null;
  /** Why the run gave up. */
  outage: EmailError | UsageError | null = null;

  constructor(options: BulkRunOptions) {
    this.#options = options;
  }

  /** Rows that were handed over and are unanswered. */
  get underWay(): number {
    return this.#given.size;
  }

  /** Hands over no further rows; `send` still waits for those under way. */
  stop(): void {
    this.#stop.abort();
  }

  /** @throws {UsageError} when the journal cannot be written, or the rows cannot be read */
  async send(people: AsyncIterable<Person>): Promise<void> {
    const { connection, perSecond } = this.#options;
    const { Worker, Meter } = await loaded(import('../../outbox/engine.ts'));
    const part = new Part(connection);
    // What delivers without waiting takes one row at a time: each would have to be flushed for itself.
    const awaitsCommit = part.awaitsCommit && !(connection instanceof LocalBackend);
    const store = new JournalStore(people, part, {
      ...this.#options,
      onError: (error) => this.#checkOutage(error),
      onFault: (error) => {
        this.#fault ??= { error };
        this.stop();
      },
      onEnd: () => this.stop(),
    });
    const burst = Math.max(1, Math.floor((perSecond ?? 0) / ROWS_PER_BURST));
    const worker = new Worker(
      {
        store,
        part: {
          awaitsCommit,
          idempotencyMs: null, // nothing is asked again
          accountRates: async () => null, // the connection itself keeps to those
        },
        lanes: { [ROWS]: perSecond === null ? {} : { perSecond, burst } },
        options: {},
        keepMs: 0,
        meter: new Meter(),
        readFacts: (claimed) => store.readFacts(claimed),
        open: (claimed) => store.open(claimed),
        deliver: (jobs) => this.#deliver(jobs, awaitsCommit),
        judge: (row, answer) => store.judge(row, answer),
      },
      { signal: this.#stop.signal, concurrency: CONCURRENCY, drainMs: NEVER_MS },
    );
    await worker.run().catch((error: unknown) => {
      this.#fault ??= { error };
    });
    if (this.#fault !== null) throw this.#fault.error;
  }

  /** An ordinary call: the connection tries again as it is told to, and listeners hear of each mail. */
  async *#deliver(jobs: AsyncIterable<Job>, awaitsCommit: boolean): AsyncGenerator<DeliveryResult, void, undefined> {
    const given = this.#given;
    let count = 0;
    async function* messages() {
      for await (const job of jobs) {
        given.set(count++, job);
        yield job.message;
      }
    }
    // What has its answer, from the deadline perhaps, is not to leave any more.
    const beforeCommit = async (place: number, request?: string) =>
      (await given.get(place)?.beforeCommit?.(request)) === true;
    for await (const result of this.#options.connection.stream(messages(), awaitsCommit ? { beforeCommit } : {})) {
      const job = given.get(result.index);
      given.delete(result.index);
      if (job !== undefined) yield { ...result, index: job.index };
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
