import { type AddressInput, formatAddress, parseAddress } from '../../model/address.ts';
import { type AttachmentInit, findAttachmentIssues } from '../../model/attachment.ts';
import { MessageError } from '../../model/errors.ts';
import { isHeaderName } from '../../model/message-check.ts';
import { isMessageId, readMessageIds } from '../../model/message-ids.ts';
import type { Alternative, EmailMessageInit } from '../../model/message-init.ts';
import { LINE_CONTROL } from '../../util/line.ts';
import { customHeader, kindOfHeader } from '../compose/header-section.ts';
import { withoutNul } from '../compose/nul.ts';
import { simpleParameter } from '../compose/parameters.ts';
import { readAddressInputs } from './addresses.ts';
import { readBody } from './body.ts';
import { readContent, readText } from './content.ts';
import { decodeWords } from './decode-words.ts';
import { type HeaderField, headerValue } from './headers.ts';
import { type MimePart, readMime } from './mime-tree.ts';

/** Headers that are fields of a message, and those that describe or sign the mail in transit. */
const NOT_CUSTOM =
  /^(?:from|sender|to|cc|bcc|reply-to|subject|date|message-id|in-reply-to|references|mime-version|content-.*|resent-.*|received.*|return-path|delivered-to|x-received|x-original-to|dkim-signature|domainkey-signature|arc-.*|authentication-results)$/i;
const PARAMETER_NAME = /^[\w.-]{1,60}$/;
const PARAMETER_VALUE = /^[\x20-\x7e]{1,200}$/;
/** As large as other readers allow: a mail to ten thousand people names them all. */
const MAX_HEADER_BYTES = 2_097_152;

/**
 * Reads a mail into the fields of a message, without trace headers and signatures.
 *
 * @throws {MessageError} `invalid-message` when it cannot be read, or has several senders.
 */
export function messageFromEml(eml: Uint8Array | string): EmailMessageInit {
  const bytes = bytesOf(eml);
  const { root, isComplete } = readMime(bytes, MAX_HEADER_BYTES);
  if (!isComplete) throw emlError('it has too many parts, levels of parts or headers to be read as a mail');
  const { headers: fields } = root;
  const { text, html, forms, files } = readBody(bytes, root);
  const [messageId = null] = idsOf(fields, 'message-id').filter(isMessageId);
  return {
    subject: subjectOf(fields),
    fromEmail: senderOf(fields),
    to: addressesOf(fields, 'to'),
    cc: addressesOf(fields, 'cc'),
    bcc: addressesOf(fields, 'bcc'),
    replyTo: addressesOf(fields, 'reply-to'),
    ...(text !== null || html === null ? { body: cleanText(text ?? '') } : {}),
    htmlBody: html === null ? null : cleanText(html),
    date: dateOf(fields),
    messageId,
    inReplyTo: idsOf(fields, 'in-reply-to').join(' ') || null,
    references: idsOf(fields, 'references'),
    headers: readCustomHeaders(fields),
    alternatives: forms.map((part) => readAlternative(bytes, part)),
    attachments: files.map((part) => readAttachment(bytes, part)),
  };
}

function bytesOf(eml: Uint8Array | string): Uint8Array {
  if (typeof eml === 'string') return Buffer.from(eml, 'utf8');
  if (!ArrayBuffer.isView(eml)) throw emlError('it must be bytes or a string');
  return eml;
}

function emlError(message: string): MessageError {
  return new MessageError([{ path: 'eml', code: 'type', message }]);
}

/** The sender's own headers, apart from those that are fields of a message; the first of each name. */
function readCustomHeaders(fields: readonly HeaderField[]): Readonly<Record<string, string>> {
  const headers = new Map<string, readonly [string, string]>();
  for (const { name, value } of fields) {
    const key = name.toLowerCase();
    if (NOT_CUSTOM.test(name) || headers.has(key)) continue;
    const text = readCustomHeader(name, value);
    if (text !== null) headers.set(key, [name, text]);
  }
  return Object.fromEntries(headers.values());
}

