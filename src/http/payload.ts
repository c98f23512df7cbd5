import { furtherHeaders } from '../mime/compose/header-section.ts';
import { attachmentType, formatMediaType } from '../mime/compose/media-type.ts';
import { generateMessageId } from '../mime/compose/message-id.ts';
import { addressKey, comparisonKey, type Mailbox } from '../model/address.ts';
import type { Attachment } from '../model/attachment.ts';
import { MessageError } from '../model/errors.ts';
import { sha256 } from '../model/idempotency-key.ts';
import { formatPhrase } from '../model/mailbox.ts';
import { type EmailMessage, mailboxesOf } from '../model/message.ts';
import { isObject } from '../util/json.ts';
import { extensionOf } from '../util/media-types.ts';
import { Base64 } from './json.ts';

/** The recipients of a message, each once: those that are given twice stay where they come first. */
export function peopleOf({ parsed }: EmailMessage): Readonly<Record<'to' | 'cc' | 'bcc', readonly Mailbox[]>> {
  const seen = new Set<string>();
  const isNew = (mailbox: Mailbox): boolean => seen.size < seen.add(addressKey(mailbox)).size;
  const [to, cc, bcc] = [parsed.to, parsed.cc, parsed.bcc].map((list) => mailboxesOf(list).filter(isNew));
  return { to: to ?? [], cc: cc ?? [], bcc: bcc ?? [] };
}

/** A mailbox as `Name <address>`, quoted where it must be; the domain in ASCII. */
export function asText({ name, asciiAddress }: Mailbox): string {
  return name === '' ? asciiAddress : `${formatPhrase(name)} <${asciiAddress}>`;
}

/** A mailbox as an object, the name left out when there is none. */
export function asObject({ name, asciiAddress }: Mailbox): { readonly email: string; readonly name?: string } {
  return name === '' ? { email: asciiAddress } : { email: asciiAddress, name };
}

/** The content of an attachment, which is in memory when its request is made. */
export function bytesOf({ content }: Attachment): Buffer {
  if (typeof content === 'string') return Buffer.from(content, 'utf8');
  const bytes = content as Uint8Array; // the message was materialized
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The content of an attachment in base64. */
export function base64Of(attachment: Attachment): Base64 {
  return new Base64(bytesOf(attachment));
}

/** The name of an attachment, for providers that take none without. */
export function nameOf(attachment: Attachment, index: number): string {
  return attachment.filename || `attachment-${index + 1}.${extensionOf(mediaTypeOf(attachment))}`;
}

/** The media type of an attachment, without parameters. */
export function mediaTypeOf({ mimetype }: Attachment): string {
  return mimetype.split(';', 1)[0]?.trim() ?? mimetype;
}

/**
 * The media type of an attachment with its parameters, for providers that take them.
 *
 * @throws {MessageError} `invalid-message` when its charset contradicts the content
 */
export function fullTypeOf(attachment: Attachment, index: number): string {
  return formatMediaType(attachmentType(attachment, `attachments[${index}].mimetype`));
}

/** The Message-ID that a mail has already, as given or made from its idempotency key; null leaves it to the provider. */
export function ownIdOf(message: EmailMessage): string | null {
  return message.messageId ?? (message.idempotencyKey === null ? null : generateMessageId(message));
}

/**
 * The headers of a message that have no field in requests, in ASCII, each on one line: thread, priority, unsubscribing, custom ones.
 *
 * @param tagHeaders whether tags and metadata are among them
 */
export function headersOf(message: EmailMessage, tagHeaders = false): Readonly<Record<string, string>> {
  const head = furtherHeaders(message, tagHeaders).trimEnd();
  if (head === '') return {};
  return Object.fromEntries(
    head.split(/\r\n(?! )/).map((field) => {
      const colon = field.indexOf(':');
      return [
        field.slice(0, colon),
        field
          .slice(colon + 1)
          .replaceAll('\r\n ', ' ')
          .trimStart(),
      ];
    }),
  );
}

/** An idempotency key as a UUID, for providers that take nothing else: of any text the same one each time (RFC 9562, section 5.8). */
export function uuidOf(key: string): string {
  const digits = sha256(key);
  const parts = [
    digits.slice(0, 8),
    digits.slice(8, 12),
    `8${digits.slice(13, 16)}`,
    `a${digits.slice(17, 20)}`,
    digits.slice(20, 32),
  ];
  return parts.join('-');
}

/** A record, or undefined when it is empty, so that JSON leaves it out. */
export function unlessEmpty<T extends object>(value: T): T | undefined {
  return Object.keys(value).length === 0 ? undefined : value;
}

/** Whether a message has variables, for all or for any of its recipients. */
export function hasVariables({ mergeGlobalData, mergeData }: EmailMessage): boolean {
  return [mergeGlobalData, ...Object.values(mergeData ?? {})].some((data) => Object.keys(data ?? {}).length > 0);
}

/** The variables of one recipient: its own over those of everybody. */
export function dataFor({ mergeGlobalData, mergeData }: EmailMessage, recipient: Mailbox): object {
  const key = addressKey(recipient);
  const own = Object.entries(mergeData ?? {}).find(([address]) => comparisonKey(address) === key);
  return { ...mergeGlobalData, ...own?.[1] };
}

/**
 * A request with what the message says to the provider in its own words laid over it: objects are joined, all else replaced.
 *
 * @param fixed what may not be set there, in lower case: recipients, sender, key; a dot leads into an object
 * @throws {MessageError} `invalid-message` for a fixed field
 */
export function withExtra(name: string, body: object, { espExtra }: EmailMessage, fixed: ReadonlySet<string>): object {
  const extra = espExtra?.[name];
  if (extra === undefined) return body;
  const fields = Object.entries(extra).flatMap(([field, value]) => {
    return [field, ...(isObject(value) ? Object.keys(value).map((inner) => `${field}.${inner}`) : [])];
  });
  const issues = fields.filter((field) => fixed.has(field.toLowerCase()));
  if (issues.length === 0) return joined(body, extra);
  const message = "it is what the message's own fields say: set it there";
  throw new MessageError(issues.map((field) => ({ path: `espExtra.${name}.${field}`, code: 'unsupported', message })));
}

function joined(base: object, over: object): object {
  const result = Object.entries({ ...base, ...over }).map(([field, value]: [string, unknown]) => {
    const before: unknown = Reflect.get(base, field);
    return [field, Object.hasOwn(over, field) && isObject(before) && isObject(value) ? joined(before, value) : value];
  });
  return Object.fromEntries(result);
}
