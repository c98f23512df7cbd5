import { askToCommit, whyWithheld } from '../backend/commit.ts';
import type { DeliveryResult, Job } from '../backend/job.ts';
import type { Failure } from './provider.ts';

/**
 * Asks whoever gave the job before `question` is asked; undefined where nobody is to be asked.
 *
 * @param name makes the name of the request, where it may be asked again
 */
export function committing<Q>(
  { beforeCommit }: Job,
  question: Q,
  name?: () => string | undefined,
): (() => Promise<Q | Failure>) | undefined {
  if (beforeCommit === undefined) return undefined;
  return async () => {
    const error = await whyWithheld(beforeCommit, name?.());
    return error === null ? question : { error };
  };
}

/** Asks whoever gave the mails of a batch, all in one turn, and answers those that may not be sent; gives the others. */
export async function letGo<T extends { readonly job: Job; readonly resolve: (result: DeliveryResult) => void }>(
  entries: readonly T[],
): Promise<readonly T[]> {
  const withheld = await Promise.all(entries.map(({ job }) => askToCommit(job)));
  return entries.filter(({ resolve }, index) => {
    const result = withheld[index] ?? null;
    if (result !== null) resolve(result);
    return result === null;
  });
}
