import { addAbortListener, type Ending, removeAbortListener } from './abort-listeners.ts';

/** The reason of a signal that aborted at a deadline. */
export class DeadlinePassed extends Error {
  override readonly name = 'TimeoutError';

  constructor(ms: number) {
    super(`it took longer than ${ms} ms`);
  }
}

/** When signals abort that belong to a deadline, in milliseconds of `performance.now()`. */
const ENDS = /* @__PURE__ */ new WeakMap<AbortSignal, number>();

/** How long it is until a signal aborts at a deadline, in milliseconds; Infinity where none is known. */
export function msUntil(signal: AbortSignal | undefined): number {
  const end = signal && ENDS.get(signal);
  return end === undefined ? Number.POSITIVE_INFINITY : end - performance.now();
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
  readonly #endsAt: number;
  #controller: AbortController | null = null;

  constructor(ms: number, signal: AbortSignal | undefined) {
    this.#given = signal;
    this.#endsAt = performance.now() + Math.min(ms, msUntil(signal));
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
      ENDS.set(this.#controller.signal, this.#endsAt);
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
