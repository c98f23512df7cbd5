import { addAbortListener, removeAbortListener } from '../../util/abort-listeners.ts';
import { Deadline } from '../../util/deadline.ts';
import { unlessAborted } from '../../util/unless-aborted.ts';

/** How long listeners, and a backend after the deadline, are waited for once a call was ended, in milliseconds. */
const GRACE_MS = 25;

/** Who is told of the deadline. */
interface CallOwner {
  /** It has passed: the backend is asked for what it knows. */
  onDeadline(): void;
  /** A moment later: what the backend has not said by then it is not waited for. */
  onSilence(): void;
}

/** What ends a call before it is through, its caller's signal or its deadline, and how long others are waited for then. */
export class CallEnd {
  /** Aborted by either; its reason is the caller's, or a DeadlinePassed. */
  readonly signal: AbortSignal;
  /** Set by the call once it runs. */
  owner: CallOwner | null = null;
  readonly #deadline: Deadline | null;
  readonly #patience = new AbortController();
  #timer: NodeJS.Timeout | null = null;

  /** The end of a call that begins now; null when nothing can end it. */
  static of(signal: AbortSignal | undefined, deadlineMs: number | undefined): CallEnd | null {
    if (deadlineMs !== undefined) {
      const deadline = new Deadline(deadlineMs, signal);
      return new CallEnd(deadline.signal, deadline);
    }
    return signal === undefined ? null : new CallEnd(signal, null);
  }

  private constructor(signal: AbortSignal, deadline: Deadline | null) {
    this.signal = signal;
    this.#deadline = deadline;
    if (signal.aborted) this.#startGrace();
    else addAbortListener(signal, this.#onEnd);
  }

  /** Settles as `promise` does, or with null a moment after the end. */
  wait<T>(promise: Promise<T>): Promise<T | null> {
    const { signal } = this.#patience;
    return unlessAborted(promise, signal).catch((error: unknown) => {
      if (signal.aborted) return null;
      throw error;
    });
  }

  /** Lets go of signal and timers. */
  clear(): void {
    this.#deadline?.clear();
    removeAbortListener(this.signal, this.#onEnd);
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  readonly #onEnd = (): void => {
    this.#startGrace();
    if (this.#deadline?.isOver) this.owner?.onDeadline();
  };

  #startGrace(): void {
    this.#timer = setTimeout(() => {
      this.#patience.abort();
      if (this.#deadline?.isOver) this.owner?.onSilence();
    }, GRACE_MS);
  }
}
