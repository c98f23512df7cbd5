import { AssertionError } from 'node:assert';
import { clearTimeout, setTimeout } from 'node:timers';

/** Waits no longer than that. @throws {AssertionError} with `message` when the time is over. */
export async function within<T>(milliseconds: number, work: Promise<T>, message: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new AssertionError({ message })), milliseconds);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
