import type { DeliveryResult, Job } from './delivery.ts';

/** Stands between a backend and every message it is given, whoever gives it: calls, streams, blocking calls, wrappers. */
export interface DeliveryFilter {
  /** The job that is delivered in place of this one, or the result of one that is not delivered at all. */
  outgoing(job: Job): Job | DeliveryResult;
  /** What the sender of the first job is told of the result of the second. */
  returning(job: Job, delivered: DeliveryResult): DeliveryResult;
}

/** Delivers through a filter. */
export async function* filterDelivery(
  filter: DeliveryFilter,
  jobs: AsyncIterable<Job>,
  deliver: (jobs: AsyncIterable<Job>) => AsyncIterable<DeliveryResult>,
): AsyncGenerator<DeliveryResult, void, undefined> {
  const passed = new Map<number, Job>();
  const stopped: DeliveryResult[] = [];
  const outgoing = async function* (): AsyncGenerator<Job, void, undefined> {
    for await (const job of jobs) {
      const next = filter.outgoing(job);
      if ('message' in next) {
        passed.set(job.index, job);
        yield next;
      } else stopped.push(next);
    }
  };
  for await (const delivered of deliver(outgoing())) {
    yield* stopped.splice(0);
    const job = passed.get(delivered.index);
    passed.delete(delivered.index);
    if (job) yield filter.returning(job, delivered);
  }
  yield* stopped;
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
