import { Base64 } from '../../http/json.ts';
import { base64Of, headersOf } from '../../http/payload.ts';
import { textFromHtml } from '../../mime/compose/auto-text.ts';
import { composeMessage } from '../../mime/compose/compose.ts';
import { composeStream } from '../../mime/compose/compose-stream.ts';
import { dkimSigner } from '../../mime/compose/dkim.ts';
import { generateMessageId } from '../../mime/compose/message-id.ts';
import { MessageError, type MessageIssue, type MessageIssueCode } from '../../model/errors.ts';
import { type EmailMessage, withContentRead } from '../../model/message.ts';
import type { ResolvedSesOptions } from './options.ts';
import type { Header, Template, TemplateAttachment } from './requests.ts';

/** Octets after base64, which the API wraps a message in. */
const MAX_MESSAGE = 40 * 1024 * 1024;
const MAX_TEMPLATE_DATA = 262_144;
const MAX_HEADERS = 15;
const MAX_HEADER = 996;
const MAX_FILENAME = 255;
const MAX_PARAMETER = 78;
/** Headers that SES writes anew: signing them would break the signature. */
const REWRITTEN = ['message-id', 'date'];

/**
 * The message as any server would get it.
 *
 * @throws {MessageError} `invalid-message` when it is over 40 MB in base64, or cannot be written as mail.
 */
export async function rawContent(
  message: EmailMessage,
  given: Pick<ResolvedSesOptions, 'tagHeaders' | 'dkim'>,
  signal: AbortSignal | undefined,
): Promise<Base64> {
  const messageId = message.messageId ?? generateMessageId(message);
  const { tagHeaders = false, dkim } = given;
  const options = { messageId, tagHeaders, ...(dkim && { dkim: dkimSigner(dkim, REWRITTEN) }) };
  if (message.attachments.every(({ isInMemory }) => isInMemory)) {
    const bytes = composeMessage(message, options);
    checkSize(bytes.length);
    return new Base64(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of composeStream(message, options)) {
    signal?.throwIfAborted();
    length += chunk.length;
    checkSize(length);
    chunks.push(chunk);
  }
  return new Base64(Buffer.concat(chunks, length));
}

/**
 * The template a message is made from: one stored at SES, by name or ARN, or the message's own subject and bodies.
 *
 * @throws {MessageError} `invalid-message` for what a template at SES cannot carry.
 */
export async function templateContent(
  message: EmailMessage,
  tagHeaders: boolean,
  signal: AbortSignal | undefined,
): Promise<Template> {
  const { attachments } = await withContentRead(message, signal);
  const headers = Object.entries(headersOf(message, tagHeaders)).map(([Name, Value]) => ({ Name, Value }));
  const data = JSON.stringify(message.mergeGlobalData ?? {});
  const issues = [...templateIssues(message, headers, attachments), ...dataIssues('mergeGlobalData', data)];
  if (issues.length > 0) throw new MessageError(issues);
  return {
    ...templateSource(message),
    TemplateData: data,
    ...(headers.length > 0 && { Headers: headers }),
    ...(attachments.length > 0 && { Attachments: attachments.map(templateAttachment) }),
  };
}

/** The issue of template variables, given in JSON, that are too long. */
export function dataIssues(path: string, json: string): readonly MessageIssue[] {
  if (json.length <= MAX_TEMPLATE_DATA) return [];
  const message = `SES takes ${MAX_TEMPLATE_DATA} characters of JSON, these are ${json.length}`;
  return [{ path, code: 'too-long', message }];
}

function checkSize(length: number): void {
  if (Math.ceil(length / 3) * 4 <= MAX_MESSAGE) return;
  const text = 'the message is over 40 MB in base64, which is what SES takes: send a link instead';
  throw new MessageError([{ path: 'attachments', code: 'too-long', message: text }]);
}

function templateSource(message: EmailMessage): Pick<Template, 'TemplateName' | 'TemplateArn' | 'TemplateContent'> {
  const { templateId, subject, body, htmlBody, autoText } = message;
  if (templateId !== null)
    return templateId.startsWith('arn:') ? { TemplateArn: templateId } : { TemplateName: templateId };
  const text = body === '' && htmlBody !== null && autoText ? textFromHtml(htmlBody) : body;
  return {
    TemplateContent: {
      Subject: subject,
      ...((text !== '' || htmlBody === null) && { Text: text }),
      ...(htmlBody !== null && { Html: htmlBody }),
    },
  };
}

/** What of the message a template at SES cannot carry. */
function templateIssues(
  message: EmailMessage,
  headers: readonly Header[],
  attachments: EmailMessage['attachments'],
): readonly MessageIssue[] {
  const issues: MessageIssue[] = [];
  const fail = (path: string, code: MessageIssueCode, text: string) => issues.push({ path, code, message: text });
  const limit = (path: string, length: number, max: number) => {
    if (length > max) fail(path, 'too-long', `SES takes ${max} characters with a template, these are ${length}`);
  };
  const { templateId, body, htmlBody, alternatives } = message;
  const stored = 'the template stored at SES makes the bodies: remove it, or leave templateId out';
  if (templateId !== null && body !== '') fail('body', 'unsupported', stored);
  if (templateId !== null && htmlBody !== null) fail('htmlBody', 'unsupported', stored);
  if (alternatives.length > 0)
    fail('alternatives', 'unsupported', 'SES makes a text and an HTML part from a template, no others');
  for (const { Name, Value } of headers) {
    if (Value === '') fail(`headers.${Name}`, 'range', 'SES takes no empty header with a template');
    limit(`headers.${Name}`, Name.length + Value.length, MAX_HEADER);
  }
  if (headers.length > MAX_HEADERS)
    fail('headers', 'too-many', `SES takes ${MAX_HEADERS} headers with a template, these are ${headers.length}`);
  for (const [index, { filename, mimetype, contentId }] of attachments.entries()) {
    limit(`attachments[${index}].filename`, filename?.length ?? 0, MAX_FILENAME);
    limit(`attachments[${index}].mimetype`, mimetype.length, MAX_PARAMETER);
    limit(`attachments[${index}].contentId`, contentId?.length ?? 0, MAX_PARAMETER);
  }
  return issues;
}

function templateAttachment(attachment: EmailMessage['attachments'][number]): TemplateAttachment {
  const { filename, contentId, mimetype } = attachment;
  return {
    FileName: filename ?? contentId ?? 'attachment',
    RawContent: base64Of(attachment),
    ContentType: mimetype,
    ContentDisposition: contentId === null ? 'ATTACHMENT' : 'INLINE',
    ContentTransferEncoding: 'BASE64',
    ...(contentId !== null && { ContentId: contentId }),
  };
}
