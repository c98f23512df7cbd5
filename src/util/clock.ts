/** Time and timers; tests pass one that they advance themselves. */
export interface Clock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Calls `wake` after `ms` milliseconds; returns the function that cancels it. */
  wakeAfter(ms: number, wake: () => void): () => void;
}

/** The clock of this process. */
export const SYSTEM_CLOCK: Clock = {
  now: () => performance.now(),
  wakeAfter: (ms, wake) => {
    const timer = setTimeout(wake, Math.ceil(ms));
    return () => clearTimeout(timer);
  },
};
