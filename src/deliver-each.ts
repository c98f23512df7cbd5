import { type DeliveryResult, failedDelivery, type Job, toEmailError } from './delivery.ts';

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

/** Each job wakes the loop when it is done: a race of all that are under way would cost as much as they are, again and again. */
async function* severalAtOnce(
  jobs: AsyncIterator<Job>,
  deliverOne: DeliverOne,
  concurrency: number,
): AsyncGenerator<DeliveryResult, void, undefined> {
  const running = new Set<Promise<void>>();
  const ready: DeliveryResult[] = [];
  const source: { isAsked: boolean; isExhausted: boolean; failure?: unknown } = { isAsked: false, isExhausted: false };
  let wake = () => {};
  const start = (job: Job) => {
    const delivery = deliverSafely(job, deliverOne).then((result) => {
      running.delete(delivery);
      ready.push(result);
      wake();
    });
    running.add(delivery);
  };
  const onStep = (step: IteratorResult<Job>) => {
    source.isAsked = false;
    if (step.done === true) source.isExhausted = true;
    else start(step.value);
    wake();
  };
  const onFailure = (failure: unknown) => {
    source.failure = failure;
    wake();
  };
  try {
    for (;;) {
      if (!source.isAsked && !source.isExhausted && running.size < concurrency) {
        source.isAsked = true;
        jobs.next().then(onStep, onFailure);
      }
      const result = ready.shift();
      if (result !== undefined) yield result;
      else if ('failure' in source) throw source.failure;
      else if (source.isExhausted && running.size === 0) return;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  } finally {
    // Who stops early waits for what is under way: the connection may be closed next.
    await jobs.return?.();
    await Promise.all(running);
  }
}

async function deliverSafely(job: Job, deliverOne: DeliverOne): Promise<DeliveryResult> {
  try {
    return await deliverOne(job);
  } catch (error) {
    return failedDelivery(job, toEmailError(error));
  }
}
