import { fileURLToPath } from 'node:url';
import { type AddressObject, simpleParser } from 'mailparser';
import PostalMime, { type Address } from 'postal-mime';
import { run } from '../servers/process.ts';

/** What a reader sees of a mail, as one parser has it. */
export interface ParsedMail {
  readonly subject: string | null;
  readonly from: readonly Mailbox[];
  readonly to: readonly Mailbox[];
  readonly cc: readonly Mailbox[];
  readonly replyTo: readonly Mailbox[];
  readonly messageId: string;
  readonly text: string | null;
  readonly html: string | null;
  readonly attachments: readonly ParsedAttachment[];
}

interface Mailbox {
  readonly name: string;
  readonly address: string;
}

interface ParsedAttachment {
  readonly filename: string | null;
  readonly mimetype: string;
  readonly contentId: string | null;
  /** Base64. */
  readonly content: string;
}

/** What Python's parser says beyond what all say. */
export interface PythonMail extends ParsedMail {
  /** The last field of each name, which is in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** What Python found wrong with the syntax. */
  readonly defects: readonly string[];
}

const SCRIPT = fileURLToPath(new URL('parse.py', import.meta.url));

/** Reads mails with the parser of Python's standard library. */
async function parseWithPython(sources: readonly Buffer[]): Promise<PythonMail[]> {
  const input = JSON.stringify(sources.map((source) => source.toString('base64')));
  return JSON.parse(await run('/usr/bin/python3', [SCRIPT], input)) as PythonMail[]; // parse.py makes this shape
}

/** Reads a mail with mailparser. */
export async function parseWithMailparser(source: Buffer): Promise<ParsedMail> {
  const mail = await simpleParser(source, { skipImageLinks: true, skipTextToHtml: true, skipHtmlToText: true });
  return {
    subject: mail.subject ?? null,
    from: fromAddressObject(mail.from),
    to: fromAddressObject(mail.to),
    cc: fromAddressObject(mail.cc),
    replyTo: fromAddressObject(mail.replyTo),
    messageId: (mail.messageId ?? '').replace(/^<|>$/g, ''),
    text: mail.text ?? null,
    html: mail.html || null,
    attachments: mail.attachments.map((attachment) => ({
      filename: attachment.filename ?? null,
      mimetype: attachment.contentType,
      contentId: attachment.cid ?? null,
      content: attachment.content.toString('base64'),
    })),
  };
}

/** Reads a mail with postal-mime. */
export async function parseWithPostalMime(source: Buffer): Promise<ParsedMail> {
  const mail = await PostalMime.parse(source, { attachmentEncoding: 'arraybuffer' });
  return {
    subject: mail.subject ?? null,
    from: fromAddresses(mail.from && [mail.from]),
    to: fromAddresses(mail.to),
    cc: fromAddresses(mail.cc),
    replyTo: fromAddresses(mail.replyTo),
    messageId: (mail.messageId ?? '').replace(/^<|>$/g, ''),
    text: mail.text?.replaceAll('\r\n', '\n') ?? null,
    html: mail.html?.replaceAll('\r\n', '\n') ?? null,
    attachments: mail.attachments.map((attachment) => ({
      filename: attachment.filename,
      mimetype: attachment.mimeType,
      contentId: attachment.contentId?.replace(/^<|>$/g, '') ?? null,
      content: Buffer.from(attachment.content as ArrayBuffer).toString('base64'), // as the option asks
    })),
  };
}

/** Reads one mail with all three parsers. */
export async function parseWithAll(
  source: Buffer,
): Promise<Readonly<Record<string, ParsedMail>> & { readonly python: PythonMail }> {
  const [[python], mailparser, postalMime] = await Promise.all([
    parseWithPython([source]),
    parseWithMailparser(source),
    parseWithPostalMime(source),
  ]);
  if (python === undefined) throw new Error('Python read nothing');
  return { python, mailparser, postalMime };
}

function fromAddressObject(field: AddressObject | AddressObject[] | undefined): Mailbox[] {
  return [field ?? []]
    .flat()
    .flatMap(({ value }) => value.map(({ name, address }) => ({ name, address: address ?? '' })));
}

function fromAddresses(field: Address[] | undefined): Mailbox[] {
  return (field ?? []).map(({ name, address }) => ({ name, address: address ?? '' }));
}
