import type { EmailError } from '../../model/errors.ts';
import type { EmailMessage } from '../../model/message.ts';
import type { MessageResult } from '../../model/status.ts';
import type { breathe } from '../../util/breathe.ts';
import type { AccountRates } from '../../util/rates.ts';
import type { DeliveryFilter } from '../filter.ts';
import { type DeliveryContext, type DeliveryResult, type Job, reasonToStop, unansweredInTime } from '../job.ts';
import { CallAccount } from './call-account.ts';
import { CallEnd } from './call-end.ts';
import type { CallOptions } from './call-options.ts';
import type { Gate } from './gate.ts';
import { JobReader } from './job-reader.ts';
import type { MessageSource } from './message-source.ts';
import type { BackendFacts, Prepared } from './read-input.ts';
import { ResultQueue } from './result-queue.ts';
import { notTaken, settle, unanswered } from './settle.ts';
import { tellListeners } from './tell-listeners.ts';
import type { Traffic } from './traffic.ts';

/** The backend as its calls see it; one object for all of them. */
export interface CallHost extends BackendFacts {
  readonly gate: Gate;
  readonly traffic: Traffic;
  /** Given, as it must be loaded before a test's fake timers are there. */
  readonly breathe: typeof breathe;
  /** Whether `deliver` asks each job's {@link Job.beforeCommit} itself. */
  readonly awaitsCommit: boolean;
  /** How long its provider remembers idempotency keys, in milliseconds; null when it has none. */
  readonly idempotencyMs: number | null;
  /** As {@link EmailBackend.accountRates}. */
  accountRates(): Promise<AccountRates | null>;
  /** What stands before the backend now; asked once a call. @throws {ConfigurationError} */
  filters(): readonly DeliveryFilter[];
  deliver(jobs: AsyncIterable<Job>, context: DeliveryContext): AsyncIterable<DeliveryResult>;
}

const DONE: IteratorReturnResult<undefined> = /* @__PURE__ */ Object.freeze({ done: true, value: undefined });

/**
 * One call on its way, as the iterator of its results. It has three parts, each with one who drives it:
 *
 * - answering, here: whoever takes the results. While one is wanted, the backend is asked for its next answer.
 * - reading ({@link JobReader}): the backend. When it asks for a job, messages are read and prepared.
 * - accounting ({@link CallAccount}): nobody. The other two report to it what they take, answer, hand out and wait for.
 *
 * Nothing starts before the first result is asked for. At the end the iterator throws what went wrong beside the messages.
 */
export class Call implements AsyncIterableIterator<MessageResult> {
  readonly #host: CallHost;
  readonly #source: MessageSource;
  readonly #options: CallOptions;
  readonly #account: CallAccount;
  readonly #results: ResultQueue<MessageResult>;
  #state: 'new' | 'running' | 'over' = 'new';
  #jobs: JobReader | null = null;
  #answers: AsyncIterator<DeliveryResult> | null = null;
  /** The backend is asked for an answer, or has none any more. */
  #isAsking = false;
  /** The deadline has passed: the backend is asked on whether or not results are wanted. */
  #isLate = false;
  /** Results that the listeners are being told. */
  #reporting = 0;
  /** What ends the call early; null for a call that nothing can end. */
  #callEnd: CallEnd | null;

  /**
   * @param gate The gate in which the call holds a place, or null.
   * @param callEnd The end of a call that began before, when it was put in line.
   */
  constructor(
    host: CallHost,
    source: MessageSource,
    options: CallOptions,
    gate: Gate | null = null,
    callEnd: CallEnd | null = null,
  ) {
    this.#host = host;
    this.#source = source;
    this.#options = options;
    this.#callEnd = callEnd;
    const account = new CallAccount(host.traffic, gate, options.onProgress, source.total);
    this.#account = account;
    this.#results = new ResultQueue((result) => account.handOut(result));
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<MessageResult>> {
    const step = this.#results.next();
    if (this.#state === 'new') this.#begin();
    this.#goOn();
    return step;
  }

  /** Ends the call early: no further message is taken, those under way the backend lets finish, and nobody is told. */
  async return(): Promise<IteratorResult<MessageResult>> {
    const wasRunning = this.#state === 'running';
    this.#state = 'over';
    this.#source.close();
    this.#jobs?.leave();
    try {
      if (!wasRunning) return DONE;
      const left = Promise.resolve(this.#answers?.return?.());
      await (this.#callEnd?.wait(left) ?? left);
      return DONE;
    } finally {
      this.#callEnd?.clear();
      if (wasRunning) this.#account.end();
      this.#results.return();
    }
  }

  #begin(): void {
    this.#state = 'running';
    this.#account.begin();
    this.#callEnd ??= CallEnd.of(this.#options.signal, this.#host.options.deadlineMs);
    const signal = this.#callEnd?.signal;
    if (this.#callEnd !== null) {
      this.#callEnd.owner = { onDeadline: () => this.#onDeadline(), onSilence: () => this.#onSilence() };
    }
    try {
      this.#jobs = new JobReader({
        backend: this.#host,
        breathe: this.#host.breathe,
        filters: this.#host.filters(),
        source: this.#source,
        signal,
        account: this.#account,
        beforeCommit: this.#options.beforeCommit,
        refuse: (message, result) => {
          this.#report(message, result);
          return this.#results.demand();
        },
      });
      this.#answers = this.#host.deliver(this.#jobs, { signal })[Symbol.asyncIterator]();
    } catch (error) {
      this.#finish(error);
    }
  }

  #onDeadline(): void {
    this.#isLate = true;
    this.#goOn();
  }

