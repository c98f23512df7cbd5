import { type AddressInput, formatAddress, parseAddress } from '../address.ts';
import { type AttachmentInit, findAttachmentIssues } from '../attachment.ts';
import { MessageError } from '../errors.ts';
import { isHeaderName } from '../message-check.ts';
import { isMessageId, readMessageIds } from '../message-ids.ts';
import type { Alternative, EmailMessageInit } from '../message-init.ts';
import { LINE_CONTROL } from '../util/line.ts';
import { optionalRequire } from '../util/optional-package.ts';
import { decodeWords } from './decode-words.ts';
import { customHeader, kindOfHeader } from './header-section.ts';
import { withoutNul } from './nul.ts';
import { readAddressInputs } from './read-addresses.ts';
import { readContent, readText } from './read-content.ts';
import type { HeaderField } from './read-headers.ts';
import { leavesOf, type MimePart, readMime } from './read-mime.ts';

interface ParsedFile {
  readonly filename: string | null;
  readonly mimeType: string;
  readonly disposition: string | null;
  readonly contentId?: string | null | undefined;
  readonly method?: string | undefined;
  readonly charset?: string | undefined;
  readonly content: ArrayBuffer | Uint8Array | string;
}

/** What postal-mime finds in a mail, as far as it is used here. */
interface ParsedMail {
  readonly headers: readonly { readonly originalKey: string; readonly value: string }[];
  readonly date?: string | undefined;
  readonly text?: string | undefined;
  readonly html?: string | undefined;
  readonly attachments: readonly ParsedFile[];
}

interface PostalMime {
  parse(mail: Uint8Array | string, options?: { readonly forceRfc822Attachments: true }): Promise<ParsedMail>;
}

/** Headers that belong to fields, to the way the mail has come, or to what it looked like on that way. */
const NOT_CUSTOM =
  /^(?:from|sender|to|cc|bcc|reply-to|subject|date|message-id|in-reply-to|references|mime-version|content-.*|resent-.*|received.*|return-path|delivered-to|x-received|x-original-to|dkim-signature|domainkey-signature|arc-.*|authentication-results)$/i;
/** A parameter's value that needs no quotes. */
const PLAIN = /^[\w.-]{1,60}$/;
const ALTERNATIVE_TYPES: readonly string[] = ['text/calendar', 'text/x-amp-html'];

/**
 * Reads a mail into what a message is made from; trace headers and signatures are left out.
 *
 * @throws {ConfigurationError} `missing-dependency` when the package postal-mime is not installed.
 * @throws {MessageError} `invalid-message` when it is no mail.
 */
export async function messageFromEml(eml: Uint8Array | string): Promise<EmailMessageInit> {
  const parser = optionalRequire<{ readonly default: PostalMime }>('postal-mime', 'fromEml').default;
  const mail = await parser.parse(eml, { forceRfc822Attachments: true }).catch((cause: unknown) => {
    throw new MessageError([{ path: 'eml', code: 'type', message: 'it cannot be read as a mail' }], { cause });
  });
  const bytes = typeof eml === 'string' ? Buffer.from(eml, 'utf8') : eml;
  const { root } = readMime(bytes);
  const leaves = leavesOf(root);
  const files = withOwnBytes(mail.attachments, leaves, bytes);
  const textOf = (type: string, read: string) => cleanText(ownText(type, leaves, bytes) ?? read);
  const fields = mail.headers.map(({ originalKey: name, value }) => ({ name, value }));
  const isAlternative = (file: ParsedFile) =>
    file.filename === null && file.disposition === null && ALTERNATIVE_TYPES.includes(file.mimeType);
  const [messageId = null] = idsOf(fields, 'message-id').filter(isMessageId);
  return {
    subject: subjectOf(fields),
    fromEmail: senderOf(fields),
    to: addressesOf(fields, 'to'),
    cc: addressesOf(fields, 'cc'),
    bcc: addressesOf(fields, 'bcc'),
    replyTo: addressesOf(fields, 'reply-to'),
    ...(mail.text !== undefined || mail.html === undefined ? { body: textOf('text/plain', mail.text ?? '') } : {}),
    htmlBody: mail.html === undefined ? null : textOf('text/html', mail.html),
    date: dateOf(mail.date),
    messageId,
    inReplyTo: idsOf(fields, 'in-reply-to').join(' ') || null,
    references: idsOf(fields, 'references'),
    headers: readCustomHeaders(fields),
    alternatives: mail.attachments.filter(isAlternative).map(alternativeOf),
    attachments: files.filter((file) => !isAlternative(file)).map(readAttachment),
  };
}

/**
 * The text of the only body of its type, as it is: postal-mime takes the line break before a delimiter for its own. It joins
 * several, and unwraps what is flowed (RFC 3676).
 */
