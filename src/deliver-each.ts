import { type DeliveryResult, failedDelivery, type Job, toEmailError } from './delivery.ts';
import { ResultQueue } from './util/result-queue.ts';

/** Delivers one message; what it throws is that message's failure. */
export type DeliverOne = (job: Job) => DeliveryResult | Promise<DeliveryResult>;

/**
 * Serves backends that send one message at a time: runs `deliverOne` for up to `concurrency` jobs at once and yields the
 * results as they come.
 */
export function deliverEach(
  jobs: AsyncIterable<Job>,
  deliverOne: DeliverOne,
  concurrency = 1,
): AsyncIterableIterator<DeliveryResult> {
  return concurrency === 1
    ? new OneByOne(jobs[Symbol.asyncIterator](), deliverOne)
    : new SeveralAtOnce(jobs[Symbol.asyncIterator](), deliverOne, concurrency);
}

/** {@link deliverEach} for backends that can deliver while the thread waits. */
export function deliverEachSync(
  jobs: readonly Job[],
  deliverOne: (job: Job) => DeliveryResult,
): readonly DeliveryResult[] {
  return jobs.map((job) => {
    try {
      return deliverOne(job);
    } catch (error) {
      return failedDelivery(job, toEmailError(error));
    }
  });
}

const DONE: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined });

/** A job is taken when the result of the last one was, and no sooner; written out, as a generator costs three times as much. */
class OneByOne implements AsyncIterableIterator<DeliveryResult> {
  readonly #jobs: AsyncIterator<Job>;
  readonly #deliverOne: DeliverOne;
  #latest: Promise<IteratorResult<DeliveryResult>> | null = null;

  constructor(jobs: AsyncIterator<Job>, deliverOne: DeliverOne) {
    this.#jobs = jobs;
    this.#deliverOne = deliverOne;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<DeliveryResult>> {
    this.#latest = this.#deliverNext();
    return this.#latest;
  }

  async #deliverNext(): Promise<IteratorResult<DeliveryResult>> {
    const step = await this.#jobs.next();
    return step.done === true ? DONE : { done: false, value: await deliverSafely(step.value, this.#deliverOne) };
  }

  async return(): Promise<IteratorResult<DeliveryResult>> {
    await this.#jobs.return?.();
    await this.#latest; // who stops early waits for what is under way: the connection may be closed next
    return DONE;
  }
}

/** Jobs are taken as long as fewer than the limit are under way or wait as results; the failure of their source comes last. */
class SeveralAtOnce implements AsyncIterableIterator<DeliveryResult> {
  readonly #jobs: AsyncIterator<Job>;
  readonly #deliverOne: DeliverOne;
  readonly #limit: number;
  readonly #running = new Set<Promise<void>>();
  readonly #results = new ResultQueue<DeliveryResult>();
  #isReading = false;
  #isExhausted = false;
  #failure: { readonly error: unknown } | null = null;

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
    void this.#read();
    return step;
  }

  async return(): Promise<IteratorResult<DeliveryResult>> {
    this.#isExhausted = true;
    await this.#jobs.return?.();
    await Promise.all(this.#running); // who stops early waits for what is under way: the connection may be closed next
    return this.#results.return();
  }

  async #read(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    try {
      while (!this.#isExhausted && this.#running.size + this.#results.size < this.#limit) {
        const step = await this.#jobs.next();
        if (step.done === true) this.#isExhausted = true;
        else this.#start(step.value);
      }
    } catch (error) {
      this.#isExhausted = true;
      this.#failure = { error };
    }
    this.#isReading = false;
    this.#endIfDone();
  }

  #start(job: Job): void {
    const delivery = deliverSafely(job, this.#deliverOne).then((result) => {
      this.#running.delete(delivery);
      this.#results.push(result);
      this.#endIfDone();
      void this.#read();
    });
    this.#running.add(delivery);
  }

  #endIfDone(): void {
    if (!this.#isExhausted || this.#isReading || this.#running.size > 0) return;
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
