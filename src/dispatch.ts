import { conclude } from './conclusion.ts';
import type { DeliveryContext, DeliveryResult, Job } from './delivery.ts';
import { EmailError, SendError } from './errors.ts';
import type { Gate } from './gate.ts';
import type { EmailMessage } from './message.ts';
import {
  jobOf,
  type MessageInput,
  notTaken,
  type Prepared,
  prepare,
  type ReadInput,
  readInput,
  type Sender,
  settle,
  unanswered,
} from './prepare.ts';
import type { MessageResult, SendStatus } from './status.ts';
import { tellListeners } from './tell-listeners.ts';
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
  deliver(jobs: AsyncIterable<Job>, context: DeliveryContext): AsyncIterable<DeliveryResult>;
  onStart(): void;
  onTaken(): void;
  onAnswered(): void;
  onResult(result: MessageResult): void;
  onEnd(): void;
}

/** What a call is given to send. */
export type Messages = Iterable<MessageInput> | AsyncIterable<MessageInput>;

type Source = Iterator<MessageInput | ReadInput> | AsyncIterator<MessageInput>;

/** Who waits: an iteration for the next result, or a whole call for its status. */
type Waiter =
  | { readonly whole: false; resolve(step: IteratorResult<MessageResult>): void; reject(error: unknown): void }
  | { readonly whole: true; resolve(status: SendStatus): void; reject(error: unknown): void };

const DONE: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined });

/**
 * One call on its way: hands prepared jobs to the backend as fast as it takes them, and gives out the results, both those
 * of the backend and those of messages that never reached it.
 *
 * Iterators are written out rather than generated, and nothing is made before it is needed: this is the hot path of bulk
 * mail, and of a hundred thousand calls at once.
 */
export class Dispatch implements AsyncIterableIterator<MessageResult> {
  readonly #host: DispatchHost;
  readonly #options: CallOptions;
  readonly #total: number | null;
  #messages: Messages | readonly ReadInput[];
  #source: Source | null = null;
  #deliveries: AsyncIterator<DeliveryResult> | null = null;
  #taken: Map<number, Prepared> | null = null;
  #ready: MessageResult[] | null = null;
  #whole: { readonly results: MessageResult[]; readonly failSilently: boolean } | null = null;
  #waiter: Waiter | null = null;
  #trouble: EmailError | null = null;
  #nextIndex = 0;
  #done = 0;
  #telling = 0;
  #reading = false;
  #hasPlace = false;
  #state: 'new' | 'running' | 'ended' = 'new';

  constructor(host: DispatchHost, messages: Messages, options: CallOptions) {
    this.#host = host;
    this.#options = options;
    this.#messages = messages;
    this.#total = Array.isArray(messages) ? messages.length : null;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The next result. */
  next(): Promise<IteratorResult<MessageResult>> {
    if (this.#state === 'new') this.#start();
    return new Promise((resolve, reject) => {
      this.#waiter = { whole: false, resolve, reject };
      this.#pump();
    });
  }

  /** Ends the call early: no further message is taken, those under way are let finish by the backend. */
  async return(): Promise<IteratorResult<MessageResult>> {
    if (this.#state === 'running') {
      this.#closeSource();
      await this.#deliveries?.return?.();
      this.#host.onEnd();
    }
    this.#state = 'ended';
    return DONE;
  }

  /** All results as a status; waits its turn at the gate. */
  collect(failSilently: boolean): Promise<SendStatus> {
    const messages = this.#messages;
    // One message is read at once, so that the caller may reuse its objects; more are read as they are needed.
    if (Array.isArray(messages) && messages.length === 1) {
      this.#messages = [readInput(this.#host, messages[0], 0, failSilently)];
    }
    this.#whole = { results: [], failSilently };
    return new Promise((resolve, reject) => {
      this.#waiter = { whole: true, resolve, reject };
      const { signal } = this.#options;
      if (signal === undefined) this.#host.gate.enter(() => this.#startInGate());
      else this.#enterUnlessAborted(signal);
    });
  }

  #enterUnlessAborted(signal: AbortSignal): void {
    // Who aborts while waiting in the queue gets the answer at once, not when the queue has moved on.
    const onAbort = () => {
      if (this.#state !== 'new') return;
      this.#start();
      this.#pump();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    this.#host.gate.enter(() => {
      signal.removeEventListener('abort', onAbort);
      if (this.#state === 'new') this.#startInGate();
      else this.#host.gate.leave();
    });
  }

  #startInGate(): void {
    this.#hasPlace = true;
    this.#start();
    this.#pump();
  }

  #start(): void {
    this.#state = 'running';
    this.#host.onStart();
    const messages = this.#messages;
    this.#source = Symbol.asyncIterator in messages ? messages[Symbol.asyncIterator]() : messages[Symbol.iterator]();
    const jobs = new Jobs(
      () => this.#nextJob(),
      () => this.#closeSource(),
    );
    this.#deliveries = this.#host.deliver(jobs, { signal: this.#options.signal })[Symbol.asyncIterator]();
  }

