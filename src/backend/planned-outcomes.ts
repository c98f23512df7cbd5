import { comparisonKey } from '../model/address.ts';
import type { EmailError, ServerReply } from '../model/errors.ts';
import { refusedRecipient } from '../model/reply-status.ts';
import { type RecipientStatus, recipientStatus } from '../model/status.ts';
import { type DeliveryResult, failedDelivery, type Job } from './job.ts';

/** The result of a message, and which of its recipients were reached. */
export interface PlannedOutcome {
  readonly result: DeliveryResult;
  readonly reached: readonly string[];
}

/** The refusals and failures that a test plans for a backend that sends nothing. */
export class PlannedOutcomes {
  readonly #replies = new Map<string, ServerReply>();
  readonly #failures: EmailError[] = [];

  /** Refuses a recipient from now on, in any spelling of the address. */
  refuse(address: string, reply: ServerReply): void {
    this.#replies.set(comparisonKey(address), reply);
  }

  /** Fails the next message; several queue up. */
  failNext(error: EmailError): void {
    this.#failures.push(error);
  }

  clear(): void {
    this.#replies.clear();
    this.#failures.length = 0;
  }

  /** Decides on the next message. */
  take(job: Job, messageId: string): PlannedOutcome {
    const failure = this.#failures.shift();
    if (failure) return { result: failedDelivery(job, failure), reached: [] };
    const recipients = new Map<string, RecipientStatus>();
    const reached: string[] = [];
    for (const { address } of job.message.recipients) {
      const reply = this.#replies.get(comparisonKey(address));
      if (reply === undefined) reached.push(address);
      recipients.set(
        address,
        reply ? refusedRecipient(address, reply) : recipientStatus(address, 'sent', { messageId }),
      );
    }
    const result = { index: job.index, messageId: reached.length > 0 ? messageId : null, recipients };
    return { result, reached };
  }
}
