import type { DeliveryResult, Job } from '../backend/job.ts';
import type { Part } from '../backend/part.ts';
import type { EmailMessage } from '../model/message.ts';
import { SYSTEM_CLOCK } from '../util/clock.ts';
import type { TracedMail } from '../wrappers/trace-try.ts';
import { WrapperCall } from '../wrappers/wrapper-call.ts';
import type { MailFacts } from './facts.ts';
import type { Judged, Verdict, Waits } from './judge.ts';
import type { Meter } from './meter.ts';
import type { LaneOptions, OutboxOptions } from './outbox-options.ts';
import type { ClaimedMail, OutboxStore } from './store.ts';

/** What a worker asks of a store. */
export type WorkerStore = Omit<OutboxStore, 'name' | 'enqueue' | 'query' | 'close'>;

/** What a worker works with. */
export interface WorkerHost {
  readonly store: WorkerStore;
  /** What it is to know of the connection. */
  readonly part: Pick<Part, 'awaitsCommit' | 'idempotencyMs' | 'accountRates'>;
  readonly lanes: Readonly<Record<string, LaneOptions>>;
  readonly options: Pick<OutboxOptions, 'retry' | 'leaseMs' | 'keepSent'>;
  readonly keepMs: number;
  readonly meter: Meter;
  /** What was kept of a mail besides its message. */
  readFacts(claimed: ClaimedMail): MailFacts;
  /** The message that was kept. */
  open(claimed: ClaimedMail): Promise<EmailMessage>;
  /** Sends them by one long call, which asks for mails when it has room, and answers each. */
  deliver(jobs: AsyncIterable<Job>, call: WorkerCall): AsyncIterable<DeliveryResult>;
  /** What a try means for a mail. */
  judge(mail: Judged, answer: DeliveryResult, waits: Waits): Verdict;
}

/** What concerns the call of a worker. */
interface WorkerCall {
  /** Ends it. */
  readonly signal: AbortSignal;
  /** What a trace tells of a job. */
  mailOf(index: number): TracedMail | null;
}

/** Sends over a connection whose own ways of trying again do not count: the outbox itself does. */
export function triedOnceOver(part: Part): WorkerHost['deliver'] {
  return (jobs, { signal, mailOf }) => {
    const parts = [{ name: part.facts.name, part }];
    const rules = { triesAgain: false, isTriedOnce: true, first: () => 0 } as const;
    return new WrapperCall({ name: 'outbox', parts, rules, clock: SYSTEM_CLOCK, depth: 1, mailOf }, jobs, { signal });
  };
}
