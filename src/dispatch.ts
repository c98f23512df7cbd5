import { CallEnd, type CallOwner } from './call-end.ts';
import { type DeliveryContext, type DeliveryResult, type Job, reasonToStop, unansweredInTime } from './delivery.ts';
import type { DeliveryFilter } from './delivery-filter.ts';
import { type EmailError, SendError } from './errors.ts';
import type { Awaitable } from './events.ts';
import type { Gate } from './gate.ts';
import type { EmailMessage } from './message.ts';
import type { MessageSource } from './message-source.ts';
import { jobOf, prepare } from './prepare.ts';
import type { Prepared, ReadInput, Sender } from './read-input.ts';
import { notTaken, settle, unanswered } from './settle.ts';
import type { MessageResult } from './status.ts';
import { tellListeners } from './tell-listeners.ts';
import type { Traffic } from './traffic.ts';
import { breathe } from './util/breathe.ts';
import { IndexMap } from './util/index-map.ts';
import { Leaving } from './util/leaving.ts';
import { reasonOf } from './util/reason.ts';
import { unlessAborted } from './util/unless-aborted.ts';

/** How far a call has come, told after each message. */
export interface SendProgress {
  /** Messages that have a result. */
  readonly done: number;
  /** Messages of the call when they were given as an array, else null. */
  readonly total: number | null;
  /** The latest result. */
  readonly latest: MessageResult;
}

/** The settings of a stream of messages. */
export interface CallOptions {
  /** Stops the call: messages not handed over become `failed` (`aborted`), those in doubt `unknown`. */
  readonly signal?: AbortSignal;
  /** Told after every message. */
  readonly onProgress?: (progress: SendProgress) => void;
}

/** What a dispatch needs of the backend it serves; one object for all its calls. */
export interface DispatchHost extends Sender {
  readonly gate: Gate;
  readonly traffic: Traffic;
  /** What stands before the backend now; asked once a call. @throws {ConfigurationError} */
  filters(): readonly DeliveryFilter[];
  deliver(jobs: AsyncIterable<Job>, context: DeliveryContext): AsyncIterable<DeliveryResult>;
}

/** Who gets the results of a dispatch. */
export interface Receiver {
  /** Whether it waits for a result, or for the end. */
  readonly wants: boolean;
  take(result: MessageResult): void;
  /** Everything was taken; `trouble` is what went wrong beside the messages. */
  end(trouble: EmailError | null): void;
}

const DONE: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined });

/**
 * One call on its way: hands prepared jobs to the backend as fast as it takes them, and hands out the results, both those of
 * the backend and those of messages that never reached it, as fast as the receiver takes those.
 *
 * Iterators are written out rather than generated: this is the hot path of bulk mail.
 */
export class Dispatch implements CallOwner {
  readonly #host: DispatchHost;
  readonly #source: MessageSource;
  readonly #options: CallOptions;
  readonly #receiver: Receiver;
  /** The gate in which the call holds a place, or null. */
  #gate: Gate | null;
  readonly #since: number | null;
  /** The deadline has passed: the backend is asked on whether or not results are wanted. */
  #isLate = false;
  #filters: readonly DeliveryFilter[] = [];
  #deliveries: AsyncIterator<DeliveryResult> | null = null;
  readonly #taken = new IndexMap<Prepared>();
  /** Read, and with the listeners of BeforeSend; few at a time. */
  readonly #inHand: ReadInput[] = [];
  readonly #ready: MessageResult[] = [];
  #trouble: EmailError | null = null;
  #done = 0;
  /** Results that the listeners are being told. */
  #telling = 0;
  /** How much of the caller's own code is waited for. */
  #outside = 0;
  #isReading = false;
  #isClosed = false;
  #state: 'new' | 'running' | 'over' = 'new';
  /** What ends the call early; null for a call that nothing can end. */
  #callEnd: CallEnd | null = null;
  /** Ends what is waited for of the caller's own code. */
  readonly #leaving = new Leaving();
  /** What the backend waits for when it wants a job before the receiver wants a result. */
  #demand: { readonly promise: Promise<void>; readonly meet: () => void } | null = null;

  constructor(
    host: DispatchHost,
    source: MessageSource,
    options: CallOptions,
    receiver: Receiver,
    gate: Gate | null,
    since: number | null = null,
  ) {
    this.#since = since;
    this.#host = host;
    this.#source = source;
    this.#options = options;
    this.#receiver = receiver;
    this.#gate = gate;
  }

