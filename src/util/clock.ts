/** Tells the time and wakes up later; a test gives one that it moves itself. */
export interface Clock {
  /** Milliseconds that never go back. */
  now(): number;
  /** Calls `wake` after so many milliseconds; returns a function that takes that back. */
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
