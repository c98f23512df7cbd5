import { messageFromEml } from '../../mime/read/message-from-eml.ts';
import type { AttachmentInit } from '../../model/attachment.ts';
import type { EmailMessageInit } from '../../model/message-init.ts';
import { extraOf, fileOf, headerFields } from './fields.ts';
import { addressOf } from './people.ts';
import { rawMail } from './raw-mail.ts';
import { refuseContent } from './refusals.ts';
import type { Table } from './shape.ts';
import type { AskedMail } from './vendor.ts';

/** A file of a mail (https://learn.microsoft.com/graph/api/resources/fileattachment), read 2026-11-30. */
export const FILE: Table = {
  '@odata.type': 'text',
  'name!': 'text',
  contentType: 'text',
  isInline: 'boolean',
  contentId: 'text',
  'contentBytes!': 'base64',
};
const PERSON: Table = { 'emailAddress!': { 'address!': 'text', name: 'text' } };
/** A mail in Graph's own words (https://learn.microsoft.com/graph/api/resources/message), read 2026-11-30. */
export const MESSAGE: Table = {
  '@odata.type': 'text',
  subject: 'text',
  body: { contentType: 'text', content: 'text' },
  from: PERSON,
  sender: PERSON,
  toRecipients: [PERSON],
  ccRecipients: [PERSON],
  bccRecipients: [PERSON],
  replyTo: [PERSON],
  importance: 'text',
  internetMessageHeaders: [{ 'name!': 'text', 'value!': 'text' }],
  attachments: [FILE],
  hasAttachments: 'boolean',
  isDeliveryReceiptRequested: 'boolean',
  isReadReceiptRequested: 'boolean',
  categories: ['text'],
};

/** What is said of a file beside its content. */
export interface GraphFile {
  readonly name: string;
  readonly contentType?: string;
  readonly isInline?: boolean;
  readonly contentId?: string;
}
interface Person {
  readonly emailAddress: { readonly address: string; readonly name?: string };
}
/** A mail that fits {@link MESSAGE}. */
export interface GraphMail {
  readonly subject?: string;
  readonly body?: { readonly contentType?: string; readonly content?: string };
  readonly from?: Person;
  readonly sender?: Person;
  readonly toRecipients?: readonly Person[];
  readonly ccRecipients?: readonly Person[];
  readonly bccRecipients?: readonly Person[];
  readonly replyTo?: readonly Person[];
  readonly importance?: string;
  readonly internetMessageHeaders?: readonly { readonly name: string; readonly value: string }[];
  readonly attachments?: readonly (GraphFile & { readonly contentBytes: string })[];
}

const box = ({ emailAddress: { address, name } }: Person) => addressOf(address, name);
const boxes = (people: readonly Person[] = []) => people.map(box);
const IMPORTANCE: ReadonlyMap<string, 'high' | 'low'> = new Map([
  ['high', 'high'],
  ['low', 'low'],
]);

/**
 * What is to be sent, with the files that were added to it.
 *
 * @param mail in base64, or in Graph's own words
 * @throws {Refused}
 */
export function mailOf(mail: string | GraphMail, files: readonly AttachmentInit[]): AskedMail {
  if (typeof mail !== 'string') return messageOf(mail, files);
  const source = Buffer.from(mail, 'base64');
  if (files.length === 0) return rawMail(source);
  const message = messageFromEml(source);
  return { ...message, attachments: [...(message.attachments ?? []), ...files] };
}

/** A file as a message has it. @param content in base64, or as it is */
export function graphFileOf(
  { name, contentType, isInline, contentId }: GraphFile,
  content: string | Buffer,
): AttachmentInit {
  return fileOf(content, name, contentType, isInline ? contentId : undefined);
}

function messageOf(mail: GraphMail, files: readonly AttachmentInit[]): EmailMessageInit {
  const { body, from = mail.sender, replyTo = [], importance = '', internetMessageHeaders: headers = [] } = mail;
  const wrong = headers.find(({ name }) => !/^x-/i.test(name));
  if (wrong !== undefined)
    refuseContent('internetMessageHeaders', `the name of the header '${wrong.name}' should start with 'x-' or 'X-'`);
  const { init } = headerFields(headers.map(({ name, value }) => [name, value]));
  const isHtml = body?.contentType?.toLowerCase() === 'html';
  const { content = '' } = body ?? {};
  const { categories, isDeliveryReceiptRequested, isReadReceiptRequested } = mail as Readonly<Record<string, unknown>>;
  return {
    ...init,
    fromEmail: from ? box(from) : 'me@graph.invalid', // the address of the mailbox, which is not known here
    to: boxes(mail.toRecipients),
    cc: boxes(mail.ccRecipients),
    bcc: boxes(mail.bccRecipients),
    ...(replyTo.length > 0 && { replyTo: boxes(replyTo) }),
    subject: mail.subject ?? '',
    body: isHtml ? '' : content,
    htmlBody: isHtml ? content : null,
    priority: IMPORTANCE.get(importance.toLowerCase()) ?? null,
    attachments: [...(mail.attachments ?? []).map((file) => graphFileOf(file, file.contentBytes)), ...files],
    ...extraOf('microsoft-graph', { categories, isDeliveryReceiptRequested, isReadReceiptRequested }),
  };
}
