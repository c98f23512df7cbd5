import { comparisonKey } from '../address.ts';
import type { InboxMessage } from './inbox-message.ts';

/** What must hold of a message; of several fields, all. */
export interface MessageFields {
  /** An address, whatever its name; or a pattern that the name and address match. */
  readonly from?: string | RegExp;
  /** Somebody who got it, in To, Cc or Bcc. */
  readonly to?: string | RegExp;
  /** Somebody in Cc. */
  readonly cc?: string | RegExp;
  /** Somebody in Bcc. */
  readonly bcc?: string | RegExp;
  /** Somebody in Reply-To. */
  readonly replyTo?: string | RegExp;
  /** The whole subject, or a pattern. */
  readonly subject?: string | RegExp;
  /** Words of the text, or a pattern. */
  readonly body?: string | RegExp;
  /** Words of the HTML, or a pattern. */
  readonly htmlBody?: string | RegExp;
}

/** Which messages are meant: by their fields, or as a function decides. */
export type MessageMatch = MessageFields | ((message: InboxMessage) => boolean);

/** Whether a message is meant by a match that {@link checkMatch} lets through. */
export function isMatch(message: InboxMessage, match: MessageMatch): boolean {
  if (typeof match === 'function') return match(message);
  return Object.entries(match).every(([field, wanted]) => CHECKS[field]?.(message, wanted));
}

/** Whether it asks for something, also where there is no message to ask it of. @throws {TypeError} */
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

/** @throws {TypeError} for what is neither text nor pattern: it would be found everywhere, or nowhere. */
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

/** Whether somebody of that address got the message. */
export function isRecipient({ recipients, to, cc, bcc }: InboxMessage, wanted: string | RegExp): boolean {
  const reached = new Set(recipients.map(comparisonKey));
  const shown = [...to, ...cc, ...bcc].filter((address) => reached.has(comparisonKey(address)));
  return hasAddress([...recipients, ...shown], wanted);
}

/** Whether a text is the wanted one. */
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

/** Messages, or what was wanted of them, as a failure shows them. */
export function describeMessages(messages: readonly InboxMessage[]): string {
  if (messages.length === 0) return 'nothing was sent';
  const lines = messages.map((message, index) => `${index + 1}. ${describeMessage(message)}`);
  return `sent ${messages.length === 1 ? 'was' : 'were'}:\n${lines.join('\n')}`;
}

/** One message in a line or two. */
export function describeMessage({ subject, recipients, body, htmlBody, attachments }: InboxMessage): string {
  const words = (body || (htmlBody ?? '')).replaceAll(/\s+/g, ' ').slice(0, 100);
  const files = attachments.map(({ filename, contentId }) => filename ?? `cid:${contentId}`);
  const attached = files.length === 0 ? '' : `, with ${files.join(', ')}`;
  return `${JSON.stringify(subject)} to ${recipients.join(', ')}${attached}\n   ${words}`;
}

/** A match as a failure shows it. */
export function describeMatch(match: MessageMatch): string {
  if (typeof match === 'function') return `a message for which ${match.name || 'the function'} is true`;
  const fields = Object.entries(match).map(([name, wanted]) => `${name} ${show(wanted)}`);
  return fields.length === 0 ? 'a message' : `a message with ${fields.join(', ')}`;
}

/** A text or pattern as a failure shows it. */
export function show(wanted: unknown): string {
  return wanted instanceof RegExp ? String(wanted) : (JSON.stringify(wanted) ?? String(wanted));
}
