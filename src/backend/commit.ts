import type { SendError } from '../model/errors.ts';
import { type DeliveryResult, type Job, withheld, withheldError } from './job.ts';

type BeforeCommit = NonNullable<Job['beforeCommit']>;

/** Asks whoever gave a job: why it may not be sent, or null when it may. */
export async function whyWithheld(beforeCommit: BeforeCommit, request?: string): Promise<SendError | null> {
  try {
    return (await beforeCommit(request)) === true ? null : withheldError();
  } catch (cause) {
    return withheldError(cause);
  }
}

/** The job, whose `beforeCommit` is called once however often it is asked; `onWithheld` is told when it may not be sent. */
export function askingOnce(job: Job, onWithheld?: () => void): Job {
  const { beforeCommit } = job;
  if (beforeCommit === undefined) return job;
  let answer: Promise<boolean> | null = null;
  const ask = async (request?: string): Promise<boolean> => {
    let may = false;
    try {
      may = (await beforeCommit(request)) === true;
      return may;
    } finally {
      if (!may) onWithheld?.();
    }
  };
  const askOnce = (request?: string): Promise<boolean> => {
    answer ??= ask(request);
    return answer;
  };
  return { ...job, beforeCommit: askOnce };
}

/**
 * Asks a job's `beforeCommit`, if it has one, for backends whose `awaitsCommit` is true: null when the job may be sent, else
 * the result that answers it.
 *
 * @param request As in `beforeCommit`, where its provider remembers keys.
 */
export async function askToCommit(job: Job, request?: string): Promise<DeliveryResult | null> {
  if (job.beforeCommit === undefined) return null;
  const refusal = await whyWithheld(job.beforeCommit, request);
  return refusal === null ? null : withheld(job, refusal.cause);
}
