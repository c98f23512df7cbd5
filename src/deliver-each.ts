import { type DeliveryResult, failedDelivery, type Job, toEmailError } from './delivery.ts';

/** Delivers one message; what it throws is that message's failure. */
type DeliverOne = (job: Job) => DeliveryResult | Promise<DeliveryResult>;

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
    : severalAtOnce(jobs[Symbol.asyncIterator](), deliverOne, concurrency);
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

  constructor(jobs: AsyncIterator<Job>, deliverOne: DeliverOne) {
    this.#jobs = jobs;
    this.#deliverOne = deliverOne;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<DeliveryResult>> {
    const step = await this.#jobs.next();
    return step.done === true ? DONE : { done: false, value: await deliverSafely(step.value, this.#deliverOne) };
  }

  async return(): Promise<IteratorResult<DeliveryResult>> {
    await this.#jobs.return?.();
    return DONE;
  }
}

async function* severalAtOnce(
  jobs: AsyncIterator<Job>,
  deliverOne: DeliverOne,
  concurrency: number,
): AsyncGenerator<DeliveryResult, void, undefined> {
  const running = new Map<number, Promise<DeliveryResult>>();
  let next: Promise<IteratorResult<Job>> | null = null;
  let isExhausted = false;
  try {
    while (!isExhausted || running.size > 0) {
      if (!isExhausted && running.size < concurrency) next ??= jobs.next();
      const awaited = [...(next === null ? [] : [next]), ...running.values()];
      const happened = await Promise.race<IteratorResult<Job> | DeliveryResult>(awaited);
      if ('index' in happened) {
        running.delete(happened.index);
        yield happened;
        continue;
      }
      next = null;
      if (happened.done === true) isExhausted = true;
      else running.set(happened.value.index, deliverSafely(happened.value, deliverOne));
    }
  } finally {
    // Who stops early waits for what is under way: the connection may be closed next.
    await jobs.return?.();
    await Promise.all(running.values());
  }
}

async function deliverSafely(job: Job, deliverOne: DeliverOne): Promise<DeliveryResult> {
  try {
    return await deliverOne(job);
  } catch (error) {
    return failedDelivery(job, toEmailError(error));
  }
}
