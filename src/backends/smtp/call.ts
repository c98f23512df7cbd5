import { ResultQueue } from '../../backend/call/result-queue.ts';
import type { DeliveryContext, DeliveryResult, Job } from '../../backend/job.ts';
import type { ComposeOptions } from '../../mime/compose/composition.ts';
import type { ResolvedSmtpOptions } from '../../smtp/options.ts';
import type { Pool } from '../../smtp/queue/pool.ts';
import { addAbortListener, removeAbortListener } from '../../util/abort-listeners.ts';
import { type GivenUp, givenUpBy, Mail } from './mail.ts';

/**
 * One call of the backend: takes jobs as fast as the pool can use them, and yields their results as they come.
 *
 * The iterator is written out rather than generated: this is the hot path of bulk mail.
 */
export class SmtpCall implements AsyncIterableIterator<DeliveryResult> {
  readonly #pool: Pool;
  readonly #options: ResolvedSmtpOptions;
  readonly #compose: ComposeOptions;
  readonly #source: AsyncIterator<Job>;
  readonly #signal: AbortSignal | undefined;
  /** How many jobs are taken and not handed out as results: enough to fill every pipeline, and as much again in reserve. */
  readonly #limit: number;
  /** In no order; each knows its place, since a Set that churns keeps what left it alive (see IndexMap). */
  readonly #active: Mail[] = [];
  readonly #results = new ResultQueue<DeliveryResult>();
  #isReading = false;
  #isExhausted = false;
  #failure: { readonly error: unknown } | null = null;
  #givenUp: GivenUp | null = null;

  constructor(
    pool: Pool,
    options: ResolvedSmtpOptions,
    compose: ComposeOptions,
    jobs: AsyncIterable<Job>,
    context: DeliveryContext,
  ) {
    this.#pool = pool;
    this.#options = options;
    this.#compose = compose;
    this.#source = jobs[Symbol.asyncIterator]();
    this.#signal = context.signal;
    this.#limit = 2 * options.maxConnections * options.maxInFlight;
    addAbortListener(context.signal, this.#onAbort);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<DeliveryResult>> {
    const step = this.#results.next();
    this.#read();
    return step;
  }

  /** The caller wants no more: what was taken is let finish, nothing further is. */
  async return(): Promise<IteratorResult<DeliveryResult>> {
    this.#isExhausted = true;
    this.#release();
    await this.#source.return?.();
    return this.#results.return();
  }

  #read(): void {
    if (this.#isReading || this.#isExhausted) return;
    if (this.#active.length + this.#results.size >= this.#limit) return;
    this.#isReading = true;
    this.#source.next().then(this.#onJob, this.#onSourceFailed);
  }

  readonly #onJob = (step: IteratorResult<Job>): void => {
    this.#isReading = false;
    if (step.done === true) {
      this.#isExhausted = true;
      this.#endIfDone();
      return;
    }
    const mail = new Mail(step.value, this.#pool, this.#options, this.#compose, this.#onResult);
    mail.place = this.#active.push(mail) - 1;
    mail.submit();
    // A wrapper bounds the try of a single mail.
    if (step.value.signal !== this.#signal) mail.abortWith(step.value.signal);
    if (this.#signal?.aborted) this.#onAbort();
    else if (this.#givenUp !== null) mail.abort(this.#givenUp);
    this.#read();
  };

  readonly #onSourceFailed = (error: unknown): void => {
    this.#isReading = false;
    this.#isExhausted = true;
    this.#failure = { error };
    this.#endIfDone();
  };

  readonly #onResult = (mail: Mail, result: DeliveryResult): void => {
    this.#remove(mail);
    this.#results.push(result);
    this.#read();
    this.#endIfDone();
  };

  #remove(mail: Mail): void {
    const last = this.#active.pop();
    if (last === undefined || last === mail) return;
    this.#active[mail.place] = last;
    last.place = mail.place;
  }

  #endIfDone(): void {
    if (!this.#isExhausted || this.#isReading || this.#active.length > 0) return;
    this.#release();
    if (this.#failure === null) this.#results.end();
    else this.#results.fail(this.#failure.error);
  }

  readonly #onAbort = (): void => this.#giveUp(givenUpBy(this.#signal));

  #giveUp(failure: GivenUp): void {
    this.#givenUp = failure;
    this.#isExhausted = true;
    for (const mail of [...this.#active]) mail.abort(failure);
    this.#endIfDone();
  }

  #release(): void {
    removeAbortListener(this.#signal, this.#onAbort);
  }
}
