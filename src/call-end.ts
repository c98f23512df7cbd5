import { addAbortListener, removeAbortListener } from './util/abort-listeners.ts';
import { unlessAborted } from './util/unless-aborted.ts';

/** How long listeners are waited for once a call was ended, in milliseconds: they may be told of that very end. */
const GRACE_MS = 25;

/** What ends a call before it is through, and how long the caller's own code is waited for then. */
export class CallEnd {
  readonly signal: AbortSignal;
  readonly #patience = new AbortController();
  #timer: NodeJS.Timeout | null = null;

  constructor(signal: AbortSignal) {
    this.signal = signal;
    if (signal.aborted) this.#onEnd();
    else addAbortListener(signal, this.#onEnd);
  }

  /** Settles as `promise` does, or rejects a moment after the end. */
  wait<T>(promise: Promise<T>): Promise<T> {
    return unlessAborted(promise, this.#patience.signal);
  }

  /** Lets go of signal and timer. */
  clear(): void {
    removeAbortListener(this.signal, this.#onEnd);
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  readonly #onEnd = (): void => {
    this.#timer = setTimeout(() => this.#patience.abort(), GRACE_MS);
  };
}
