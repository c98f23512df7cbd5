import type { Mailbox } from '../../address.ts';
import { type DeliveryResult, type Job, recipientStatus } from '../../delivery.ts';
import type { EmailError } from '../../errors.ts';
import type { Feature } from '../../features.ts';
import type { RecipientStatus } from '../../status.ts';
import type { Failure } from './failure.ts';

/** Collects what the requests of one message came to. */
export class Tally {
  readonly #statuses = new Map<string, RecipientStatus>();
  readonly #messageIds = new Set<string>();
  readonly #errors: EmailError[] = [];
  readonly #answers: object[] = [];

  sent(recipients: readonly Mailbox[], messageId: string, answer: object): void {
    this.#messageIds.add(messageId);
    const facts = { messageId, code: httpStatusOf(answer) };
    for (const { address } of recipients) this.#statuses.set(address, recipientStatus(address, 'sent', facts));
  }

  failed(recipients: readonly Mailbox[], { error, statusOf }: Failure): void {
    this.#errors.push(error);
    const facts = {
      code: error.reply?.code ?? error.code,
      response: error.reply?.text ?? null,
      retryable: error.retryable,
      error,
    };
    for (const recipient of recipients) {
      const { address } = recipient;
      this.#statuses.set(address, recipientStatus(address, statusOf(recipient), facts));
    }
  }

  /** Keeps the raw answer of a request. */
  answered(answer: object): void {
    this.#answers.push(answer);
  }

  result({ index, message }: Job, ignored: readonly Feature[]): DeliveryResult {
    const recipients = new Map<string, RecipientStatus>();
    for (const { address } of message.recipients) {
      const status = this.#statuses.get(address);
      if (status) recipients.set(address, status);
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
      ignored,
    };
  }
}

function httpStatusOf(answer: object): number | null {
  const metadata: unknown = '$metadata' in answer ? answer.$metadata : null;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return null;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : null;
}
