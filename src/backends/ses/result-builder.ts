import { type DeliveryResult, factsOfFailure } from '../../backend/job.ts';
import type { EmailError } from '../../model/errors.ts';
import type { Feature } from '../../model/features.ts';
import type { EmailMessage } from '../../model/message.ts';
import { type RecipientStatus, recipientStatus } from '../../model/status.ts';
import type { SesFailure } from './failures.ts';
import type { EnvelopeRecipient } from './recipients.ts';

/** Makes one result of what the requests of a message came to. */
export class ResultBuilder {
  readonly #message: EmailMessage;
  readonly #statuses = new Map<string, RecipientStatus>();
  readonly #messageIds = new Set<string>();
  readonly #errors: EmailError[] = [];
  readonly #answers: object[] = [];

  constructor(message: EmailMessage) {
    this.#message = message;
  }

  /** `answer` is the raw one, which said so. */
  sent(recipients: readonly EnvelopeRecipient[], messageId: string, answer: object): void {
    this.#messageIds.add(messageId);
    const facts = { messageId, code: httpStatusOf(answer) };
    for (const { mailbox } of recipients)
      this.#statuses.set(mailbox.address, recipientStatus(mailbox.address, 'sent', facts));
  }

  failed(recipients: readonly EnvelopeRecipient[], { error, statusOf }: SesFailure): void {
    this.#errors.push(error);
    const facts = factsOfFailure(error);
    for (const { mailbox } of recipients)
      this.#statuses.set(mailbox.address, recipientStatus(mailbox.address, statusOf(mailbox), facts));
  }

  /** Keeps the raw answer of a request. */
  answered(answer: object): void {
    this.#answers.push(answer);
  }

  /** `ignored` are the features that were left out, all for the same reason. */
  build(index: number, ignored: readonly Feature[], reason: string): DeliveryResult {
    const recipients = new Map<string, RecipientStatus>();
    for (const { address } of this.#message.recipients) {
      const status = this.#statuses.get(address);
      if (status !== undefined) recipients.set(address, status);
    }
    const [first] = this.#errors;
    const isSame = this.#errors.every(({ name, code }) => name === first?.name && code === first.code);
    const [messageId = null] = this.#messageIds;
    return {
      index,
      messageId: this.#messageIds.size > 1 ? this.#messageIds : messageId,
      recipients,
      error: first && isSame ? first : null,
      espResponse: this.#answers.length > 1 ? this.#answers : (this.#answers[0] ?? null),
      ...(ignored.length > 0 && {
        ignored,
        ignoredReasons: Object.fromEntries(ignored.map((feature) => [feature, reason])),
      }),
    };
  }
}

function httpStatusOf(answer: object): number | null {
  const metadata: unknown = '$metadata' in answer ? answer.$metadata : null;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return null;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : null;
}
