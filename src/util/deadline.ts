import { addAbortListener, type Ending, removeAbortListener } from './abort-listeners.ts';

/** The reason of a signal that aborted at a deadline. */
export class DeadlinePassed extends Error {
  override readonly name = 'TimeoutError';

  constructor(ms: number) {
    super(`it took longer than ${ms} ms`);
  }
}

/**
 * What ends when a signal aborts or after `ms` milliseconds, whichever comes first.
 *
 * AbortSignal.any with AbortSignal.timeout would do, but Node 20 garbage-collects such a signal while it is awaited, so it
 * never fires.
 */
export class Deadline implements Ending {
  aborted = false;
  reason: unknown;
  /** Whether the deadline has passed. */
  isOver = false;
  readonly listeners: Set<() => void> = new Set();
  readonly #given: AbortSignal | undefined;
  readonly #timer: NodeJS.Timeout | undefined;
  #controller: AbortController | null = null;

  constructor(ms: number, signal: AbortSignal | undefined) {
    this.#given = signal;
    if (signal?.aborted) {
      this.#onAbort();
      return;
    }
    this.#timer = setTimeout(() => {
      this.isOver = !this.aborted;
      this.#end(new DeadlinePassed(ms));
    }, ms);
    addAbortListener(signal, this.#onAbort);
  }

  /** A signal that aborts then, for those who take nothing else: making one costs more than all the rest. */
  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.aborted) this.#controller.abort(this.reason);
    }
    return this.#controller.signal;
  }

  /** Stops the timer; every deadline must be cleared. */
  clear(): void {
    clearTimeout(this.#timer);
    removeAbortListener(this.#given, this.#onAbort);
  }

  readonly #onAbort = (): void => this.#end(this.#given?.reason);

  #end(reason: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    for (const listener of this.listeners) listener();
    this.#controller?.abort(reason);
  }
}
