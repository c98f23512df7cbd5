/** Retries of mails that are certainly not sent and may succeed later; nothing else is ever retried. */
export interface RetryOptions {
  /** Tries per mail, the first included; default 1: no retries. */
  readonly attempts?: number;
  /** The longest wait before the second try, in milliseconds, doubled for each further one; default 1,000. */
  readonly baseMs?: number;
  /** The longest wait between any two tries, in milliseconds, unless the provider asks for a longer one; default 30,000. */
  readonly maxMs?: number;
}

/** {@link RetryOptions} with defaults. */
export function resolveRetry({
  attempts = 1,
  baseMs = 1_000,
  maxMs = 30_000,
}: RetryOptions = {}): Required<RetryOptions> {
  return { attempts, baseMs, maxMs };
}

/** What adjusts one wait. */
interface BackoffFacts {
  /** The wait that the provider asks for, in milliseconds. */
  readonly retryAfterMs?: number;
  /** From 0 to 1. */
  readonly random?: () => number;
}

/**
 * How long to wait after `tries` tries, in milliseconds.
 *
 * The wait doubles up to `maxMs`; jitter then removes up to half of it, so that even the longest waits do not end all at once.
 */
export function backoffMs(
  { baseMs, maxMs }: Required<RetryOptions>,
  tries: number,
  { retryAfterMs = 0, random = Math.random }: BackoffFacts = {},
): number {
  const capped = Math.min(maxMs, baseMs * 2 ** (tries - 1));
  return Math.max(retryAfterMs, capped * (1 - random() / 2));
}
