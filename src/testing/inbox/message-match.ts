import { comparisonKey } from '../../model/address.ts';
import { EnqueuedMessage } from './enqueued.ts';
import type { InboxMessage } from './inbox-message.ts';

/** The fields that a message must match, all of them. */
export interface MessageFields {
  /** The sender's address, with any name; or a pattern for name and address. */
  readonly from?: string | RegExp;
  /** A recipient who got it, in To, Cc or Bcc. */
  readonly to?: string | RegExp;
  /** An address in Cc. */
  readonly cc?: string | RegExp;
  /** An address in Bcc. */
  readonly bcc?: string | RegExp;
  /** An address in Reply-To. */
  readonly replyTo?: string | RegExp;
  /** The whole subject, or a pattern. */
  readonly subject?: string | RegExp;
  /** Part of the text, or a pattern. */
  readonly body?: string | RegExp;
  /** Part of the HTML, or a pattern. */
  readonly htmlBody?: string | RegExp;
}

/** The fields that a mail in an outbox must match, all of them. */
export interface EnqueuedFields extends MessageFields {
  /** Its lane. */
  readonly lane?: string | RegExp;
  /** Its idempotency key. */
  readonly idempotencyKey?: string | RegExp;
  /** When it is due, to the millisecond. */
  readonly sendAt?: Date;
}

/** Selects mails of an outbox, by their fields or by a function. */
export type EnqueuedMatch = EnqueuedFields | ((message: EnqueuedMessage) => boolean);

/** Selects messages, by their fields or by a function. */
export type MessageMatch = MessageFields | ((message: InboxMessage) => boolean);

/** Whether a message matches; `match` must have passed {@link checkMatch}. */
export function isMatch(message: InboxMessage, match: MessageMatch): boolean {
  if (typeof match === 'function') return match(message);
  return Object.entries(match).every(([field, wanted]) => CHECKS[field]?.(message, wanted));
}

/** {@link isMatch} for a mail in an outbox; `match` must have passed {@link checkEnqueuedMatch}. */
export function isEnqueuedMatch(message: EnqueuedMessage, match: EnqueuedMatch): boolean {
  if (typeof match === 'function') return match(message);
  const { lane, idempotencyKey, sendAt, ...fields } = match;
  const { entry } = message;
  return (
    (lane === undefined || isText(entry.lane, lane)) &&
    (idempotencyKey === undefined || isText(entry.idempotencyKey ?? '', idempotencyKey)) &&
    (sendAt === undefined || entry.dueAt.getTime() === sendAt.getTime()) &&
    isMatch(message, fields)
  );
}

/** {@link checkMatch} for a mail in an outbox. */
export function checkEnqueuedMatch(match: EnqueuedMatch): void {
  const isFields = typeof match === 'object' && match !== null && !(match instanceof RegExp);
  const { lane, idempotencyKey, sendAt, ...fields } = isFields ? match : {};
  for (const [field, wanted] of Object.entries({ lane, idempotencyKey })) {
    if (wanted !== undefined) checkText(field, wanted);
  }
  if (!(sendAt === undefined || sendAt instanceof Date)) throw new TypeError(`sendAt is a Date, not ${show(sendAt)}`);
  checkMatch(isFields ? fields : (match as MessageMatch)); // which says what is wrong
}

/** Checks a match even when there is no message to compare. @throws {TypeError} for an unknown field or bad value. */
export function checkMatch(match: MessageMatch): void {
  if (typeof match === 'function') return;
  if (typeof match !== 'object' || match === null || match instanceof RegExp)
    throw new TypeError(`a match is fields or a function, not ${show(match)}`);
  for (const [field, wanted] of Object.entries(match)) {
    if (!Object.hasOwn(CHECKS, field))
      throw new TypeError(`there is no field ${field}: give ${Object.keys(CHECKS).join(', ')}`);
    checkText(field, wanted);
  }
}

/** @throws {TypeError} unless it is a string or a pattern: anything else would match everything or nothing. */
export function checkText(what: string, wanted: unknown): void {
  if (typeof wanted !== 'string' && !(wanted instanceof RegExp))
    throw new TypeError(`${what} is a text or a pattern, not ${show(wanted)}`);
}

type Check = (message: InboxMessage, wanted: string | RegExp) => boolean;

const CHECKS: Readonly<Record<string, Check>> = {
  from: (message, wanted) => hasAddress([message.from], wanted),
  to: isRecipient,
  cc: ({ cc }, wanted) => hasAddress(cc, wanted),
  bcc: ({ bcc }, wanted) => hasAddress(bcc, wanted),
  replyTo: ({ replyTo }, wanted) => hasAddress(replyTo, wanted),
  subject: ({ subject }, wanted) => isText(subject, wanted),
  body: ({ body }, wanted) => containsText(body, wanted),
  htmlBody: ({ htmlBody }, wanted) => htmlBody !== null && containsText(htmlBody, wanted),
};

/** Whether a recipient with that address got the message. */
export function isRecipient({ recipients, to, cc, bcc }: InboxMessage, wanted: string | RegExp): boolean {
  const reached = new Set(recipients.map(comparisonKey));
  const shown = [...to, ...cc, ...bcc].filter((address) => reached.has(comparisonKey(address)));
  return hasAddress([...recipients, ...shown], wanted);
}

/** Whether a text equals a string or matches a pattern. */
export function isText(text: string, wanted: string | RegExp): boolean {
  return typeof wanted === 'string' ? text === wanted : text.search(wanted) !== -1;
}

function containsText(text: string, wanted: string | RegExp): boolean {
  return typeof wanted === 'string' ? text.includes(wanted) : isText(text, wanted);
}

function hasAddress(addresses: readonly string[], wanted: string | RegExp): boolean {
  return addresses.some((address) =>
    typeof wanted === 'string' ? comparisonKey(address) === comparisonKey(wanted) : isText(address, wanted),
  );
}

/** Describes messages in a failure. */
export function describeMessages(messages: readonly InboxMessage[], done = 'sent'): string {
  if (messages.length === 0) return `nothing was ${done}`;
  const lines = messages.map((message, index) => `${index + 1}. ${describeMessage(message)}`);
  return `${done} ${messages.length === 1 ? 'was' : 'were'}:\n${lines.join('\n')}`;
}

/** Describes a message in two lines. */
export function describeMessage(message: InboxMessage): string {
  const { subject, recipients, body, htmlBody, attachments } = message;
  const words = (body || (htmlBody ?? '')).replaceAll(/\s+/g, ' ').slice(0, 100);
  const files = attachments.map(({ filename, contentId }) => filename ?? `cid:${contentId}`);
  const attached = files.length === 0 ? '' : `, with ${files.join(', ')}`;
  const entry = message instanceof EnqueuedMessage ? message.entry : null;
  const way = entry === null ? '' : `, lane ${show(entry.lane)}, due ${entry.dueAt.toISOString()}`;
  return `${JSON.stringify(subject)} to ${recipients.join(', ')}${attached}${way}\n   ${words}`;
}

/** Describes a match in a failure. */
export function describeMatch(match: MessageMatch | EnqueuedMatch): string {
  if (typeof match === 'function') return `a message for which ${match.name || 'the function'} is true`;
  const fields = Object.entries(match).map(([name, wanted]) => `${name} ${show(wanted)}`);
  return fields.length === 0 ? 'a message' : `a message with ${fields.join(', ')}`;
}

/** Formats a string or pattern for a failure. */
export function show(wanted: unknown): string {
  return wanted instanceof RegExp ? String(wanted) : (JSON.stringify(wanted) ?? String(wanted));
}