  /** What a silent backend has been given may have been sent. */
  #onSilence(): void {
    if (this.#state !== 'running') return;
    this.#finish(unansweredInTime(this.#callEnd?.signal.reason));
    void Promise.resolve(this.#answers?.return?.()).catch(() => {});
  }

  /** Asks the backend for its next answer while a result is wanted, or tells the end. */
  #goOn(): void {
    const { hasDemand } = this.#results;
    if (this.#state === 'running') {
      if (hasDemand || this.#isLate) void this.#ask();
      return;
    }
    if (!hasDemand || this.#reporting > 0) return;
    const { callError } = this.#account;
    if (callError === null) this.#results.end();
    else this.#results.fail(callError);
  }

  async #ask(): Promise<void> {
    if (this.#isAsking || this.#answers === null) return;
    this.#isAsking = true;
    try {
      const step = await this.#answers.next();
      if (step.done === true) this.#finish(undefined);
      else {
        this.#isAsking = false;
        this.#onAnswer(step.value);
      }
    } catch (error) {
      this.#finish(error);
    }
  }

  #onAnswer(answer: DeliveryResult): void {
    const prepared = this.#account.find(answer.index);
    // An answer to what was not asked, or a second one, says nothing that could be trusted more than the first.
    if (prepared === undefined) this.#goOn();
    else this.#settle(prepared, settle(prepared, answer));
  }

  #settle(prepared: Prepared, result: MessageResult): void {
    this.#account.answered(prepared);
    this.#report(prepared.message, result);
  }

  /** A result is there: it is handed out after the listeners have seen it. */
  #report(message: EmailMessage | null, result: MessageResult): void {
    const told = message === null ? null : tellListeners(this.#host.name, message, result);
    if (!(told instanceof Promise)) {
      this.#onReported(result, told);
      return;
    }
    this.#reporting++;
    // What became of the message is known, whether or not a listener is ever done with it.
    const heard = this.#callEnd === null ? told : this.#callEnd.wait(told);
    void this.#account.outside(heard).then((callError) => {
      this.#reporting--;
      this.#releaseEnd();
      this.#onReported(result, callError);
    });
  }

  #onReported(result: MessageResult, callError: EmailError | null): void {
    if (callError !== null) this.#account.fail(callError);
    this.#results.push(result);
    this.#goOn();
  }

  /** The backend has ended, by itself or by throwing `error`: whatever has no result yet gets one. */
  #finish(error: unknown): void {
    if (this.#state === 'over') return;
    for (const prepared of this.#account.unanswered) this.#settle(prepared, unanswered(prepared, error));
    this.#refuseRest(error);
    this.#state = 'over';
    this.#jobs?.leave();
    this.#account.end();
    this.#releaseEnd();
    this.#goOn();
  }

  /** Gives the messages that were never taken their results; what may be endless is not read on, and the call ends in error. */
  #refuseRest(error: unknown): void {
    const source = this.#source;
    const inHand = this.#jobs?.takeInHand() ?? [];
    if (inHand.length === 0 && source.isExhausted) return; // an error with its stack is not cheap
    const reason = reasonToStop(error, this.#callEnd?.signal);
    for (const read of inHand) this.#report(read.message, notTaken(read, reason));
    if (source.isExhausted) return;
    if (source.total === null) this.#account.fail(reason);
    for (let read = source.readList(); read !== null; read = source.readList()) {
      this.#report(read.message, notTaken(read, reason));
    }
    source.close();
  }

  #releaseEnd(): void {
    if (this.#state === 'over' && this.#reporting === 0) this.#callEnd?.clear();
  }
}
