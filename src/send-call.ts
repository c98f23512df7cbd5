import { conclude } from './conclusion.ts';
import { type CallOptions, Dispatch, type DispatchHost, type Receiver } from './dispatch.ts';
import type { EmailError } from './errors.ts';
import type { Waiting } from './gate.ts';
import type { EmailMessage } from './message.ts';
import { MessageSource, type Messages } from './message-source.ts';
import type { MessageResult, SendStatus } from './status.ts';
import { addAbortListener, removeAbortListener } from './util/abort-listeners.ts';

/** One call of `sendMessages`: waits for its turn, collects all results, and ends in a status or an error. */
export class SendCall implements Receiver, Waiting {
  readonly #host: DispatchHost;
  /** A hundred thousand calls may wait, most of them with one message: no more is kept of it. */
  readonly #messages: MessageSource | EmailMessage;
  readonly #options: CallOptions;
  readonly #failSilently: boolean;
  readonly #resolve: (status: SendStatus) => void;
  readonly #reject: (error: unknown) => void;
  /** A whole number: a hundred thousand calls may wait, and a fraction costs memory of its own. */
  #since = Math.trunc(performance.now());
  #results: MessageResult[] | null = null;
  /** Ends the waiting for a place; made for a call that waits and that something can end. */
  #stopWaiting: (() => void) | null = null;

  constructor(
    host: DispatchHost,
    messages: Messages,
    options: CallOptions,
    failSilently: boolean,
    resolve: (status: SendStatus) => void,
    reject: (error: unknown) => void,
  ) {
    this.#host = host;
    const source = new MessageSource(host, messages, failSilently);
    this.#messages = source.only ?? source;
    this.#options = options;
    this.#failSilently = failSilently;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  get wants(): boolean {
    return true;
  }

  /** Starts as soon as the gate has room; who aborts before gets the answer at once, not when the queue has moved on. */
  queue(): void {
    const { signal } = this.#options;
    if (signal?.aborted) {
      this.#start(false);
      return;
    }
    this.#host.gate.queue(this);
    const { deadlineMs } = this.#host.options;
    if (this.#results !== null || (signal === undefined && deadlineMs === undefined)) return;
    const onAbort = () => this.#start(false);
    const onDeadline = () => {
      this.#since = Number.NEGATIVE_INFINITY; // a timer that is early by a fraction of a millisecond is on time
      this.#start(false);
    };
    const timer = deadlineMs === undefined ? undefined : setTimeout(onDeadline, deadlineMs);
    addAbortListener(signal, onAbort);
    this.#stopWaiting = () => {
      clearTimeout(timer);
      removeAbortListener(signal, onAbort);
    };
  }

  enter(): void {
    if (this.#results !== null) this.#host.gate.leave();
    else {
      this.#start(true);
    }
  }

  take(result: MessageResult): void {
    if (this.#results !== null) this.#results[result.index] = result;
  }

  end(trouble: EmailError | null): void {
    try {
      this.#resolve(conclude(this.#results ?? [], this.#failSilently, trouble));
    } catch (error) {
      this.#reject(error);
    }
  }

  #start(hasPlace: boolean): void {
    this.#stopWaiting?.();
    this.#stopWaiting = null;
    const messages = this.#messages;
    const source =
      messages instanceof MessageSource ? messages : new MessageSource(this.#host, [messages], this.#failSilently);
    this.#results = new Array(source.total ?? 0);
    new Dispatch(this.#host, source, this.#options, this, hasPlace ? this.#host.gate : null, this.#since).start();
  }
}
