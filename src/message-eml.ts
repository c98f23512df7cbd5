import { type AddressInput, formatAddress, parseMailbox } from './address.ts';
import type { AttachmentInit } from './attachment.ts';
import { MessageError } from './errors.ts';
import type { Alternative, EmailMessageInit } from './message-init.ts';
import { optionalImport } from './util/optional-import.ts';

interface ParsedMailboxOrGroup {
  readonly name: string;
  readonly address?: string | undefined;
  readonly group?: readonly { readonly name: string; readonly address: string }[] | undefined;
}

interface ParsedFile {
  readonly filename: string | null;
  readonly mimeType: string;
  readonly disposition: string | null;
  readonly contentId?: string | undefined;
  readonly method?: string | undefined;
  readonly content: ArrayBuffer | Uint8Array | string;
}

/** What postal-mime finds in a mail, as far as it is used here. */
interface ParsedMail {
  readonly headers: readonly { readonly originalKey: string; readonly value: string }[];
  readonly from?: ParsedMailboxOrGroup | undefined;
  readonly replyTo?: readonly ParsedMailboxOrGroup[] | undefined;
  readonly to?: readonly ParsedMailboxOrGroup[] | undefined;
  readonly cc?: readonly ParsedMailboxOrGroup[] | undefined;
  readonly bcc?: readonly ParsedMailboxOrGroup[] | undefined;
  readonly subject?: string | undefined;
  readonly messageId?: string | undefined;
  readonly inReplyTo?: string | undefined;
  readonly references?: string | undefined;
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
const MESSAGE_ID = /<[^<>\s]+@[^<>\s]+>/g;
const ALTERNATIVE_TYPES: readonly string[] = ['text/calendar', 'text/x-amp-html'];

/** Whether a header of a received mail is one that its sender chose, beside those that are fields of a message. */
export function isCustomHeader(name: string): boolean {
  return !NOT_CUSTOM.test(name);
}

/**
 * Reads a mail into what a message is made from; trace headers and signatures are left out.
 *
 * @throws {ConfigurationError} `missing-dependency` when the package postal-mime is not installed.
 * @throws {MessageError} `invalid-message` when it is no mail.
 */
export async function messageFromEml(eml: Uint8Array | string): Promise<EmailMessageInit> {
  const parser = await optionalImport<PostalMime>('postal-mime', 'fromEml');
  const mail = await parser.parse(eml, { forceRfc822Attachments: true }).catch((cause: unknown) => {
    throw new MessageError([{ path: 'eml', code: 'type', message: 'it cannot be read as a mail' }], { cause });
  });
  const isAlternative = (file: ParsedFile) =>
    file.filename === null && file.disposition === null && ALTERNATIVE_TYPES.includes(file.mimeType);
  const [messageId = null] = idsOf(mail.messageId);
  const [inReplyTo = null] = idsOf(mail.inReplyTo);
  return {
    subject: mail.subject ?? '',
    fromEmail: mail.from ? addressOf(mail.from) : '',
    to: (mail.to ?? []).flatMap(recipientsOf),
    cc: (mail.cc ?? []).flatMap(recipientsOf),
    bcc: (mail.bcc ?? []).flatMap(recipientsOf),
    replyTo: (mail.replyTo ?? []).flatMap(recipientsOf),
    ...(mail.text !== undefined || mail.html === undefined ? { body: toLf(mail.text ?? '') } : {}),
    htmlBody: mail.html === undefined ? null : toLf(mail.html),
    date: dateOf(mail.date),
    messageId,
    inReplyTo,
    references: idsOf(mail.references),
    headers: await customHeaders(parser, mail),
    alternatives: mail.attachments.filter(isAlternative).map(alternativeOf),
    attachments: mail.attachments.filter((file) => !isAlternative(file)).map(attachmentOf),
  };
}

function recipientsOf(parsed: ParsedMailboxOrGroup): readonly AddressInput[] {
  // A group without members says that the recipients are not told.
  return parsed.group?.length === 0 ? [] : [addressOf(parsed)];
}

function addressOf({ name, address, group }: ParsedMailboxOrGroup): AddressInput {
  if (group === undefined) return { name, address: address ?? '' };
  return formatAddress({ name, members: group.map((member) => parseMailbox(member)) });
}

function dateOf(text: string | undefined): Date | null {
  const date = new Date(text ?? '');
  return Number.isNaN(date.getTime()) ? null : date;
}

function idsOf(text: string | undefined): readonly string[] {
  return text?.match(MESSAGE_ID) ?? [];
}

async function customHeaders(parser: PostalMime, mail: ParsedMail): Promise<Readonly<Record<string, string>>> {
  const headers: Record<string, string> = {};
  const seen = new Set<string>();
  for (const { originalKey, value } of mail.headers) {
    const name = originalKey.toLowerCase();
    if (!isCustomHeader(name) || seen.has(name)) continue;
    seen.add(name);
    // Of the headers of free text the parser decodes only this one.
    const { subject = '' } = value.includes('=?')
      ? await parser.parse(`Subject: ${value}\r\n\r\n`)
      : { subject: value };
    headers[originalKey] = subject.replace(/\p{Cc}+/gu, ' ').trim();
  }
  return headers;
}

function alternativeOf({ content, mimeType, method }: ParsedFile): Alternative {
  const text = typeof content === 'string' ? content : new TextDecoder().decode(content);
  return { content: toLf(text), mimetype: method === undefined ? mimeType : `${mimeType}; method=${method}` };
}

function attachmentOf({ filename, mimeType, contentId, content }: ParsedFile): AttachmentInit {
  return {
    filename: filename === null ? null : (filename.split(/[/\\]/).at(-1) ?? '').replace(/\p{Cc}/gu, ''),
    mimetype: mimeType,
    contentId: contentId?.replace(/^<|>$/g, '') || null,
    content: content instanceof ArrayBuffer ? new Uint8Array(content) : content,
  };
}

function toLf(text: string): string {
  return text.replaceAll('\r\n', '\n');
}
