import type { SendError } from '../model/errors.ts';
import { type DeliveryResult, type Job, withheld, withheldError } from './job.ts';

type BeforeCommit = NonNullable<Job['beforeCommit']>;

/** Asks whoever gave a job: why it may not be sent, or null when it may. */
export async function whyWithheld(beforeCommit: BeforeCommit): Promise<SendError | null> {
  try {
    return (await beforeCommit()) === true ? null : withheldError();
  } catch (cause) {
    return withheldError(cause);
  }
}

/** The job, whose `beforeCommit` is called once however often it is asked; `onWithheld` is told when it may not be sent. */
export function askingOnce(job: Job, onWithheld?: () => void): Job {
  const { beforeCommit } = job;
  if (beforeCommit === undefined) return job;
  let answer: Promise<boolean> | null = null;
  const ask = async (): Promise<boolean> => {
    let may = false;
    try {
      may = (await beforeCommit()) === true;
      return may;
    } finally {
      if (!may) onWithheld?.();
    }
  };
  const askOnce = (): Promise<boolean> => {
    answer ??= ask();
    return answer;
  };
  return { ...job, beforeCommit: askOnce };
}

/**
 * Asks a job's `beforeCommit`, if it has one, for backends whose `awaitsCommit` is true: null when the job may be sent, else
 * the result that answers it.
 */
export async function askToCommit(job: Job): Promise<DeliveryResult | null> {
  if (job.beforeCommit === undefined) return null;
  const refusal = await whyWithheld(job.beforeCommit);
  return refusal === null ? null : withheld(job, refusal.cause);
}
