import type { DeliveryContext, DeliveryResult, Job } from './delivery.ts';
import { EmailError, SendError } from './errors.ts';
import type { EmailMessage } from './message.ts';
import {
  jobOf,
  type MessageInput,
  notTaken,
  type Prepared,
  prepare,
  type Sender,
  settle,
  unanswered,
} from './prepare.ts';
import type { MessageResult } from './status.ts';
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

/** What a dispatch asks of the backend it serves. */
export interface DispatchHooks {
  /** Whether unreadable recipients are left out rather than refused with their message. */
  readonly lenient: boolean;
  /** Whether messages that were not taken when the call ended get a result too. */
  readonly complete: boolean;
  deliver(jobs: AsyncIterable<Job>, context: DeliveryContext): AsyncIterable<DeliveryResult>;
  onStart(): void;
  onTaken(): void;
  onAnswered(): void;
  onResult(result: MessageResult): void;
  onEnd(): void;
}

type Source = Iterator<MessageInput> | AsyncIterator<MessageInput>;

interface Waiter {
  resolve(result: IteratorResult<MessageResult>): void;
  reject(error: unknown): void;
}

const DONE: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined });

/**
 * One call on its way: hands prepared jobs to the backend as fast as it takes them, and yields the results, both those of
 * the backend and those of messages that never reached it.
 *
 * Iterators are written out rather than generated: this is the hot path of bulk mail.
 */
export class Dispatch implements AsyncIterableIterator<MessageResult> {
  readonly #sender: Sender;
  readonly #messages: Iterable<MessageInput> | AsyncIterable<MessageInput>;
  readonly #options: CallOptions;
  readonly #hooks: DispatchHooks;
  readonly #taken = new Map<number, Prepared>();
  readonly #ready: MessageResult[] = [];
  #source: Source | null = null;
  #results: AsyncIterator<DeliveryResult> | null = null;
  #waiter: Waiter | null = null;
  #nextIndex = 0;
  #done = 0;
  #telling = 0;
  #reading = false;
  #state: 'new' | 'running' | 'ended' = 'new';
  #trouble: EmailError | null = null;

  constructor(
    sender: Sender,
    messages: Iterable<MessageInput> | AsyncIterable<MessageInput>,
    options: CallOptions,
    hooks: DispatchHooks,
  ) {
    this.#sender = sender;
    this.#messages = messages;
    this.#options = options;
    this.#hooks = hooks;
  }

