/** Trying again what is certainly not sent and may succeed later; nothing else is ever tried again. */
export interface RetryOptions {
  /** Tries of one mail, the first included; default 1: nothing is tried again. */
  readonly attempts?: number;
  /** The longest wait before the second try in milliseconds, doubled for each further one; default 1,000. */
  readonly baseMs?: number;
  /** The longest wait between any two tries, in milliseconds, unless the provider asks for a longer one; default 30,000. */
  readonly maxMs?: number;
}

/** {@link RetryOptions}, complete. */
export function resolveRetry({
  attempts = 1,
  baseMs = 1_000,
  maxMs = 30_000,
}: RetryOptions = {}): Required<RetryOptions> {
  return { attempts, baseMs, maxMs };
}

/** What changes one wait. */
interface BackoffFacts {
  /** What the provider asks to wait, in milliseconds. */
  readonly retryAfterMs?: number;
  /** From 0 to 1. */
  readonly random?: () => number;
}

/**
 * How long to wait after so many tries, in milliseconds.
 *
 * It doubles up to `maxMs`, and up to a half of it is left off by chance then, so that those who wait the longest do not come
 * back all at once either.
 */
export function backoffMs(
  { baseMs, maxMs }: Required<RetryOptions>,
  tries: number,
  { retryAfterMs = 0, random = Math.random }: BackoffFacts = {},
): number {
  const capped = Math.min(maxMs, baseMs * 2 ** (tries - 1));
  return Math.max(retryAfterMs, capped * (1 - random() / 2));
}
