import type { ErrorCode } from '../model/errors.ts';
import type { EmailMessage } from '../model/message.ts';
import { type DeliveryStatus, isDelivered, type RecipientStatus } from '../model/status.ts';

/** What is known of one recipient of a mail in the outbox. */
export interface OutboxRecipient {
  /** As written. */
  readonly address: string;
  /** `queued` before the first try. */
  readonly status: DeliveryStatus;
  /** Whether the mail is still to be sent to them. */
  readonly isOpen: boolean;
  /** As in RecipientStatus, of the latest try. */
  readonly code: number | ErrorCode | null;
  /** As in RecipientStatus. */
  readonly enhancedCode: string | null;
  /** The server's text, or why there is none. */
  readonly response: string | null;
  /** The provider's id for this recipient. */
  readonly messageId: string | null;
  /** The connection that tried. */
  readonly via: string | null;
}

/** What happened to a mail, in order. */
export interface OutboxEvent {
  /** ISO 8601, UTC, by the clock of the process that did it. */
  readonly at: string;
  /** What was done. */
  readonly what: 'tried' | 'put-off' | 'in-doubt' | 'retried' | 'resolved' | 'learned' | 'cancelled';
  /** Why, or with which result, in words. */
  readonly text: string;
}

/** What a store keeps of a mail besides its content. */
export interface MailFacts {
  /** The visible sender. */
  readonly from: string;
  /** As in the message. */
  readonly subject: string;
  /** The same in every try; null where each recipient has one of their own. */
  readonly messageId: string | null;
  /** What is known of each, in the order to, cc, bcc. */
  readonly recipients: readonly OutboxRecipient[];
  /** The latest 50. */
  readonly events: readonly OutboxEvent[];
  /** The span that wrote it down (W3C Trace Context, section 3.2); null when nobody traced it. It is in no header of the mail. */
  readonly traceparent: string | null;
  /** How often it was tried before somebody last decided that it is to be sent; left out where nobody has. */
  readonly decidedAfter?: number;
}

/** Older events of a mail are forgotten. */
const MOST_EVENTS = 50;

export function factsOf(message: EmailMessage, traceparent: string | null): MailFacts {
  const { fromEmail, subject, messageId, recipients } = message;
  return {
    from: fromEmail,
    subject,
    messageId,
    recipients: recipients.map(({ address }) => ({
      address,
      status: 'queued',
      isOpen: true,
      code: null,
      enhancedCode: null,
      response: null,
      messageId,
      via: null,
    })),
    events: [],
    traceparent,
  };
}

export function readFacts(text: string): MailFacts {
  return JSON.parse(text) as MailFacts; // written by writeFacts
}

export function writeFacts(facts: MailFacts): string {
  return JSON.stringify(facts);
}

/** The facts after an event, and with what is known of recipients by then. */
export function withEvent(
  facts: MailFacts,
  what: OutboxEvent['what'],
  text: string,
  recipients: readonly OutboxRecipient[] = facts.recipients,
): MailFacts {
  const event: OutboxEvent = { at: new Date().toISOString(), what, text };
  return { ...facts, recipients, events: [...facts.events, event].slice(-MOST_EVENTS) };
}

/** A recipient after a try. */
export function afterTry(status: RecipientStatus, isOpen: boolean): OutboxRecipient {
  const { address, code, enhancedCode, response, messageId, via = null } = status;
  return {
    address,
    status: status.status,
    isOpen,
    code,
    enhancedCode,
    response: response ?? reason(status),
    messageId,
    via,
  };
}

function reason(status: RecipientStatus): string | null {
  return isDelivered(status) ? null : (status.error?.message ?? null);
}
