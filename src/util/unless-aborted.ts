import { addAbortListener, type Ending, removeAbortListener } from './abort-listeners.ts';

/** Settles like `promise`, or rejects with the signal's reason as soon as that aborts. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | Ending | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    addAbortListener(signal, onAbort);
    promise.then(resolve, reject).finally(() => removeAbortListener(signal, onAbort));
  });
}
