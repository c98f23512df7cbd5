import { afterSending, mayBeSent } from './conclusion.ts';
import { type CallOptions, Dispatch, type DispatchHost, type Receiver } from './dispatch.ts';
import type { EmailError } from './errors.ts';
import type { MessageSource } from './message-source.ts';
import type { MessageResult } from './status.ts';
import { thrownHere } from './util/error-copies.ts';

interface Waiter {
  resolve(step: IteratorResult<MessageResult>): void;
  reject(error: EmailError): void;
}

const DONE: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined });

/** One call of `stream`: each result as it is asked for; it starts when the first one is. */
export class ResultStream implements AsyncIterableIterator<MessageResult>, Receiver {
  readonly #dispatch: Dispatch;
  #waiters: Waiter[] = [];
  #isStarted = false;
  #hasSent = false;

  constructor(host: DispatchHost, source: MessageSource, options: CallOptions) {
    this.#dispatch = new Dispatch(host, source, options, this, null);
  }

  get wants(): boolean {
    return this.#waiters.length > 0;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<MessageResult>> {
    const step = new Promise<IteratorResult<MessageResult>>((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      if (this.#isStarted) this.#dispatch.pump();
      else {
        this.#isStarted = true;
        this.#dispatch.start();
      }
    });
    return step.catch(streamFailed);
  }

  async return(): Promise<IteratorResult<MessageResult>> {
    this.#isStarted = true;
    await this.#dispatch.stop();
    this.end(null);
    return DONE;
  }

  take(result: MessageResult): void {
    this.#hasSent ||= mayBeSent(result);
    this.#waiters.shift()?.resolve({ done: false, value: result });
  }

  end(trouble: EmailError | null): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    if (trouble !== null) waiters.shift()?.reject(this.#hasSent ? afterSending(trouble) : trouble);
    for (const { resolve } of waiters) resolve(DONE);
  }
}

function streamFailed(error: unknown): never {
  throw thrownHere(error);
}
