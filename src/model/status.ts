import { comparisonKey } from './address.ts';
import type { EmailError, ErrorCode } from './errors.ts';
import type { Feature, IgnoredReasons } from './features.ts';

/**
 * What is known about one recipient: `sent`, the server accepted the mail and will deliver it; `queued`, the provider will
 * send it later; `invalid`, a bad address; `rejected`, refused by the provider; `failed`, any other failure, certainly
 * not sent; `unknown`, it may or may not have been sent.
 */
export type DeliveryStatus = 'sent' | 'queued' | 'invalid' | 'rejected' | 'failed' | 'unknown';

/** One try to send a mail to one recipient. */
export interface Try {
  /** The name of the connection, as in {@link RecipientStatus.via}. */
  readonly via: string;
  /** What was known after it. */
  readonly status: DeliveryStatus;
  /** As in {@link RecipientStatus}. */
  readonly code: number | ErrorCode | null;
  /** When it ended. */
  readonly at: Date;
}

/** What happened to one recipient of one message. */
export interface RecipientStatus {
  /** The address as written, with a Unicode domain kept. */
  readonly address: string;
  /** What is known about the mail for this recipient. */
  readonly status: DeliveryStatus;
  /** The provider's id of the message for this recipient; over SMTP the Message-ID without brackets. */
  readonly messageId: string | null;
  /** The SMTP reply code or HTTP status; without an answer, the code of `error`, such as `cancelled` or `timeout`. */
  readonly code: number | ErrorCode | null;
  /** The enhanced status code, such as `5.1.1` (RFC 3463). */
  readonly enhancedCode: string | null;
  /** The server's text, without its codes. */
  readonly response: string | null;
  /** Whether a later try may succeed and cannot send the message twice. */
  readonly retryable: boolean;
  /** Why it was not sent, or null. */
  readonly error: EmailError | null;
  /** Of a wrapper: the connection that this status comes from, `ses`; of a wrapper in another one the way there, `failover/ses`. */
  readonly via?: string;
  /** Of a wrapper: every try for this recipient, in order, the one of this status last. */
  readonly tries?: readonly Try[];
}

/** The facts of a {@link RecipientStatus} besides the address and the status. */
export type RecipientFacts = Partial<Omit<RecipientStatus, 'address' | 'status'>>;

/** A complete {@link RecipientStatus}; facts not given are null or false. */
export function recipientStatus(address: string, status: DeliveryStatus, facts: RecipientFacts = {}): RecipientStatus {
  return {
    address,
    status,
    messageId: facts.messageId ?? null,
    code: facts.code ?? null,
    enhancedCode: facts.enhancedCode ?? null,
    response: facts.response ?? null,
    retryable: facts.retryable ?? false,
    error: facts.error ?? null,
  };
}

/** What happened to one message of a call. */
export interface MessageResult {
  /** The message's place in the call, from 0. */
  readonly index: number;
  /** The provider's id of the message, several when it took several requests, or null. */
  readonly messageId: string | ReadonlySet<string> | null;
  /** Address to status, in the order to, cc, bcc. */
  readonly recipients: ReadonlyMap<string, RecipientStatus>;
  /** Why nothing of this message was sent, or null. */
  readonly error: EmailError | null;
  /** Advisory features the backend could not carry (`tags`, `metadata`, `trackOpens`, ...). */
  readonly ignored: readonly Feature[];
  /** Why, for features that the backend supports but not this time: `needs @aws-sdk/client-sesv2 3.1125.0`. */
  readonly ignoredReasons?: IgnoredReasons;
  /** The provider's raw answer, for debugging. */
  readonly espResponse: unknown;
}

const SEVERITY: Readonly<Record<DeliveryStatus, number>> = {
  sent: 0,
  queued: 1,
  invalid: 2,
  rejected: 3,
  failed: 4,
  unknown: 5,
};

/** Whether the provider took the mail for this recipient. */
export function isDelivered(recipient: RecipientStatus): boolean {
  return recipient.status === 'sent' || recipient.status === 'queued';
}

/**
 * What happened to every recipient of one call.
 *
 * An address in several messages shows its worst status in `recipients`; `results` has each message by itself.
 */
export class SendStatus {
  /** One entry per message, in the order given. */
  readonly results: readonly MessageResult[];
  /** Address to status; of an address in several messages the worst: unknown, failed, rejected, invalid, queued, sent. */
  readonly recipients: ReadonlyMap<string, RecipientStatus>;

  constructor(results: readonly MessageResult[]) {
    this.results = results;
    this.recipients = results.length === 1 && results[0] ? results[0].recipients : mergeRecipients(results);
  }

