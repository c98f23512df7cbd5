import { whileReading } from '../../backend/job.ts';
import { MessageError } from '../../model/errors.ts';
import { backoffMs } from '../../util/backoff.ts';
import { pause } from '../../util/pause.ts';
import { templateContent } from './content.ts';
import { entryFailure, isAccountWide, type SesFailure } from './failures.ts';
import { bulkEntry, type MergeEntry, mergeEntries } from './merge-entries.ts';
import { chunksOf } from './recipients.ts';
import type { SesAnswer } from './requester.ts';
import { type BulkEntryResult, bulkRequest, type Template } from './requests.ts';
import type { SesMail } from './send-email.ts';

/** Entries of one request. */
const MAX_ENTRIES = 50;

/** What entries have been through that are sent again. */
interface History {
  readonly tries: number;
  /** Until when being throttled is waiting, in milliseconds of `performance.now()`; null before they were throttled. */
  readonly heldUntil: number | null;
  /** Why SES did not take them. */
  readonly failure: SesFailure | null;
}

/**
 * Sends a mail with data of each recipient's own, in requests of up to 50 entries.
 *
 * @throws {MessageError} `invalid-message` for what a bulk request cannot carry; nothing was sent then.
 */
export async function sendBulkEmail(mail: SesMail): Promise<void> {
  const { message, options, requester, signal } = mail;
  if (options.listManagement !== undefined) {
    const text = 'SES manages no contact lists in bulk requests: leave the option listManagement out, or mergeData';
    throw new MessageError([{ path: 'mergeData', code: 'unsupported', message: text }]);
  }
  const entries = mergeEntries(message);
  const template = await whileReading(templateContent(message, options.tagHeaders === true, signal), signal);
  // SES also limits the entries of one request by the account's rate.
  const size = Math.min(MAX_ENTRIES, Math.max(1, Math.floor(await requester.rate(signal))));
  await new BulkSending(mail, template).send(chunksOf(entries, size));
}

/** The requests of one mail; entries that were throttled, or failed for the moment, are sent again by themselves. */
class BulkSending {
  readonly #mail: SesMail;
  readonly #template: Template;
  /** Those that are sent again; it grows while it is waited for. */
  readonly #retries: Promise<void>[] = [];
  /** What every further request would meet. */
  #obstacle: SesFailure | null = null;

  constructor(mail: SesMail, template: Template) {
    this.#mail = mail;
    this.#template = template;
  }

  /** How many requests are under way is the requester's to say; it is only kept supplied here. */
  async send(chunks: readonly (readonly MergeEntry[])[]): Promise<void> {
    const remaining = chunks.values();
    const sendNext = async () => {
      for (const chunk of remaining) await this.#sendChunk(chunk, { tries: 1, heldUntil: null, failure: null });
    };
    const { maxConnections } = this.#mail.options;
    await Promise.all(Array.from({ length: Math.min(maxConnections, chunks.length) }, sendNext));
    for (const retry of this.#retries) await retry;
  }

  async #sendChunk(entries: readonly MergeEntry[], history: History): Promise<void> {
    const recipients = entries.flatMap((entry) => entry.recipients);
    const { requester, result, signal, options, commit } = this.#mail;
    const answer = await requester.send({
      operation: 'SendBulkEmail',
      recipients,
      input: () => bulkRequest(this.#mail, this.#template, entries.map(bulkEntry)),
      signal,
      commit,
      attempts: options.retry.attempts,
      obstacle: () => this.#obstacle,
      earlier: history.failure,
    });
    if ('output' in answer) {
      this.#settle(entries, answer, history);
      return;
    }
    result.failed(recipients, answer.failure);
    if (isAccountWide(answer.failure)) this.#obstacle = answer.failure;
  }

  /** Notes what became of each entry, and sends again what may be. */
  #settle(
    entries: readonly MergeEntry[],
    { output, grantedAt }: Extract<SesAnswer, { readonly output: object }>,
    { tries, heldUntil }: History,
  ): void {
    const { requester, result, options } = this.#mail;
    const { retry, heldBackMs } = options;
    const now = performance.now();
    const until = heldUntil ?? now + heldBackMs;
    const throttled: MergeEntry[] = [];
    const transient: MergeEntry[] = [];
    const failures = new Map<string, SesFailure>(); // entries that failed alike share one error
    let accepted = 0;
    result.answered(output);
    const results = resultsOf(output);
    for (const [index, entry] of entries.entries()) {
      // Answers belong to entries by their place alone, so that a list of another length says nothing of any.
      const { Status, MessageId, Error: reason } = (results.length === entries.length && results[index]) || {};
      if (Status === 'SUCCESS' && MessageId) {
        accepted += entry.recipients.length;
        result.sent(entry.recipients, MessageId, output);
        continue;
      }
      const kind = JSON.stringify([Status, reason]);
      const failure = failures.get(kind) ?? entryFailure(Status, reason);
      failures.set(kind, failure);
      if (failure.retry === 'throttled' && now < until) throttled.push(entry);
      else if (failure.retry === 'transient' && tries < retry.attempts) transient.push(entry);
      else result.failed(entry.recipients, failure);
    }
    const failureFor = (reason: SesFailure['retry']) =>
      [...failures.values()].find((failure) => failure.retry === reason) ?? null;
    const throttling = failureFor('throttled');
    if (throttling === null) requester.accepted(grantedAt, accepted);
    else requester.throttled(grantedAt);
    if (throttled.length > 0)
      this.#retries.push(this.#sendChunk(throttled, { tries, heldUntil: until, failure: throttling }));
    if (transient.length > 0)
      this.#retries.push(this.#sendLater(transient, { tries: tries + 1, heldUntil, failure: failureFor('transient') }));
  }

  async #sendLater(entries: readonly MergeEntry[], history: History): Promise<void> {
    await pause(backoffMs(this.#mail.options.retry, history.tries - 1), this.#mail.signal);
    await this.#sendChunk(entries, history);
  }
}

function resultsOf(output: object): readonly BulkEntryResult[] {
  const results: unknown = 'BulkEmailEntryResults' in output ? output.BulkEmailEntryResults : null;
  return Array.isArray(results) ? results : [];
}
