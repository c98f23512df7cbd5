import { type DeliveryResult, recipientStatus } from '../../delivery.ts';
import type { EmailError } from '../../errors.ts';
import type { Feature } from '../../features.ts';
import type { EmailMessage } from '../../message.ts';
import type { RecipientStatus } from '../../status.ts';
import type { Addressee } from './addresses.ts';
import type { Failure } from './failure.ts';

/** Collects what the requests of one message came to. */
export class Tally {
  /** In the order of the message; null while nothing is known. */
  readonly #statuses = new Map<string, RecipientStatus | null>();
  readonly #messageIds = new Set<string>();
  readonly #errors: EmailError[] = [];
  readonly #answers: object[] = [];

  constructor({ recipients }: EmailMessage) {
    for (const { address } of recipients) this.#statuses.set(address, null);
  }

  sent(addressees: readonly Addressee[], messageId: string, code: number | null): void {
    this.#messageIds.add(messageId);
    for (const { mailbox } of addressees)
      this.#statuses.set(mailbox.address, recipientStatus(mailbox.address, 'sent', { messageId, code }));
  }

  failed(addressees: readonly Addressee[], { error, statusOf }: Failure): void {
    this.#errors.push(error);
    const facts = {
      code: error.reply?.code ?? error.code,
      response: error.reply?.text ?? null,
      retryable: error.retryable,
      error,
    };
    for (const { mailbox } of addressees)
      this.#statuses.set(mailbox.address, recipientStatus(mailbox.address, statusOf(mailbox), facts));
  }

  /** Keeps the raw answer of a request. */
  answered(answer: object): void {
    this.#answers.push(answer);
  }

  /** `ignored` are the features that were left out, all for the same reason. */
  result(index: number, ignored: readonly Feature[], reason: string): DeliveryResult {
    for (const [address, status] of this.#statuses) if (status === null) this.#statuses.delete(address);
    const [first] = this.#errors;
    const isSame = this.#errors.every(({ name, code }) => name === first?.name && code === first.code);
    const [messageId = null] = this.#messageIds;
    return {
      index,
      messageId: this.#messageIds.size > 1 ? this.#messageIds : messageId,
      recipients: this.#statuses as ReadonlyMap<string, RecipientStatus>, // those that are null have gone
      error: first && isSame ? first : null,
      espResponse: this.#answers.length > 1 ? this.#answers : (this.#answers[0] ?? null),
      ...(ignored.length > 0 && {
        ignored,
        ignoredReasons: Object.fromEntries(ignored.map((feature) => [feature, reason])),
      }),
    };
  }
}

/** The HTTP status of an answer. */
export function httpStatusOf(answer: object): number | null {
  const metadata: unknown = '$metadata' in answer ? answer.$metadata : null;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return null;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : null;
}
