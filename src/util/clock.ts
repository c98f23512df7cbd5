/** Time and timers; tests pass one that they advance themselves. */
export interface Clock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Calls `wake` after `ms` milliseconds; returns the function that cancels it. */
  wakeAfter(ms: number, wake: () => void): () => void;
}

/** Node's timers fire at once after a longer time than this. */
const LONGEST_MS = 2_147_483_647;

/** The clock of this process. */
export const SYSTEM_CLOCK: Clock = {
  now: () => performance.now(),
  wakeAfter: (ms, wake) => {
    const timer = setTimeout(wake, Math.min(Math.ceil(ms), LONGEST_MS));
    return () => clearTimeout(timer);
  },
};
