import { CallEnd } from '../backend/call/call-end.ts';
import { type DeliveryResult, failedDelivery, type Job, unansweredInTime } from '../backend/job.ts';
import type { Part } from '../backend/part.ts';
import { admit, answered } from '../backend/part-job.ts';
import { isDelivered } from '../model/status.ts';
import { messageFor } from './message-for.ts';

/** Copies that may be under way at once; further ones are left out, as they would fill the memory. */
const MOST_COPIES = 1_000;

/** Where copies go, and how many are on their way. */
export interface Copies {
  readonly part: Part;
  underWay: number;
  /** Not made because too many were under way. */
  leftOut: number;
}

/** Sends a copy of what was, or may have been, sent; nobody waits for it, and its failure changes nothing. */
export function sendCopy(copies: Copies, { index, message }: Job, { recipients }: DeliveryResult): void {
  // The others may still get it by another try, which then is copied, too.
  const reached = [...recipients.values()].filter((each) => isDelivered(each) || each.status === 'unknown');
  if (reached.length === 0) return;
  if (copies.underWay >= MOST_COPIES) {
    copies.leftOut++;
    return;
  }
  copies.underWay++;
  // The deadline of the connection for copies: the one of the call is over with the call.
  const end = CallEnd.of(undefined, copies.part.facts.options.deadlineMs);
  deliver(copies.part, { index, message: messageFor(message, reached), signal: end?.signal }, end)
    .catch(() => {})
    .finally(() => {
      end?.clear();
      copies.underWay--;
    });
}

async function deliver(part: Part, job: Job, end: CallEnd | null): Promise<void> {
  const admitted = admit(part, job);
  if (!('job' in admitted)) {
    part.count(admitted);
    return;
  }
  part.taken();
  const answers = part.deliver(only(admitted.job), { signal: job.signal });
  const next = () => end?.wait(answers.next()) ?? answers.next();
  try {
    let step = await next();
    for (; step !== null && step.done !== true; step = await next()) part.count(answered(admitted, step.value));
    if (step !== null) return;
    part.count(failedDelivery(job, unansweredInTime(job.signal?.reason)));
    void Promise.resolve(answers.return?.()).catch(() => {});
  } finally {
    part.answered();
    part.ended();
  }
}

async function* only(job: Job): AsyncGenerator<Job, void, undefined> {
  yield job;
}
