import { addAbortListener, removeAbortListener } from './abort-listeners.ts';

/** The longest that a timer can be set to; beyond it, it would end at once. */
const MAX_MS = 2_147_483_647;

/** Waits `ms` milliseconds or until the signal aborts, at most 24 days; false when it aborted. */
export function pause(ms: number, signal: AbortSignal | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      removeAbortListener(signal, end);
      resolve(signal?.aborted !== true);
    };
    const timer = setTimeout(end, Math.min(MAX_MS, Math.ceil(ms)));
    if (signal?.aborted) end();
    else addAbortListener(signal, end);
  });
}
