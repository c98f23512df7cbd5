import { addAbortListener, removeAbortListener } from './abort-listeners.ts';

/** Waits `ms` milliseconds or until the signal aborts; false when it aborted. */
export function pause(ms: number, signal: AbortSignal | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      removeAbortListener(signal, end);
      resolve(signal?.aborted !== true);
    };
    const timer = setTimeout(end, Math.ceil(ms));
    if (signal?.aborted) end();
    else addAbortListener(signal, end);
  });
}
