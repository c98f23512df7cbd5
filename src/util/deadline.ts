import { addAbortListener, removeAbortListener } from './abort-listeners.ts';

/** The reason of a signal that aborted at a deadline. */
export class DeadlinePassed extends Error {
  override readonly name = 'TimeoutError';

  constructor(ms: number) {
    super(`it took longer than ${ms} ms`);
  }
}

/** A signal that aborts when another one does or at the deadline, whichever comes first. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Whether the deadline has passed. */
  readonly isOver: boolean;
  /** Stops the timer; every deadline must be cleared. */
  clear(): void;
}

/**
 * Sets a deadline of `ms` milliseconds.
 *
 * AbortSignal.any with AbortSignal.timeout would do, but Node 20 garbage-collects such a signal while it is awaited, so it
 * never fires.
 */
export function setDeadline(ms: number, signal: AbortSignal | undefined): Deadline {
  const controller = new AbortController();
  let isOver = false;
  let timer: NodeJS.Timeout | undefined;
  const onTime = (): void => {
    if (controller.signal.aborted) return;
    isOver = true;
    controller.abort(new DeadlinePassed(ms));
  };
  const onAbort = (): void => controller.abort(signal?.reason);
  if (signal?.aborted) onAbort();
  else {
    timer = setTimeout(onTime, ms);
    addAbortListener(signal, onAbort);
  }
  return {
    signal: controller.signal,
    get isOver() {
      return isOver;
    },
    clear() {
      clearTimeout(timer);
      removeAbortListener(signal, onAbort);
    },
  };
}