/** The value of a custom header; null when it could not be written again. */
function readCustomHeader(name: string, value: string): string | null {
  const kind = kindOfHeader(name);
  let text = oneLine(kind === 'text' ? decodeWords(value) : value.replace(/\s+/g, ' ')).trim();
  try {
    if (kind === 'address') {
      const [address = '', ...others] = readAddressInputs(value);
      if (others.length > 0) return null;
      text = formatAddress(parseAddress(address));
    }
    customHeader(name, text);
    return isHeaderName(name) ? text : null;
  } catch {
    return null;
  }
}

/** The subject of a mail; '' when there is none. */
function subjectOf(fields: readonly HeaderField[]): string {
  return oneLine(decodeWords(valuesOf(fields, 'subject')[0] ?? ''));
}

/** The sender of a mail. @throws {MessageError} `invalid-message` when there are several. */
function senderOf(fields: readonly HeaderField[]): AddressInput {
  const [sender = '', ...others] = addressesOf(fields, 'from');
  if (others.length === 0) return sender;
  const message = 'the mail has several senders, and a message has one: remove the others';
  throw new MessageError([{ path: 'fromEmail', code: 'address', message }]);
}

/** The addresses in all headers of a name; `name` in lower case. */
function addressesOf(fields: readonly HeaderField[], name: string): readonly AddressInput[] {
  return valuesOf(fields, name).flatMap(readAddressInputs);
}

function valuesOf(fields: readonly HeaderField[], name: string): readonly string[] {
  return fields.filter((field) => field.name.toLowerCase() === name).map(({ value }) => value);
}

function idsOf(fields: readonly HeaderField[], name: string): readonly string[] {
  // Only ids in brackets: In-Reply-To was once a phrase (RFC 822, section 4.6.2).
  return valuesOf(fields, name).flatMap((value) => (value.includes('<') ? readMessageIds(value) : []));
}

function oneLine(text: string): string {
  return text.replace(new RegExp(`(?:\\t|${LINE_CONTROL.source})+`, 'g'), ' ');
}

function dateOf(fields: readonly HeaderField[]): Date | null {
  const date = new Date(valuesOf(fields, 'date')[0] ?? '');
  return date.getTime() >= 0 ? date : null;
}

function readAlternative(bytes: Uint8Array, part: MimePart): Alternative {
  return { content: cleanText(readText(bytes, part)), mimetype: mediaTypeOf(part, /^(?:name|charset)$/) };
}

/** An attachment of a mail, without those of its labels that could not be written again. */
function readAttachment(bytes: Uint8Array, part: MimePart): AttachmentInit {
  const { filename, contentId } = part;
  const init = {
    filename: filename === null ? null : oneLine(filename.split(/[/\\]/).at(-1) ?? ''),
    mimetype: isTyped(part) ? mediaTypeOf(part, /^name$/) : null,
    contentId,
    content: readContent(bytes, part),
  };
  const wrong = findAttachmentIssues(init, '').map(({ path }) => [path, null]);
  return { ...init, ...Object.fromEntries(wrong) };
}

/** False when its Content-Type is malformed: the type then follows from the file name. */
function isTyped({ headers, mediaType }: MimePart): boolean {
  const type = headerValue(headers, 'content-type');
  return type === null || type.toLowerCase().startsWith(mediaType);
}

/** The media type with the parameters that can be written again. */
function mediaTypeOf({ mediaType, parameters }: MimePart, dropped: RegExp): string {
  const kept = Object.entries(parameters).filter(
    ([name, value]) => !dropped.test(name) && PARAMETER_NAME.test(name) && PARAMETER_VALUE.test(value),
  );
  return [mediaType, ...kept.map(([name, value]) => simpleParameter(name, value))].join('; ');
}

/** Text as a message accepts it: lines end with a line feed, a NUL becomes a space. */
function cleanText(text: string): string {
  return withoutNul(text.replaceAll('\r\n', '\n'));
}
