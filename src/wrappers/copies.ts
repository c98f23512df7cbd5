import { CallEnd } from '../backend/call/call-end.ts';
import { type DeliveryResult, failedDelivery, type Job, unansweredInTime } from '../backend/job.ts';
import type { Part } from '../backend/part.ts';
import { admit, answered } from '../backend/part-job.ts';
import type { EmailMessage } from '../model/message.ts';
import { isDelivered, type RecipientStatus } from '../model/status.ts';
import { messageFor } from './message-for.ts';

const DONE: IteratorReturnResult<undefined> = /* @__PURE__ */ Object.freeze({ done: true, value: undefined });

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
  const reached: RecipientStatus[] = [];
  for (const each of recipients.values()) if (isDelivered(each) || each.status === 'unknown') reached.push(each);
  if (reached.length === 0) return;
  if (copies.underWay >= MOST_COPIES) {
    copies.leftOut++;
    return;
  }
  copies.underWay++;
  void deliver(copies, index, messageFor(message, reached));
}

async function deliver(copies: Copies, index: number, message: EmailMessage): Promise<void> {
  // The deadline of the connection for copies: the one of the call is over with the call.
  const end = CallEnd.of(undefined, copies.part.facts.options.deadlineMs);
  try {
    await deliverWithin(copies.part, { index, message, signal: end?.signal }, end);
  } catch {
    // Nobody waits for it.
  } finally {
    end?.clear();
    copies.underWay--;
  }
}

async function deliverWithin(part: Part, job: Job, end: CallEnd | null): Promise<void> {
  const admitted = admit(part, job);
  if (!('job' in admitted)) {
    part.count(admitted);
    return;
  }
  part.taken();
  const answers = part.deliver(new Only(admitted.job), { signal: job.signal });
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

/** The one job of a call; written out, as a generator costs three times as much. */
class Only implements AsyncIterableIterator<Job> {
  #job: Job | null;

  constructor(job: Job) {
    this.#job = job;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Job>> {
    const job = this.#job;
    this.#job = null;
    return Promise.resolve(job === null ? DONE : { done: false, value: job });
  }

  return(): Promise<IteratorResult<Job>> {
    this.#job = null;
    return Promise.resolve(DONE);
  }
}
