import { addAbortListener, removeAbortListener } from '../../util/abort-listeners.ts';
import type { ResolvedSesOptions } from './options.ts';

/** How long to wait after so many tries, in milliseconds: doubled each time, and somewhat by chance. */
export function backoffMs({ baseMs, maxMs }: ResolvedSesOptions['retry'], tries: number): number {
  return Math.min(maxMs, baseMs * 2 ** (tries - 1)) * (0.5 + Math.random() / 2);
}

/** Waits; false when the call was aborted meanwhile. */
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