  /** What went wrong beside the messages: a listener that failed after a send, or a source that threw. */
  get trouble(): EmailError | null {
    return this.#trouble;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<MessageResult>> {
    if (this.#state === 'new') this.#start();
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
      this.#pump();
    });
  }

  /** Ends the call early: no further message is taken, those under way are let finish by the backend. */
  async return(): Promise<IteratorResult<MessageResult>> {
    if (this.#state === 'running') {
      this.#closeSource();
      await this.#results?.return?.();
      this.#hooks.onEnd();
    }
    this.#state = 'ended';
    return DONE;
  }

  #start(): void {
    this.#state = 'running';
    this.#hooks.onStart();
    const messages = this.#messages;
    this.#source = Symbol.asyncIterator in messages ? messages[Symbol.asyncIterator]() : messages[Symbol.iterator]();
    const jobs: AsyncIterableIterator<Job> = {
      [Symbol.asyncIterator]: () => jobs,
      next: () => this.#nextJob(),
      return: () => {
        this.#closeSource();
        return Promise.resolve(DONE);
      },
    };
    this.#results = this.#hooks.deliver(jobs, { signal: this.#options.signal })[Symbol.asyncIterator]();
  }

  async #nextJob(): Promise<IteratorResult<Job>> {
    const { signal } = this.#options;
    for (;;) {
      if (this.#source === null || signal?.aborted) return DONE;
      const index = this.#nextIndex;
      try {
        const step = this.#source.next();
        const { done, value } = step instanceof Promise ? await unlessAborted(step, signal) : step;
        if (done === true) {
          this.#source = null;
          return DONE;
        }
        this.#nextIndex++;
        const preparing = prepare(this.#sender, value, index, this.#hooks.lenient);
        const prepared = preparing instanceof Promise ? await preparing : preparing;
        if (!('result' in prepared)) return this.#take(prepared);
        this.#deliverResult(prepared.message, prepared.result);
      } catch (cause) {
        if (signal?.aborted) return DONE;
        this.#source = null;
        const reason = cause instanceof Error ? cause.message : String(cause);
        this.#trouble ??= new SendError(
          'source',
          `reading message ${index} failed, no further one was sent: ${reason}`,
          {
            phase: 'queue',
            cause,
          },
        );
        return DONE;
      }
    }
  }

  #take(prepared: Prepared): IteratorResult<Job> {
    this.#taken.set(prepared.index, prepared);
    this.#hooks.onTaken();
    return { done: false, value: jobOf(prepared, this.#options.signal) };
  }

  /** Hands a result out, after the listeners have seen it. */
  #deliverResult(message: EmailMessage | null, result: MessageResult): void {
    const told = message === null ? null : tellListeners(this.#sender.name, message, result);
    if (!(told instanceof Promise)) {
      this.#trouble ??= told;
      this.#ready.push(result);
      this.#pump();
      return;
    }
    this.#telling++;
    void told.then((trouble) => {
      this.#telling--;
      this.#trouble ??= trouble;
      this.#ready.push(result);
      this.#pump();
    });
  }

  /** Moves on by one step whenever somebody waits: a result that is ready, the end, or the backend's next answer. */
  #pump(): void {
    const waiter = this.#waiter;
    if (waiter === null) return;
    const result = this.#ready.shift();
    if (result !== undefined) {
      this.#waiter = null;
      this.#report(result);
      waiter.resolve({ done: false, value: result });
    } else if (this.#state === 'ended') {
      if (this.#telling > 0) return;
      this.#waiter = null;
      // A whole call throws its trouble together with the status it ended in.
      if (this.#trouble !== null && !this.#hooks.complete) waiter.reject(this.#trouble);
      else waiter.resolve(DONE);
    } else if (!this.#reading && this.#results !== null) {
      this.#reading = true;
      this.#results.next().then(
        (step) => this.#onStep(step),
        (error: unknown) => this.#finish(error),
      );
    }
  }

  #report(result: MessageResult): void {
    this.#hooks.onResult(result);
    this.#done++;
    const { onProgress } = this.#options;
    if (onProgress === undefined) return;
    try {
      const total = Array.isArray(this.#messages) ? this.#messages.length : null;
      onProgress({ done: this.#done, total, latest: result });
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
    const prepared = this.#taken.get(step.value.index);
    // An answer to what was not asked, or a second one, says nothing that could be trusted more than the first.
    if (prepared === undefined) this.#pump();
    else this.#answer(prepared, settle(prepared, step.value));
  }

  #answer(prepared: Prepared, result: MessageResult): void {
    this.#taken.delete(prepared.index);
    this.#hooks.onAnswered();
    this.#deliverResult(prepared.message, result);
  }

  /** The backend has ended, by itself or by throwing `error`: whatever has no result yet gets one. */
  #finish(error: unknown): void {
    for (const prepared of [...this.#taken.values()]) this.#answer(prepared, unanswered(prepared, error));
    this.#answerRest(error);
    this.#closeSource();
    this.#state = 'ended';
    this.#hooks.onEnd();
    this.#pump();
  }

  /** Gives the messages that were never taken their results; a source that may be endless is not read on. */
  #answerRest(error: unknown): void {
    const messages = this.#messages;
    const source = this.#source;
    if (!this.#hooks.complete || source === null || Symbol.asyncIterator in messages) return;
    const reason = this.#reasonToStop(error);
    for (;;) {
      // The source of an Iterable is an Iterator: its steps are never promises.
      const step = source.next() as IteratorResult<MessageInput>;
      if (step.done === true) break;
      this.#ready.push(notTaken(step.value, this.#nextIndex++, reason));
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