  async #nextJob(): Promise<IteratorResult<Job>> {
    const { signal } = this.#options;
    for (;;) {
      if (this.#source === null || signal?.aborted) return DONE;
      const index = this.#nextIndex;
      try {
        const step = this.#source.next();
        const { done, value } = step instanceof Promise ? await this.#outsideGate(unlessAborted(step, signal)) : step;
        if (done === true) {
          this.#source = null;
          return DONE;
        }
        this.#nextIndex++;
        const input = 'kind' in value ? value : readInput(this.#host, value, index, this.#whole?.failSilently === true);
        const preparing = prepare(this.#host, input);
        const prepared = preparing instanceof Promise ? await this.#outsideGate(preparing) : preparing;
        if (prepared.kind === 'prepared') return this.#take(prepared);
        this.#deliverResult(prepared.message, prepared.result);
      } catch (cause) {
        if (signal?.aborted) return DONE;
        this.#source = null;
        const reason = cause instanceof Error ? cause.message : String(cause);
        const text = `reading message ${index} failed, no further one was sent: ${reason}`;
        this.#trouble ??= new SendError('source', text, { phase: 'queue', cause });
        return DONE;
      }
    }
  }

  /** Waits for the caller's own code, which may itself send: its place in the gate is free meanwhile. */
  async #outsideGate<T>(waiting: Promise<T>): Promise<T> {
    if (!this.#hasPlace) return waiting;
    this.#host.gate.leave();
    try {
      return await waiting;
    } finally {
      this.#host.gate.resume();
    }
  }

  #take(prepared: Prepared): IteratorResult<Job> {
    this.#taken ??= new Map();
    this.#taken.set(prepared.index, prepared);
    this.#host.onTaken();
    return { done: false, value: jobOf(prepared, this.#options.signal) };
  }

  /** Hands a result out, after the listeners have seen it. */
  #deliverResult(message: EmailMessage | null, result: MessageResult): void {
    const told = message === null ? null : tellListeners(this.#host.name, message, result);
    if (!(told instanceof Promise)) {
      this.#trouble ??= told;
      this.#setReady(result);
      return;
    }
    this.#telling++;
    void this.#outsideGate(told).then((trouble) => {
      this.#telling--;
      this.#trouble ??= trouble;
      this.#setReady(result);
    });
  }

  #setReady(result: MessageResult): void {
    if (this.#ready === null) this.#ready = [result];
    else this.#ready.push(result);
    this.#pump();
  }

  /** Moves on by one step whenever somebody waits: a result that is ready, the end, or the backend's next answer. */
  #pump(): void {
    const waiter = this.#waiter;
    if (waiter === null) return;
    for (let result = this.#ready?.shift(); result !== undefined; result = this.#ready?.shift()) {
      this.#report(result);
      if (!waiter.whole) {
        this.#waiter = null;
        waiter.resolve({ done: false, value: result });
        return;
      }
    }
    if (this.#state === 'ended') {
      if (this.#telling === 0) this.#finishWaiter(waiter);
    } else if (!this.#reading && this.#deliveries !== null) {
      this.#reading = true;
      this.#deliveries.next().then(
        (step) => this.#onStep(step),
        (error: unknown) => this.#finish(error),
      );
    }
  }