  /** Whether every recipient is `sent` or `queued`, and no message failed for lack of a recipient. */
  get isSuccess(): boolean {
    return [...this.recipients.values()].every(isDelivered) && !this.results.some(failedWithoutRecipients);
  }

  /** Whether any recipient is `failed`, `rejected` or `invalid`, or a message had none. */
  get hasFailures(): boolean {
    return [...this.recipients.values()].some(isFailed) || this.results.some(failedWithoutRecipients);
  }

  /** Whether any recipient is `unknown`: the mail may or may not have been sent. */
  get isUncertain(): boolean {
    return [...this.recipients.values()].some(({ status }) => status === 'unknown');
  }

  /** The provider's id, a set of them for several messages or requests, or null. */
  get messageId(): string | ReadonlySet<string> | null {
    const ids = new Set<string>();
    for (const { messageId } of this.results) {
      if (typeof messageId === 'string') ids.add(messageId);
      else if (messageId) for (const id of messageId) ids.add(id);
    }
    if (ids.size > 1) return ids;
    const [only = null] = ids;
    return only;
  }

  /** The error of the first message that has one, or null; errors that `failSilently` suppressed are kept here. */
  get error(): EmailError | null {
    return this.results.find((result) => result.error)?.error ?? null;
  }

  /** The provider's raw answer, an array of them for several messages; for debugging. */
  get espResponse(): unknown {
    return this.results.length === 1 ? this.results[0]?.espResponse : this.results.map((result) => result.espResponse);
  }

  /** The addresses that are `sent` or `queued`. */
  getSuccessfulRecipients(): string[] {
    return [...this.recipients].filter(([, recipient]) => isDelivered(recipient)).map(([address]) => address);
  }

  /** The addresses that are `failed`, `rejected` or `invalid`; those that are `unknown` are in neither list. */
  getFailedRecipients(): string[] {
    return [...this.recipients].filter(([, recipient]) => isFailed(recipient)).map(([address]) => address);
  }

  /** A plain object for logs and JSON: no bodies, no secrets, errors as class, code and message. */
  toJSON(): SendStatusJson {
    const { messageId } = this;
    return {
      isSuccess: this.isSuccess,
      hasFailures: this.hasFailures,
      isUncertain: this.isUncertain,
      messageId: messageId === null || typeof messageId === 'string' ? messageId : [...messageId],
      recipients: Object.fromEntries(
        [...this.recipients].map(([address, { error, ...facts }]) => [
          address,
          { ...facts, error: error && describeError(error) },
        ]),
      ),
      error: this.error && describeError(this.error),
    };
  }
}

/** An error in {@link SendStatusJson}. */
export interface ErrorJson {
  /** The class, such as `SendError`. */
  readonly name: string;
  /** What to decide by. */
  readonly code: ErrorCode;
  /** What happened and what to change. */
  readonly message: string;
}

/** What {@link SendStatus.toJSON} returns. */
export interface SendStatusJson {
  /** As in {@link SendStatus}. */
  readonly isSuccess: boolean;
  /** As in {@link SendStatus}. */
  readonly hasFailures: boolean;
  /** As in {@link SendStatus}. */
  readonly isUncertain: boolean;
  /** As in {@link SendStatus}; a list for several. */
  readonly messageId: string | readonly string[] | null;
  /** By address. */
  readonly recipients: Readonly<Record<string, Omit<RecipientStatus, 'error'> & { readonly error: ErrorJson | null }>>;
  /** Of the first message that has one. */
  readonly error: ErrorJson | null;
}

function describeError({ name, code, message }: EmailError): ErrorJson {
  return { name, code, message };
}

function isFailed({ status }: RecipientStatus): boolean {
  return status === 'failed' || status === 'rejected' || status === 'invalid';
}

/** Whether a message failed and has no recipient whose status could show it. */
function failedWithoutRecipients({ error, recipients }: MessageResult): boolean {
  return error !== null && recipients.size === 0;
}

function mergeRecipients(results: readonly MessageResult[]): ReadonlyMap<string, RecipientStatus> {
  const spellings = new Map<string, string>();
  const merged = new Map<string, RecipientStatus>();
  for (const { recipients } of results) {
    for (const recipient of recipients.values()) {
      const key = comparisonKey(recipient.address);
      const address = spellings.get(key) ?? recipient.address;
      spellings.set(key, address);
      const known = merged.get(address);
      if (!known || SEVERITY[recipient.status] > SEVERITY[known.status]) {
        merged.set(address, recipient.address === address ? recipient : { ...recipient, address });
      }
    }
  }
  return merged;
}
