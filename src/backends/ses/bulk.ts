import { backoffMs } from '../../util/backoff.ts';
import { pause } from '../../util/pause.ts';
import { entryFailure } from './bulk-status.ts';
import type { Answer, Courier } from './courier.ts';
import { concernsAll, type Failure } from './failure.ts';
import { bulkEntry, type MergeEntry } from './merge.ts';
import type { ResolvedSesOptions } from './options.ts';
import type { BulkEntry, BulkEntryResult } from './requests.ts';
import { httpStatusOf, type Tally } from './tally.ts';

/** Entries of one bulk request. */
const MAX_ENTRIES = 50;

/** What a bulk send needs to know. */
export interface BulkSend {
  readonly courier: Courier;
  readonly tally: Tally;
  readonly request: (entries: readonly BulkEntry[]) => object;
  /** Requests at once. */
  readonly concurrency: number;
  /** Tries of one entry, and the waits between them. */
  readonly retry: ResolvedSesOptions['retry'];
  /** How long an entry is tried that is throttled, in milliseconds. */
  readonly heldBackMs: number;
  readonly signal: AbortSignal | undefined;
}

interface Pending extends MergeEntry {
  tries: number;
  /** Until when being throttled is waiting, in milliseconds of `performance.now()`; null before it was throttled. */
  heldUntil: number | null;
  /** When it may be tried, in milliseconds of `performance.now()`. */
  readyAt: number;
}

/** Sends entries in requests of up to 50; entries that were throttled, or failed for the moment, are tried again by themselves. */
export async function sendInBulk(entries: readonly MergeEntry[], bulk: BulkSend): Promise<void> {
  const { courier, tally, signal } = bulk;
  const queue: Pending[] = entries.map(({ addressees, json }) => ({
    addressees,
    json,
    tries: 0,
    heldUntil: null,
    readyAt: 0,
  }));
  let taken = 0;
  let stopped: Failure | null = null;
  // SES also limits the entries of one request by the account's rate.
  const size = Math.min(MAX_ENTRIES, Math.max(1, Math.floor(await courier.rate(signal))));
  const work = async () => {
    while (taken < queue.length && stopped === null) {
      const next = queue.slice(taken, taken + size);
      const now = performance.now();
      const waiting = signal?.aborted ? undefined : next.find(({ readyAt }) => readyAt > now);
      if (waiting !== undefined && waiting === next[0]) {
        await pause(waiting.readyAt - now, signal);
        continue;
      }
      const chunk = waiting === undefined ? next : next.slice(0, next.indexOf(waiting));
      taken += chunk.length;
      const addressees = chunk.flatMap((entry) => entry.addressees);
      const input = () => bulk.request(chunk.map(bulkEntry));
      const answer = await courier.run({ operation: 'SendBulkEmail', addressees, input, signal });
      if ('output' in answer)
        queue.push(...settle(chunk, answer, bulk)); // behind all that was not tried yet
      else {
        tally.failed(addressees, answer.failure);
        if (concernsAll(answer.failure)) stopped = answer.failure;
      }
    }
  };
  const workers = Math.min(bulk.concurrency, Math.ceil(queue.length / size));
  await Promise.all(Array.from({ length: workers }, work));
  if (stopped === null) return;
  for (const { addressees } of queue.slice(taken)) tally.failed(addressees, stopped);
}

/** Notes what became of each entry, and returns those that are to be tried again. */
function settle(
  chunk: readonly Pending[],
  { output, ticket }: Extract<Answer, { output: object }>,
  bulk: BulkSend,
): readonly Pending[] {
  const { courier, tally, retry } = bulk;
  tally.answered(output);
  const code = httpStatusOf(output);
  const results = resultsOf(output);
  const again: Pending[] = [];
  const failures = new Failures();
  let accepted = 0;
  let isThrottled = false;
  let transient = 0;
  for (const [index, pending] of chunk.entries()) {
    // Answers belong to entries by their place alone, so that a list of another length tells nothing of any.
    const result = results.length === chunk.length ? (results[index] ?? {}) : {};
    const failure = failures.of(result);
    if (failure === null) {
      accepted += pending.addressees.length;
      tally.sent(pending.addressees, result.MessageId ?? '', code);
      continue;
    }
    isThrottled ||= failure.retry === 'throttled';
    if (mayTryAgain(pending, failure, bulk)) again.push(pending);
    else tally.failed(pending.addressees, failure);
    if (failure.retry === 'transient') transient = Math.max(transient, pending.tries);
  }
  courier.observe(ticket, accepted, isThrottled);
  if (transient > 0) {
    const readyAt = performance.now() + backoffMs(retry, transient); // the limiter pauses for those that were throttled
    for (const pending of again) pending.readyAt = readyAt;
  }
  return again;
}

/** Being throttled is waiting, for a time; whatever else failed was a try. */
function mayTryAgain(pending: Pending, failure: Failure, { retry, heldBackMs }: BulkSend): boolean {
  if (failure.retry !== 'throttled') return ++pending.tries < retry.attempts && failure.retry !== null;
  const now = performance.now();
  pending.heldUntil ??= now + heldBackMs;
  return now < pending.heldUntil;
}

/** Entries that failed alike share one error. */
class Failures {
  readonly #known = new Map<string, Failure | null>();

  of(result: BulkEntryResult): Failure | null {
    const { Status, MessageId, Error: reason } = result;
    if (Status === 'SUCCESS' && MessageId) return null;
    const kind = JSON.stringify([Status, reason]);
    const failure = this.#known.get(kind) ?? entryFailure(result);
    this.#known.set(kind, failure);
    return failure;
  }
}

function resultsOf(output: object): readonly BulkEntryResult[] {
  const results: unknown = 'BulkEmailEntryResults' in output ? output.BulkEmailEntryResults : null;
  return Array.isArray(results) ? results : [];
}
