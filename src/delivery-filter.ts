import type { DeliveryResult, Job } from './delivery.ts';

/** Stands between a backend and every message it is given, whoever gives it: calls, streams, blocking calls, wrappers. */
export interface DeliveryFilter {
  /** The job that is delivered in place of this one, or the result of one that is not delivered at all. */
  outgoing(job: Job): Job | DeliveryResult;
  /** What the sender of the first job is told of the result of the second. */
  returning(job: Job, delivered: DeliveryResult): DeliveryResult;
}

/** The filter of the whole process, asked for by every backend at every call; null when there is none. */
let standing: () => DeliveryFilter | null = () => null;

/** Puts a filter before every backend there is and will be; what `current` throws is what calls end in. */
export function setStandingFilter(current: () => DeliveryFilter | null): void {
  standing = current;
}

/** {@link filterDelivery} through the filter of the process. */
export function deliverGuarded(
  jobs: AsyncIterable<Job>,
  deliver: (jobs: AsyncIterable<Job>) => AsyncIterable<DeliveryResult>,
): AsyncIterable<DeliveryResult> {
  const filter = standing();
  return filter === null ? deliver(jobs) : filterDelivery(filter, jobs, deliver);
}

/** {@link filterDeliverySync} through the filter of the process. */
export function deliverGuardedSync(
  jobs: readonly Job[],
  deliver: (jobs: readonly Job[]) => readonly DeliveryResult[],
): readonly DeliveryResult[] {
  const filter = standing();
  return filter === null ? deliver(jobs) : filterDeliverySync(filter, jobs, deliver);
}

/** Delivers through a filter; what it stops is answered at once, and no further job is read before that answer is taken. */
export async function* filterDelivery(
  filter: DeliveryFilter,
  jobs: AsyncIterable<Job>,
  deliver: (jobs: AsyncIterable<Job>) => AsyncIterable<DeliveryResult>,
): AsyncGenerator<DeliveryResult, void, undefined> {
  const passed = new Map<number, Job>();
  const stopped = new Handover<DeliveryResult>();
  const outgoing = async function* (): AsyncGenerator<Job, void, undefined> {
    for await (const job of jobs) {
      const next = filter.outgoing(job);
      if ('message' in next) {
        passed.set(job.index, job);
        yield next;
      } else await stopped.give(next);
    }
  };
  const deliveries = deliver(outgoing())[Symbol.asyncIterator]();
  let coming: Promise<IteratorResult<DeliveryResult>> | null = null;
  try {
    for (;;) {
      coming ??= deliveries.next();
      const step = await Promise.race([coming.catch(() => null), stopped.isThere()]);
      for (const result of stopped.take()) yield result;
      if (step === null)
        await coming; // throws what the backend threw
      else if (step !== 'given') {
        if (step.done === true) return;
        coming = null;
        const job = passed.get(step.value.index);
        passed.delete(step.value.index);
        if (job) yield filter.returning(job, step.value);
      }
    }
  } finally {
    stopped.close();
    coming?.catch(() => {});
    await deliveries.return?.();
  }
}

/** One value at a time from a giver to a taker who also waits for something else. */
class Handover<T> {
  #given: { readonly value: T; readonly taken: () => void } | null = null;
  #tell: () => void = () => {};
  #isClosed = false;

  /** Waits until it is taken, or nobody will. */
  give(value: T): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    return new Promise((taken) => {
      this.#given = { value, taken };
      this.#tell();
    });
  }

  isThere(): Promise<'given'> {
    return new Promise((resolve) => {
      if (this.#given === null) this.#tell = () => resolve('given');
      else resolve('given');
    });
  }

  take(): readonly T[] {
    const given = this.#given;
    if (given === null) return [];
    this.#given = null;
    given.taken();
    return [given.value];
  }

  close(): void {
    this.#isClosed = true;
    this.#given?.taken();
  }
}

/** {@link filterDelivery} for a thread that waits. */
export function filterDeliverySync(
  filter: DeliveryFilter,
  jobs: readonly Job[],
  deliver: (jobs: readonly Job[]) => readonly DeliveryResult[],
): readonly DeliveryResult[] {
  const passed = new Map<number, Job>();
  const next = jobs.map((job) => {
    const outcome = filter.outgoing(job);
    if ('message' in outcome) passed.set(job.index, job);
    return outcome;
  });
  const going = next.flatMap((outcome) => ('message' in outcome ? [outcome] : []));
  const stopped = next.flatMap((outcome) => ('message' in outcome ? [] : [outcome]));
  const delivered = going.length === 0 ? [] : deliver(going);
  const returned = delivered.flatMap((result) => {
    const job = passed.get(result.index);
    return job ? [filter.returning(job, result)] : [];
  });
  return [...returned, ...stopped];
}
