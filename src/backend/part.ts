import { findMissingFeatures, NOTHING_MISSING } from '../model/features.ts';
import type { EmailBackend } from './backend.ts';
import type { CallHost } from './call/call.ts';
import { pass } from './call/prepare.ts';
import type { BackendFacts, Prepared } from './call/read-input.ts';
import { settle } from './call/settle.ts';
import type { DeliveryFilter } from './filter.ts';
import type { DeliveryContext, DeliveryResult, Job } from './job.ts';

/** A job as a part gets it, and what its answer is read with. */
export interface PartJob {
  readonly job: Job;
  /** Null where nothing stands between the wrapper and the part. */
  readonly prepared: Prepared | null;
}

const NONE: readonly never[] = /* @__PURE__ */ Object.freeze([]);

/**
 * A connection that a wrapper is made of. What the wrapper's own call has done is not done again: messages are checked, listeners
 * have heard of them, the staging guard has let them pass. What this connection itself asks for is done here.
 */
export class Part {
  readonly connection: EmailBackend;
  readonly #host: CallHost;
  readonly #filters: readonly DeliveryFilter[];
  readonly #deliverSync: (jobs: readonly Job[]) => readonly DeliveryResult[];

  constructor(
    connection: EmailBackend,
    host: CallHost,
    filters: readonly DeliveryFilter[],
    deliverSync: (jobs: readonly Job[]) => readonly DeliveryResult[],
  ) {
    this.connection = connection;
    this.#host = host;
    this.#filters = filters;
    this.#deliverSync = deliverSync;
  }

  /** How many calls it lets run at once. */
  get maxActiveCalls(): number {
    return this.#host.gate.limit;
  }

  /** Its name, features and options. */
  get facts(): BackendFacts {
    return this.#host;
  }

  /** The job as the connection gets it, or why it gets none. */
  admit(job: Job): PartJob | DeliveryResult {
    const { index, message, signal } = job;
    const { features } = this.#host;
    // The usual case, in the way of every mail.
    if (this.#filters.length === 0 && findMissingFeatures(message, features) === NOTHING_MISSING)
      return { job, prepared: null };
    const ready: Prepared = {
      kind: 'prepared',
      index,
      message,
      outgoing: message,
      passed: NONE,
      ignored: NONE,
      invalid: NONE,
    };
    const passed = pass(this.#host, this.#filters, ready);
    if (passed.kind === 'refused') return passed.result;
    return { job: { ...job, message: passed.outgoing, signal }, prepared: passed };
  }

  /** What the connection's answer says of the message that the wrapper gave. */
  answered({ prepared }: PartJob, answer: DeliveryResult): DeliveryResult {
    return prepared === null ? answer : settle(prepared, answer);
  }

  /** Counts what became of a try in the connection's statistics. */
  count({ recipients }: DeliveryResult): void {
    this.#host.traffic.count(recipients.values());
  }

  /** Delivers what was admitted; {@link ended} follows. */
  deliver(jobs: AsyncIterable<Job>, context: DeliveryContext): AsyncIterator<DeliveryResult> {
    this.#host.traffic.callStarted();
    return this.#host.deliver(jobs, context)[Symbol.asyncIterator]();
  }

  /** A delivery is over: the connection may be closed. */
  ended(): void {
    this.#host.traffic.callEnded();
  }

  /** Delivers while the thread waits. @throws {ConfigurationError} `not-blocking` */
  deliverSync(jobs: readonly Job[]): readonly DeliveryResult[] {
    return this.#deliverSync(jobs);
  }
}