function ownText(type: string, leaves: readonly MimePart[], bytes: Uint8Array): string | null {
  const bodies = leaves.filter(
    ({ mediaType, filename, disposition }) => mediaType === type && filename === null && disposition !== 'attachment',
  );
  const [only] = bodies;
  if (only === undefined || bodies.length > 1 || only.parameters['format']?.toLowerCase() === 'flowed') return null;
  return readText(bytes, only);
}

/** The files with their contents as they are: postal-mime gives calendars anew, and a forwarded mail a line break more. */
function withOwnBytes(files: readonly ParsedFile[], leaves: readonly MimePart[], bytes: Uint8Array): ParsedFile[] {
  let at = 0;
  return files.map((file) => {
    const found = leaves.findIndex(
      ({ mediaType, filename }, index) => index >= at && mediaType === file.mimeType && filename === file.filename,
    );
    const leaf = leaves[found];
    if (leaf === undefined) return file;
    at = found + 1;
    const { charset } = leaf.parameters;
    return { ...file, ...(charset !== undefined && { charset }), content: readContent(bytes, leaf) };
  });
}

/** The headers that the sender of a received mail chose, beside those that are fields of a message; the first of each name. */
export function readCustomHeaders(fields: readonly HeaderField[]): Readonly<Record<string, string>> {
  const headers = new Map<string, readonly [string, string]>();
  for (const { name, value } of fields) {
    const key = name.toLowerCase();
    if (NOT_CUSTOM.test(name) || headers.has(key)) continue;
    const text = readCustomHeader(name, value);
    if (text !== null) headers.set(key, [name, text]);
  }
  return Object.fromEntries(headers.values());
}

/** Null for what cannot be written again. */
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

/** The subject of a mail, '' without one. */
export function subjectOf(fields: readonly HeaderField[]): string {
  return oneLine(decodeWords(valuesOf(fields, 'subject')[0] ?? ''));
}

/** The one sender of a mail. @throws {MessageError} `invalid-message` when it has several */
export function senderOf(fields: readonly HeaderField[]): AddressInput {
  const [sender = '', ...others] = addressesOf(fields, 'from');
  if (others.length === 0) return sender;
  const message = 'the mail has several senders, and a message has one: remove the others';
  throw new MessageError([{ path: 'fromEmail', code: 'address', message }]);
}

/** The addresses in all headers of a name; `name` in lower case. */
export function addressesOf(fields: readonly HeaderField[], name: string): readonly AddressInput[] {
  return valuesOf(fields, name).flatMap(readAddressInputs);
}

function valuesOf(fields: readonly HeaderField[], name: string): readonly string[] {
  return fields.filter((field) => field.name.toLowerCase() === name).map(({ value }) => value);
}

function idsOf(fields: readonly HeaderField[], name: string): readonly string[] {
  // Without brackets it is no id here: In-Reply-To was a phrase once (RFC 822, section 4.6.2).
  return valuesOf(fields, name).flatMap((value) => (value.includes('<') ? readMessageIds(value) : []));
}

function oneLine(text: string): string {
  return text.replace(new RegExp(`(?:\\t|${LINE_CONTROL.source})+`, 'g'), ' ');
}

function dateOf(text: string | undefined): Date | null {
  const date = new Date(text ?? '');
  return date.getTime() >= 0 ? date : null;
}

function alternativeOf({ content, mimeType, method }: ParsedFile): Alternative {
  const text = typeof content === 'string' ? content : new TextDecoder().decode(content);
  return { content: cleanText(text), mimetype: method === undefined ? mimeType : `${mimeType}; method=${method}` };
}

/** A file of a mail; of what cannot be written again the file is kept, for it is worth more than its label. */
export function readAttachment({
  filename,
  mimeType,
  contentId,
  content,
  method,
  charset,
}: Omit<ParsedFile, 'disposition'>): AttachmentInit {
  const given = Object.entries({ method, charset }).filter(([, value]) => value !== undefined && PLAIN.test(value));
  const init = {
    filename: filename === null ? null : oneLine(filename.split(/[/\\]/).at(-1) ?? ''),
    mimetype: [mimeType, ...given.map(([name, value]) => `${name}=${value}`)].join('; '),
    contentId: contentId?.replace(/^<|>$/g, '') || null,
    content: content instanceof ArrayBuffer ? new Uint8Array(content) : content,
  };
  const wrong = findAttachmentIssues(init, '').map(({ path }) => [path, null]);
  return { ...init, ...Object.fromEntries(wrong) };
}

/** A text as a message takes it: lines end with a line feed, a NUL becomes a space. */
export function cleanText(text: string): string {
  return withoutNul(text.replaceAll('\r\n', '\n'));
}
