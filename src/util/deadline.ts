import { addAbortListener, removeAbortListener } from './abort-listeners.ts';

/** The reason of a signal that aborted because time was up. */
export class DeadlinePassed extends Error {
  override readonly name = 'TimeoutError';

  constructor(ms: number) {
    super(`it took longer than ${ms} ms`);
  }
}

/** A signal that aborts when another one does or when time is up, whichever is first. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Whether it was the time that was up. */
  readonly isOver: boolean;
  /** Stops the clock; every deadline that was set is cleared in the end. */
  clear(): void;
}

/**
 * Sets a deadline of `ms` milliseconds.
 *
 * AbortSignal.any with AbortSignal.timeout would do, but Node 20 collects such a signal as garbage while it is waited for,
 * so that it never fires.
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