  #finishWaiter(waiter: Waiter): void {
    this.#waiter = null;
    if (this.#whole === null || !waiter.whole) {
      if (this.#trouble !== null) waiter.reject(this.#trouble);
      else if (!waiter.whole) waiter.resolve(DONE);
      return;
    }
    try {
      waiter.resolve(conclude(this.#whole.results, this.#whole.failSilently, this.#trouble));
    } catch (error) {
      waiter.reject(error);
    }
  }

  #report(result: MessageResult): void {
    this.#host.onResult(result);
    if (this.#whole !== null) this.#whole.results[result.index] = result;
    this.#done++;
    const { onProgress } = this.#options;
    if (onProgress === undefined) return;
    try {
      onProgress({ done: this.#done, total: this.#total, latest: result });
    } catch (cause) {
      this.#trouble ??= new SendError('listener', 'onProgress failed; the mails were sent on', {
        phase: 'hook',
        cause,
      });
    }
  }

  #onStep(step: IteratorResult<DeliveryResult>): void {
    if (step.done === true) {
      this.#finish(undefined);
      return;
    }
    this.#reading = false;
    const prepared = this.#taken?.get(step.value.index);
    // An answer to what was not asked, or a second one, says nothing that could be trusted more than the first.
    if (prepared === undefined) this.#pump();
    else this.#answer(prepared, settle(prepared, step.value));
  }

  #answer(prepared: Prepared, result: MessageResult): void {
    this.#taken?.delete(prepared.index);
    this.#host.onAnswered();
    this.#deliverResult(prepared.message, result);
  }

  /** The backend has ended, by itself or by throwing `error`: whatever has no result yet gets one. */
  #finish(error: unknown): void {
    for (const prepared of [...(this.#taken?.values() ?? [])]) this.#answer(prepared, unanswered(prepared, error));
    this.#answerRest(error);
    this.#closeSource();
    this.#state = 'ended';
    this.#host.onEnd();
    if (this.#hasPlace) this.#host.gate.leave();
    this.#hasPlace = false;
    this.#pump();
  }

  /** Gives the messages that were never taken their results; a source that may be endless is not read on. */
  #answerRest(error: unknown): void {
    const source = this.#source;
    if (this.#whole === null || source === null || Symbol.asyncIterator in this.#messages) return;
    const reason = this.#reasonToStop(error);
    for (;;) {
      // The source of an Iterable is an Iterator: its steps are never promises.
      const step = source.next() as IteratorResult<MessageInput | ReadInput>;
      if (step.done === true) break;
      const index = this.#nextIndex++;
      const input =
        'kind' in step.value ? step.value : readInput(this.#host, step.value, index, this.#whole.failSilently);
      this.#setReady(notTaken(input, reason));
    }
    this.#source = null;
  }

  #reasonToStop(error: unknown): EmailError {
    if (error instanceof EmailError && error.outcome === 'not-sent') return error;
    const { signal } = this.#options;
    const text = signal?.aborted
      ? 'the call was aborted before this message was taken'
      : 'the backend ended before it took this message';
    return new SendError('aborted', text, { phase: 'queue', retryable: true, cause: error ?? signal?.reason });
  }

  #closeSource(): void {
    const source = this.#source;
    this.#source = null;
    // A source that fails while it is closed has nothing left to say: every message has its result.
    if (source?.return) void Promise.resolve(source.return()).catch(() => {});
  }
}

/** The jobs of one call, as the backend takes them. */
class Jobs implements AsyncIterableIterator<Job> {
  readonly next: () => Promise<IteratorResult<Job>>;
  readonly #close: () => void;

  constructor(next: () => Promise<IteratorResult<Job>>, close: () => void) {
    this.next = next;
    this.#close = close;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  return(): Promise<IteratorResult<Job>> {
    this.#close();
    return Promise.resolve(DONE);
  }
}
