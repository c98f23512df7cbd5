import { findMissingFeatures, NOTHING_MISSING } from '../model/features.ts';
import { pass } from './call/prepare.ts';
import type { Prepared } from './call/read-input.ts';
import { settle } from './call/settle.ts';
import type { DeliveryResult, Job } from './job.ts';
import type { Part } from './part.ts';

/** A job as a part of a wrapper gets it, and what its answer is read with. */
export interface PartJob {
  readonly job: Job;
  /** Null where nothing stands between the wrapper and the part. */
  readonly prepared: Prepared | null;
}

const NONE: readonly never[] = /* @__PURE__ */ Object.freeze([]);

/** The job as the part gets it, or why it gets none. */
export function admit({ facts, filters }: Part, job: Job): PartJob | DeliveryResult {
  const { index, message, signal } = job;
  // The usual case, in the way of every mail.
  if (filters.length === 0 && findMissingFeatures(message, facts.features) === NOTHING_MISSING)
    return { job, prepared: null };
  const passed = pass(facts, filters, {
    kind: 'prepared',
    index,
    message,
    outgoing: message,
    passed: NONE,
    ignored: NONE,
    invalid: NONE,
  });
  if (passed.kind === 'refused') return passed.result;
  return { job: { ...job, message: passed.outgoing, signal }, prepared: passed };
}

/** What the part's answer says of the message that the wrapper gave. */
export function answered({ prepared }: PartJob, answer: DeliveryResult): DeliveryResult {
  return prepared === null ? answer : settle(prepared, answer);
}
