import type { AccountRates } from '../util/rates.ts';
import { EmailBackend } from './backend.ts';
import type { CallHost } from './call/call.ts';
import type { BackendFacts } from './call/read-input.ts';
import type { DeliveryFilter } from './filter.ts';
import type { DeliveryContext, DeliveryResult, Job } from './job.ts';

/** What a backend lets wrappers use of it that its callers do not see. */
export interface Inside {
  readonly host: CallHost;
  /** What stands before it alone. */
  readonly filters: readonly DeliveryFilter[];
  deliverSync(jobs: readonly Job[]): readonly DeliveryResult[];
  isOpen(): boolean;
}

const NO_GUARDS: readonly never[] = /* @__PURE__ */ Object.freeze([]);

/**
 * A connection that a wrapper is made of. What the wrapper's own call has done is not done again: messages are checked, listeners
 * have heard of them, the staging guard has let them pass. What this connection itself asks for is done here.
 */
export class Part {
  readonly connection: EmailBackend;
  readonly #inside: Inside;
  readonly #host: CallHost;
  readonly #guards: () => readonly DeliveryFilter[];

  /**
   * @param guards what its messages must pass besides, for a wrapper whose messages come from elsewhere than a call of its own
   * @throws {ConfigurationError} `invalid-backend` for what does not extend EmailBackend, or goes past the staging guard.
   */
  constructor(connection: EmailBackend, guards: () => readonly DeliveryFilter[] = () => NO_GUARDS) {
    this.connection = connection;
    this.#inside = EmailBackend.inside(connection);
    this.#host = this.#inside.host;
    this.#guards = guards;
  }

  /** Whether somebody has opened it who has not closed it yet. */
  get isOpen(): boolean {
    return this.#inside.isOpen();
  }

  /** How many calls it lets run at once. */
  get maxActiveCalls(): number {
    return this.#host.gate.limit;
  }

  /** Whether {@link deliver} asks each job's {@link Job.beforeCommit} itself, as late as it can. */
  get awaitsCommit(): boolean {
    return this.#host.awaitsCommit;
  }

  /** How long its provider remembers idempotency keys, in milliseconds; null when it has none. */
  get idempotencyMs(): number | null {
    return this.#host.idempotencyMs;
  }

  /** What its account may send, over all that use it; null where that is not known. Asks its provider. */
  accountRates(): Promise<AccountRates | null> {
    return this.#host.accountRates();
  }

  /** Its name, features and options. */
  get facts(): BackendFacts {
    return this.#host;
  }

  /** What stands before this connection alone, and the guards. */
  get filters(): readonly DeliveryFilter[] {
    const guards = this.#guards();
    const { filters } = this.#inside;
    return guards.length === 0 ? filters : [...guards, ...filters];
  }

  /** Counts what became of a try in the connection's statistics. */
  count({ recipients }: DeliveryResult): void {
    this.#host.traffic.count(recipients.values());
  }

  /** It has taken a message; {@link answered} follows. */
  taken(): void {
    this.#host.traffic.messageTaken();
  }

  /** It has answered a message, or nobody waits for that any more. */
  answered(): void {
    this.#host.traffic.messageAnswered();
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
    return this.#inside.deliverSync(jobs);
  }
}
