import { readAddresses } from '../../mime/read/addresses.ts';
import { decodeWords } from '../../mime/read/decode-words.ts';
import { headerText, headerValue } from '../../mime/read/headers.ts';
import { MailContent } from '../../mime/read/mail-content.ts';
import { comparisonKey, formatAddress, parseMailbox } from '../../model/address.ts';
import type { EmailMessage } from '../../model/message.ts';

/** An attachment or inline image as it arrived. */
export interface InboxAttachment {
  /** Null when it has none. */
  readonly filename: string | null;
  /** Lower case, without parameters. */
  readonly mimetype: string;
  /** Without brackets; null when it is not inline. */
  readonly contentId: string | null;
  /** The decoded bytes. */
  readonly content: Uint8Array;
}

/** A message as its recipients got it: composed for the wire and parsed again, so that it shows what was really sent. */
export class InboxMessage {
  /** The sender with its name, such as `Jane Doe <jane@example.org>`. */
  readonly from: string;
  /** With their names. */
  readonly to: readonly string[];
  /** With their names. */
  readonly cc: readonly string[];
  /** With their names. */
  readonly replyTo: readonly string[];
  /** The recipients that no header names. */
  readonly bcc: readonly string[];
  /** All recipients who got it, in the order to, cc, bcc; without those who were refused. */
  readonly recipients: readonly string[];
  /** Decoded. */
  readonly subject: string;
  /** The plain text, '' when there is none; lines are separated by line feeds. */
  readonly body: string;
  /** The HTML, null when there is none; lines as in `body`. */
  readonly htmlBody: string | null;
  /** Attachments and inline images, in the order of the source. */
  readonly attachments: readonly InboxAttachment[];
  /** Every header, decoded, in order. */
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  /** The source: headers, an empty line, the body. */
  readonly bytes: Uint8Array;
  /** The message as the application sent it, with tags, metadata, template and the like. */
  readonly sent: EmailMessage;

  constructor(sent: EmailMessage, bytes: Uint8Array, recipients: readonly string[]) {
    const content = new MailContent(bytes);
    const fields = content.tree.root.headers;
    const addresses = (name: string) => readAddresses(headerValue(fields, name) ?? '').map(formatRead);
    this.from = addresses('from')[0] ?? '';
    this.to = addresses('to');
    this.cc = addresses('cc');
    this.replyTo = addresses('reply-to');
    const named = new Set([...this.to, ...this.cc].map(comparisonKey));
    this.bcc = recipients.filter((address) => !named.has(comparisonKey(address)));
    this.recipients = recipients;
    this.subject = headerText(fields, 'subject') ?? '';
    this.body = normalizeLines(content.text() ?? '');
    const html = content.html();
    this.htmlBody = html === null ? null : normalizeLines(html);
    this.attachments = content.attachments.map(({ path, filename, mediaType: mimetype, contentId }) => ({
      filename,
      mimetype,
      contentId,
      content: content.content(path)?.bytes ?? new Uint8Array(),
    }));
    this.headers = fields.map(({ name, value }) => ({ name, value: decodeWords(value) }));
    this.bytes = bytes;
    this.sent = sent;
  }

  /** {@link bytes} as text. */
  get source(): string {
    return Buffer.from(this.bytes).toString();
  }

  /** The decoded value of the first header of that name, in any case; null when there is none. */
  header(name: string): string | null {
    return this.headers.find((header) => header.name.toLowerCase() === name.toLowerCase())?.value ?? null;
  }
}

function formatRead({ name, address }: { readonly name: string; readonly address: string }): string {
  try {
    return formatAddress(parseMailbox({ name, address }));
  } catch {
    return address;
  }
}

/** A single-part body ends with CRLF and a part of a multipart does not; tests should not depend on that. */
function normalizeLines(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(/\n$/, '');
}
