import { type EmailError, SendError } from '../../model/errors.ts';
import type { MessageResult } from '../../model/status.ts';
import { IndexMap } from '../../util/index-map.ts';
import type { SendProgress } from './call-options.ts';
import { asUncertain, mayBeSent } from './conclusion.ts';
import type { Gate } from './gate.ts';
import type { Prepared } from './read-input.ts';
import type { Traffic } from './traffic.ts';

/**
 * The accounts of one call: the jobs that are not answered, its place in the gate, and what the connection's statistics and
 * the caller's `onProgress` are told. Reading and answering report here; nothing is driven from here.
 */
export class CallAccount {
  readonly #traffic: Traffic;
  readonly #onProgress: ((progress: SendProgress) => void) | undefined;
  readonly #total: number | null;
  readonly #taken = new IndexMap<Prepared>();
  #gate: Gate | null;
  /** How much of the caller's own code is waited for. */
  #outside = 0;
  #done = 0;
  #hasSent = false;
  #callError: EmailError | null = null;

  /**
   * @param gate The gate in which the call holds a place, or null.
   * @param total How many messages there are, if that is known.
   */
  constructor(
    traffic: Traffic,
    gate: Gate | null,
    onProgress: ((progress: SendProgress) => void) | undefined,
    total: number | null,
  ) {
    this.#traffic = traffic;
    this.#gate = gate;
    this.#onProgress = onProgress;
    this.#total = total;
  }

  /** What the call ends with beside its results: the first that went wrong without being a message's own fault. */
  get callError(): EmailError | null {
    return this.#callError && this.#hasSent ? asUncertain(this.#callError) : this.#callError;
  }

  /** The call runs; {@link end} undoes it. */
  begin(): void {
    this.#traffic.callStarted();
  }

  /** The jobs that have no answer. */
  get unanswered(): readonly Prepared[] {
    return this.#taken.values();
  }

  /** Something went wrong beside the messages. */
  fail(error: EmailError): void {
    this.#callError ??= error;
  }

  /** The backend has a job. */
  take(prepared: Prepared): void {
    this.#taken.set(prepared.index, prepared);
    this.#traffic.messageTaken();
  }

  /** The job of that index, if it waits for an answer. */
  find(index: number): Prepared | undefined {
    return this.#taken.get(index);
  }

  /** A job has its answer. */
  answered(prepared: Prepared): void {
    this.#taken.delete(prepared.index);
    this.#traffic.messageAnswered();
  }

  /** Somebody takes a result. */
  handOut(latest: MessageResult): void {
    this.#traffic.count(latest.recipients.values());
    this.#done++;
    this.#hasSent ||= mayBeSent(latest);
    try {
      this.#onProgress?.({ done: this.#done, total: this.#total, latest });
    } catch (cause) {
      this.fail(new SendError('listener', 'onProgress failed; the mails were sent on', { phase: 'hook', cause }));
    }
  }

  /** Waits for the caller's own code, which may itself send: the place in the gate is free meanwhile. */
  async outside<T>(waiting: Promise<T>): Promise<T> {
    if (this.#outside++ === 0) this.#gate?.leave();
    try {
      return await waiting;
    } finally {
      if (--this.#outside === 0) this.#gate?.resume();
    }
  }

  /** The call is over: what it holds is given back, and what is not answered is not waited for. */
  end(): void {
    for (const prepared of this.unanswered) this.answered(prepared);
    if (this.#outside === 0) this.#gate?.leave();
    this.#gate = null;
    this.#traffic.callEnded();
  }
}