  start(): void {
    this.#state = 'running';
    this.#host.traffic.callStarted();
    const { signal } = this.#options;
    const { deadlineMs } = this.#host.options;
    const passedMs = this.#since === null ? 0 : performance.now() - this.#since;
    this.#callEnd = CallEnd.of({ signal, deadlineMs, passedMs }, this);
    try {
      this.#filters = this.#host.filters();
      this.#deliveries = this.#host.deliver(this.#jobs(), { signal: this.#signal })[Symbol.asyncIterator]();
      this.pump();
    } catch (error) {
      this.#finish(error);
    }
  }

  /** Moves on while results are wanted: hands out what is ready, tells the end, or asks the backend for its next answer. */
  pump(): void {
    while (this.#receiver.wants) {
      const result = this.#ready.shift();
      if (result !== undefined) this.#handOut(result);
      else if (this.#state !== 'over') {
        this.#askBackend();
        return;
      } else {
        if (this.#telling === 0) this.#end();
        return;
      }
    }
    if (this.#isLate && this.#state !== 'over') this.#askBackend();
  }

  onDeadline(): void {
    this.#isLate = true;
    this.pump();
  }

  /** What a silent backend has been given may have been sent. */
  onSilence(): void {
    if (this.#state !== 'running') return;
    const deliveries = this.#deliveries;
    this.#finish(unansweredInTime(this.#signal?.reason));
    void Promise.resolve(deliveries?.return?.()).catch(() => {});
  }

  /** Ends the call early: no further message is taken, those under way the backend lets finish, and nobody is told. */
  async stop(): Promise<void> {
    const wasRunning = this.#state === 'running';
    this.#inHand.length = 0;
    this.#state = 'over';
    this.#ready.length = 0;
    this.#source.close();
    this.#leaving.leave();
    this.#meetDemand();
    if (!wasRunning) {
      this.#callEnd?.clear();
      return;
    }
    try {
      const left = Promise.resolve(this.#deliveries?.return?.());
      await (this.#callEnd?.wait(left) ?? left);
    } finally {
      this.#callEnd?.clear();
      for (const { index } of [...this.#taken.values()]) {
        this.#taken.delete(index);
        this.#host.traffic.messageAnswered();
      }
      this.#host.traffic.callEnded();
    }
  }

  get #signal(): AbortSignal | undefined {
    return this.#callEnd?.signal;
  }

  /** A method, as what it tells changes while something is awaited. */
  #isOver(): boolean {
    return this.#state === 'over';
  }

  #jobs(): AsyncIterableIterator<Job> {
    const jobs: AsyncIterableIterator<Job> = {
      [Symbol.asyncIterator]: () => jobs,
      next: () => this.#nextJob(),
      return: () => {
        this.#isClosed = true;
        return Promise.resolve(DONE);
      },
    };
    return jobs;
  }

  async #nextJob(): Promise<IteratorResult<Job>> {
    for (;;) {
      const turn = breathe();
      if (turn !== null) await turn;
      if (this.#isClosed || this.#isOver() || this.#signal?.aborted) return DONE;
      const reading = this.#read();
      const read = reading instanceof Promise ? await reading : reading;
      if (read === null || this.#isOver()) return DONE; // it may have ended meanwhile
      const preparing = prepare(this.#host, this.#filters, read);
      const prepared = preparing instanceof Promise ? await this.#waitInHand(read, preparing) : preparing;
      if (prepared === null) return DONE;
      if (prepared.kind === 'refused') this.#settle(prepared.message, prepared.result);
      else if (this.#signal?.aborted) this.#settle(prepared.message, notTaken(prepared, this.#reason(undefined)));
      else return this.#take(prepared);
      if (!this.#receiver.wants) await this.#untilWanted();
    }
  }

  #read(): Awaitable<ReadInput | null> {
    try {
      const read = this.#source.read();
      if (!(read instanceof Promise)) return read;
      const reading = unlessAborted(read, this.#signal).catch((cause: unknown) => this.#onSourceFailed(cause));
      return this.#waitOutside(this.#leaving.unlessLeft(reading));
    } catch (cause) {
      return this.#onSourceFailed(cause);
    }
  }

  #onSourceFailed(cause: unknown): null {
    if (this.#signal?.aborted) return null;
    const reason = reasonOf(cause);
    const text = `reading message ${this.#source.index} failed, no further one was sent: ${reason}`;
    this.#trouble ??= new SendError('source', text, { phase: 'queue', cause });
    this.#source.close();
    return null;
  }

  /** What the listeners made of it; null when the call has ended meanwhile, which gave it its result or told nobody. */
  async #waitInHand(read: ReadInput, preparing: Promise<ReadInput>): Promise<ReadInput | null> {
    this.#inHand.push(read);
    // A message that no listener has let go yet is not sent once the call is ended.
    const decided = unlessAborted(preparing, this.#signal).catch(() => read);
    const prepared = await this.#waitOutside(this.#leaving.unlessLeft(decided));
    if (prepared === null) return null;
    const place = this.#inHand.indexOf(read);
    if (place < 0) return null;
    this.#inHand.splice(place, 1);
    return prepared;
  }

  #take(prepared: Prepared): IteratorResult<Job> {
    this.#taken.set(prepared.index, prepared);
    this.#host.traffic.messageTaken();
    return { done: false, value: jobOf(prepared, this.#signal) };
  }

  #untilWanted(): Promise<void> {
    if (this.#demand === null) {
      let meet = () => {};
      const promise = new Promise<void>((resolve) => {
        meet = resolve;
      });
      this.#demand = { promise, meet };
    }
    return this.#demand.promise;
  }

  #meetDemand(): void {
    this.#demand?.meet();
    this.#demand = null;
  }

  #askBackend(): void {
    this.#meetDemand();
    if (this.#isReading || this.#deliveries === null) return;
    this.#isReading = true;
    this.#deliveries.next().then(this.#onStep, this.#onThrown);
  }

  readonly #onStep = (step: IteratorResult<DeliveryResult>): void => {
    if (step.done === true) {
      this.#finish(undefined);
      return;
    }
    this.#isReading = false;
    const prepared = this.#taken.get(step.value.index);
    // An answer to what was not asked, or a second one, says nothing that could be trusted more than the first.
    if (prepared === undefined) this.pump();
    else this.#answer(prepared, settle(prepared, step.value));
  };

  readonly #onThrown = (error: unknown): void => this.#finish(error);

  #answer(prepared: Prepared, result: MessageResult): void {
    this.#taken.delete(prepared.index);
    this.#host.traffic.messageAnswered();
    this.#settle(prepared.message, result);
  }

  /** A result is there: it is handed out after the listeners have seen it. */
  #settle(message: EmailMessage | null, result: MessageResult): void {
    const told = message === null ? null : tellListeners(this.#host.name, message, result);
    if (!(told instanceof Promise)) {
      this.#onTold(told, result);
      return;
    }
    this.#telling++;
    // What became of the message is known, whether or not a listener is ever done with it.
    const heard = this.#callEnd === null ? told : this.#callEnd.wait(told);
    void this.#waitOutside(heard).then((trouble) => {
      this.#telling--;
      this.#releaseEnd();
      this.#onTold(trouble, result);
    });
  }

  #onTold(trouble: EmailError | null, result: MessageResult): void {
    this.#trouble ??= trouble;
    this.#ready.push(result);
    this.pump();
  }

  #handOut(result: MessageResult): void {
    this.#host.traffic.count(result);
    this.#done++;
    try {
      this.#options.onProgress?.({ done: this.#done, total: this.#source.total, latest: result });
    } catch (cause) {
      this.#trouble ??= new SendError('listener', 'onProgress failed; the mails were sent on', {
        phase: 'hook',
        cause,
      });
    }
    this.#receiver.take(result);
  }

  /** The backend has ended, by itself or by throwing `error`: whatever has no result yet gets one. */
  #finish(error: unknown): void {
    if (this.#state === 'over') return;
    for (const prepared of this.#taken.values()) this.#answer(prepared, unanswered(prepared, error));
    this.#answerRest(error);
    this.#state = 'over';
    this.#leaving.leave();
    if (this.#outside === 0) this.#gate?.leave();
    this.#gate = null;
    this.#host.traffic.callEnded();
    this.#releaseEnd();
    this.pump();
  }

  #releaseEnd(): void {
    if (this.#state === 'over' && this.#telling === 0) this.#callEnd?.clear();
  }

  /** Gives the messages that were never taken their results; what may be endless is not read on, and the call ends in error. */
  #answerRest(error: unknown): void {
    if (this.#inHand.length === 0 && this.#source.isExhausted) return; // an error with its stack is not cheap
    const reason = this.#reason(error);
    for (const read of this.#inHand.splice(0)) this.#settle(read.message, notTaken(read, reason));
    if (this.#source.isExhausted) return;
    if (this.#source.total === null) this.#trouble ??= reason;
    for (let read = this.#source.readList(); read !== null; read = this.#source.readList()) {
      this.#settle(read.message, notTaken(read, reason));
    }
    this.#source.close();
  }

  #reason(error: unknown): EmailError {
    return reasonToStop(error, this.#signal);
  }

  #end(): void {
    const trouble = this.#trouble;
    this.#trouble = null;
    this.#receiver.end(trouble);
  }

  /** Waits for the caller's own code, which may itself send: the place in the gate is free meanwhile. */
  async #waitOutside<T>(waiting: Promise<T>): Promise<T> {
    if (this.#outside++ === 0) this.#gate?.leave();
    try {
      return await waiting;
    } finally {
      if (--this.#outside === 0) this.#gate?.resume();
    }
  }
}
