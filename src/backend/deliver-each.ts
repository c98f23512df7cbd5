import { ConfigurationError } from '../model/errors.ts';
import { ResultQueue } from './call/result-queue.ts';
import { type DeliveryResult, failedDelivery, type Job, toEmailError } from './job.ts';

/** Delivers one message; what it throws is that message's failure. */
export type DeliverOne = (job: Job) => DeliveryResult | Promise<DeliveryResult>;

/**
 * Serves backends that send one message at a time: runs `deliverOne` for up to `concurrency` jobs at once and yields the
 * results as they come.
 *
 * @param concurrency default 1
 * @throws {ConfigurationError} `invalid-option` when `concurrency` is less than 1, so that nothing would ever be delivered.
 */
export function deliverEach(
  jobs: AsyncIterable<Job>,
  deliverOne: DeliverOne,
  concurrency = 1,
): AsyncIterableIterator<DeliveryResult> {
  if (!(concurrency >= 1)) {
    throw new ConfigurationError('invalid-option', `concurrency must be 1 or more, got ${concurrency}`);
  }
  return new Deliveries(jobs[Symbol.asyncIterator](), deliverOne, concurrency);
}

/** While a result is wanted jobs are taken, up to the limit, and no sooner; written out, as a generator costs three times as much. */
class Deliveries implements AsyncIterableIterator<DeliveryResult> {
  readonly #jobs: AsyncIterator<Job>;
  readonly #deliverOne: DeliverOne;
  readonly #limit: number;
  readonly #results = new ResultQueue<DeliveryResult>();
  #running = 0;
  #isReading = false;
  #isExhausted = false;
  /** Why no further job could be taken. */
  #failure: { readonly error: unknown } | null = null;
  #idle: Promise<void> | null = null;
  #onIdle = () => {};

  constructor(jobs: AsyncIterator<Job>, deliverOne: DeliverOne, limit: number) {
    this.#jobs = jobs;
    this.#deliverOne = deliverOne;
    this.#limit = limit;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<DeliveryResult>> {
    const step = this.#results.next();
    if (!this.#isReading) void this.#read();
    return step;
  }

  /** Who stops early waits for what is under way: the connection may be closed next. */
  async return(): Promise<IteratorResult<DeliveryResult>> {
    this.#isExhausted = true;
    await this.#jobs.return?.();
    if (this.#running > 0) {
      this.#idle ??= new Promise((resolve) => {
        this.#onIdle = resolve;
      });
      await this.#idle;
    }
    return this.#results.return();
  }

  async #read(): Promise<void> {
    this.#isReading = true;
    try {
      while (!this.#isExhausted && this.#running < this.#limit && this.#results.hasDemand) {
        const step = await this.#jobs.next();
        if (step.done === true) this.#isExhausted = true;
        else void this.#deliver(step.value);
      }
    } catch (error) {
      this.#isExhausted = true;
      this.#failure = { error };
    }
    this.#isReading = false;
    this.#endIfDone();
  }

  async #deliver(job: Job): Promise<void> {
    this.#running++;
    const result = await deliverSafely(job, this.#deliverOne);
    this.#running--;
    this.#results.push(result);
    if (this.#results.hasDemand && !this.#isReading) void this.#read();
    else this.#endIfDone();
  }

  #endIfDone(): void {
    if (this.#running > 0) return;
    this.#onIdle();
    if (!this.#isExhausted || this.#isReading) return;
    if (this.#failure === null) this.#results.end();
    else this.#results.fail(this.#failure.error);
  }
}

async function deliverSafely(job: Job, deliverOne: DeliverOne): Promise<DeliveryResult> {
  try {
    return await deliverOne(job);
  } catch (error) {
    return failedDelivery(job, toEmailError(error));
  }
}
