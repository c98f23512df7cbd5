import { entryFailure } from './bulk-status.ts';
import type { Answer, Courier } from './courier.ts';
import { concernsAll, type Failure } from './failure.ts';
import type { MergeEntry } from './merge.ts';
import type { BulkEntry, BulkEntryResult } from './requests.ts';
import type { Tally } from './tally.ts';

/** Entries of one bulk request. */
const MAX_ENTRIES = 50;

/** What a bulk send needs to know. */
export interface BulkSend {
  readonly courier: Courier;
  readonly tally: Tally;
  readonly request: (entries: readonly BulkEntry[]) => object;
  /** Requests at once. */
  readonly concurrency: number;
  /** Tries of one entry. */
  readonly attempts: number;
  readonly signal: AbortSignal | undefined;
}

interface Pending extends MergeEntry {
  tries: number;
}

/** Sends entries in requests of up to 50; entries that were throttled, or failed for the moment, are tried again by themselves. */
export async function sendInBulk(entries: readonly MergeEntry[], bulk: BulkSend): Promise<void> {
  const { courier, tally, signal } = bulk;
  const queue: Pending[] = entries.map((entry) => ({ ...entry, tries: 0 }));
  let stopped: Failure | null = null;
  const rate = await courier.rate(signal);
  const work = async () => {
    while (queue.length > 0 && stopped === null) {
      // SES also limits the entries of one request by the account's rate.
      const chunk = queue.splice(0, Math.min(MAX_ENTRIES, Math.max(1, Math.floor(rate))));
      const recipients = chunk.flatMap((entry) => entry.recipients);
      const input = () => bulk.request(chunk.map(({ entry }) => entry));
      const answer = await courier.run({ operation: 'SendBulkEmail', recipients, input, signal });
      if ('output' in answer) queue.push(...settle(chunk, answer, bulk));
      else {
        tally.failed(recipients, answer.failure);
        if (concernsAll(answer.failure)) stopped = answer.failure;
      }
    }
  };
  const workers = Math.min(bulk.concurrency, Math.ceil(queue.length / Math.min(MAX_ENTRIES, rate)));
  await Promise.all(Array.from({ length: workers }, work));
  if (stopped !== null) for (const { recipients } of queue) tally.failed(recipients, stopped);
}

/** Notes what became of each entry, and returns those that are to be tried again. */
function settle(
  chunk: readonly Pending[],
  answer: Extract<Answer, { output: object }>,
  bulk: BulkSend,
): readonly Pending[] {
  const { output, ticket } = answer;
  const { courier, tally, attempts } = bulk;
  tally.answered(output);
  const results = resultsOf(output);
  const again: Pending[] = [];
  const failures = new Map<string, Failure | null>();
  let accepted = 0;
  let isThrottled = false;
  for (const [index, pending] of chunk.entries()) {
    // Answers belong to entries by their place alone, so that a list of another length tells nothing of any.
    const result = results.length === chunk.length ? (results[index] ?? {}) : {};
    const kind = JSON.stringify([result.Status, result.Error, result.MessageId === undefined]);
    const failure = failures.has(kind) ? (failures.get(kind) ?? null) : entryFailure(result);
    failures.set(kind, failure);
    if (failure === null) {
      accepted += pending.recipients.length;
      tally.sent(pending.recipients, result.MessageId ?? '', output);
    } else {
      isThrottled ||= failure.retry === 'throttled';
      pending.tries++;
      if (failure.retry !== null && pending.tries < attempts) again.push(pending);
      else tally.failed(pending.recipients, failure);
    }
  }
  courier.observe(ticket, accepted, isThrottled);
  return again;
}

function resultsOf(output: object): readonly BulkEntryResult[] {
  const results: unknown = 'BulkEmailEntryResults' in output ? output.BulkEmailEntryResults : null;
  return Array.isArray(results) ? results : [];
}
