import { type DeliveryResult, failedDelivery, type Job, toEmailError } from './job.ts';

/** `deliverEach` for backends that can deliver while the thread waits. */
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
