import { addAbortListener, removeAbortListener } from './abort-listeners.ts';

/** Waits; false when the signal aborted meanwhile. */
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
