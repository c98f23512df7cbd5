const TICK_MS = 10;
let ran = 0;
let ticked = performance.now();
setInterval(() => {
  const now = performance.now();
  ran += Math.min(now - ticked, 2 * TICK_MS);
  ticked = now;
}, TICK_MS).unref();

/** Milliseconds in which this process could go on: on a machine that keeps it waiting, a call is slow and does not hang. */
export function timeRan(): number {
  return ran;
}

/** Null when the promise takes longer than this process ran: a call that hangs is a finding, not the end of the suite. */
export async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T | null> {
  let onLate = (): void => {};
  const late = new Promise<null>((resolve) => {
    onLate = () => resolve(null);
  });
  const end = ran + milliseconds;
  const timer = setInterval(() => ran > end && onLate(), 10 * TICK_MS);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearInterval(timer);
  }
}
