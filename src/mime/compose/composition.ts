import { type Group, isGroup, type Mailbox } from '../../model/address.ts';
import { ConfigurationError, MessageError } from '../../model/errors.ts';
import type { EmailMessage } from '../../model/message.ts';
import { isMessageId } from '../../model/message-ids.ts';
import { randomToken } from '../../util/random.ts';
import type { DkimSigner } from './dkim.ts';
import { writeHeaders } from './header-section.ts';
import { withInlineImages } from './inline-images.ts';
import { generateMessageId } from './message-id.ts';
import type { Segment } from './part.ts';
import { type Multipart, type Part, planParts } from './structure.ts';

/** How to compose a message. With `date`, `messageId` and `boundary` given, equal messages give equal bytes. */
export interface ComposeOptions {
  /** The Date header, unless the message has its own; default now. */
  readonly date?: Date;
  /** The Message-ID without brackets, unless the message has its own; default 128 random bits at the sender's domain. */
  readonly messageId?: string;
  /** Seed of the boundaries, 1 to 40 letters, digits, dots or hyphens; default 128 random bits. */
  readonly boundary?: string;
  /** Writes `tags` and `metadata` as X-Tag and X-Metadata headers; default false. */
  readonly tagHeaders?: boolean;
  /** Keeps bytes above 127 in forwarded messages, for servers with 8BITMIME; default false, which encodes their parts. */
  readonly allow8bit?: boolean;
  /** Signs the message; made by `createDkimSigner`. */
  readonly dkim?: DkimSigner;
}

/** A message ready to be encoded: its header section, then after an empty line the segments of its body. */
export interface Composition {
  readonly head: string;
  readonly body: readonly Segment[];
  /** Whether the headers are UTF-8 because a local part is not ASCII (RFC 6532). */
  readonly isUtf8: boolean;
}

/** @throws {MessageError} `invalid-message` with the path of a field that cannot be written. */
export function planComposition(given: EmailMessage, options: ComposeOptions): Composition {
  const message = withInlineImages(given);
  const date = message.date ?? dateOf(options) ?? new Date();
  const messageId = message.messageId ?? messageIdOf(options) ?? generateMessageId(message);
  const root = planParts(message, options.allow8bit === true);
  const head = writeHeaders(message, date, messageId, options.tagHeaders === true);
  const isUtf8 = hasUtf8Headers(message);
  if (!isMultipart(root)) {
    const { headers, content } = root;
    const body = [typeof content === 'string' ? endLine(content) : content];
    return { head: guardHead(head + headers, isUtf8), body, isUtf8 };
  }
  const writer = new BodyWriter(chooseSeed(root, options.boundary));
  return { head: guardHead(head + writer.write(root), isUtf8), body: writer.finish(), isUtf8 };
}

/** The last check: written as Latin-1, characters beyond it would become other bytes, line breaks among them. */
function guardHead(head: string, isUtf8: boolean): string {
  if (isUtf8 || Buffer.byteLength(head, 'utf8') === head.length) return head;
  throw new MessageError([
    { path: 'headers', code: 'range', message: 'a header is not ASCII: only addresses that need SMTPUTF8 may be' },
  ]);
}

/** Writes parts depth first; a multipart's boundary is in its headers, so it is chosen before the body is written. */
class BodyWriter {
  readonly #segments: Segment[] = [];
  readonly #seed: string;
  #count = 0;
  #text = '';

  constructor(seed: string) {
    this.#seed = seed;
  }

  /** Appends the body of a part and returns its content headers. */
  write(part: Part): string {
    const { headers, boundary } = this.#open(part);
    this.#writeBody(part, boundary);
    return headers;
  }

  finish(): readonly Segment[] {
    this.#flush();
    return this.#segments;
  }

  #open(part: Part): { readonly headers: string; readonly boundary: string } {
    if (!isMultipart(part)) return { headers: part.headers, boundary: '' };
    // `=_` occurs neither in base64 nor in quoted-printable.
    const boundary = `=_${++this.#count}_${this.#seed}`;
    const headers = `Content-Type: multipart/${part.subtype};${part.parameters}\r\n boundary="${boundary}"\r\n`;
    return { headers, boundary };
  }

  #writeBody(part: Part, boundary: string): void {
    if (isMultipart(part)) {
      for (const child of part.parts) {
        const { headers, boundary: inner } = this.#open(child);
        this.#text += `--${boundary}\r\n${headers}\r\n`;
        this.#writeBody(child, inner);
      }
      this.#text += `--${boundary}--`;
    } else if (typeof part.content === 'string') this.#text += part.content;
    else {
      this.#flush();
      this.#segments.push(part.content);
      return; // base64 ends its own last line
    }
    this.#text += '\r\n';
  }

  #flush(): void {
    if (this.#text !== '') this.#segments.push(this.#text);
    this.#text = '';
  }
}

function dateOf({ date }: ComposeOptions): Date | undefined {
  if (date === undefined) return undefined;
  const copy = new Date(Number(date));
  if (copy.getTime() >= 0 && copy.getUTCFullYear() <= 9999) return copy;
  throw new ConfigurationError('invalid-option', 'date: give a valid date from 1970 to 9999');
}

function messageIdOf({ messageId }: ComposeOptions): string | undefined {
  if (messageId === undefined || isMessageId(messageId)) return messageId;
  throw new ConfigurationError(
    'invalid-option',
    "messageId: it must look like 'unique-part@example.com', without angle brackets",
  );
}

function endLine(text: string): string {
  return text === '' || text.endsWith('\r\n') ? text : `${text}\r\n`;
}

function chooseSeed(root: Part, given: string | undefined): string {
  if (given === undefined) return randomToken();
  if (!/^[A-Za-z0-9.-]{1,40}$/.test(given)) {
    throw new ConfigurationError('invalid-option', 'boundary: give 1 to 40 ASCII letters, digits, dots or hyphens');
  }
  let seed = given;
  while (contains(root, seed)) seed += '-';
  return seed;
}

function contains(part: Part, text: string): boolean {
  if (isMultipart(part)) return part.parts.some((child) => contains(child, text));
  return typeof part.content === 'string' && part.content.includes(text);
}

function isMultipart(part: Part): part is Multipart {
  return 'parts' in part;
}

function hasUtf8Headers(message: EmailMessage): boolean {
  const { from, to, cc, replyTo } = message.parsed;
  return !(from.isAscii && isAscii(to) && isAscii(cc) && isAscii(replyTo));
}

function isAscii(addresses: readonly (Mailbox | Group)[]): boolean {
  for (const entry of addresses) if (isGroup(entry) ? !isAscii(entry.members) : !entry.isAscii) return false;
  return true;
}
