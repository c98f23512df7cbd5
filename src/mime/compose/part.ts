import { Attachment } from '../../model/attachment.ts';
import { MessageError, type MessageIssueCode } from '../../model/errors.ts';
import type { Alternative } from '../../model/message-init.ts';
import { embedMessage } from './embedded-message.ts';
import { foldHeader } from './headers.ts';
import { attachmentType, parseMediaType, withUtf8 } from './media-type.ts';
import { filenameParameter, nameParameter, simpleParameter } from './parameters.ts';
import { encodeText, toCrlf } from './text-encoding.ts';

/** Content of a body: lines in Latin-1, one character per byte, or an attachment to encode in base64. */
export type Segment = string | Attachment;

/** A part that is not a multipart: its content headers and its content. */
export interface Leaf {
  readonly headers: string;
  readonly content: Segment;
}

/** Makes the plain text or HTML part of the body. */
export function textPart(type: 'text/plain' | 'text/html', text: string): Leaf {
  const { encoding, body } = encodeText(text, type === 'text/html' ? 'htmlBody' : 'body');
  return {
    headers: `Content-Type: ${type}; charset=utf-8\r\nContent-Transfer-Encoding: ${encoding}\r\n`,
    content: body,
  };
}

/**
 * Makes an alternative part of the body; a calendar's METHOD becomes its `method` parameter (RFC 6047, section 2.4).
 *
 * @throws {MessageError} `invalid-message` when a parameter contradicts the content.
 */
export function alternativePart({ content, mimetype }: Alternative, index: number): Leaf {
  const path = `alternatives[${index}].mimetype`;
  const { type, parameters } = parseMediaType(mimetype, path);
  const all = withUtf8(parameters, path);
  if (type === 'text/calendar') {
    const method = /^METHOD(?:;[^:\r\n]*)?:([\w-]+)[ \t]*$/im.exec(unfold(content))?.[1];
    const given = parameters.get('method') ?? method;
    if (method !== undefined && given?.toUpperCase() !== method.toUpperCase()) {
      throw partError(path, 'content-type', `its method must be the calendar's own, ${method}`);
    }
    if (given !== undefined) all.set('method', given);
  }
  const { encoding, body } = encodeText(content, `alternatives[${index}].content`);
  return { headers: `${contentType(type, all)}Content-Transfer-Encoding: ${encoding}\r\n`, content: body };
}

/** Unfolds the content lines of a calendar (RFC 5545, section 3.1). */
function unfold(content: string): string {
  return content.replace(/(?:\r\n|\r|\n)[ \t]/g, '');
}

/** Makes the attached copy of an invitation, for readers that do not know calendar parts. */
export function invitationPart(content: string): Leaf {
  const copy = new Attachment({ filename: 'invite.ics', mimetype: 'application/ics', content: toCrlf(content) });
  return attachmentPart(copy, '', 'attachment', false);
}

/**
 * Makes the part of an attachment: in base64, except for `message/*`, which must not be encoded (RFC 2046, section 5.2.1).
 *
 * @throws {MessageError} `invalid-message` when its media type is not a single part's, or contradicts the content.
 */
export function attachmentPart(
  attachment: Attachment,
  path: string,
  disposition: 'attachment' | 'inline',
  allow8bit: boolean,
): Leaf {
  const { filename, contentId } = attachment;
  const { type, parameters } = attachmentType(attachment, `${path}.mimetype`);
  const isMessage = type.startsWith('message/') && type !== 'message/global';
  const { encoding, body } = isMessage
    ? embedMessage(attachment, type, path, allow8bit)
    : { encoding: 'base64', body: attachment };
  let headers = contentType(type, parameters, filename === null ? [] : nameParameter(filename));
  headers += `Content-Transfer-Encoding: ${encoding}\r\n`;
  if (contentId !== null) headers += foldHeader('Content-ID', [`<${contentId}>`]);
  const pieces = filename === null ? [] : filenameParameter(filename);
  headers += foldHeader('Content-Disposition', separate([disposition, ...pieces]));
  return { headers, content: body };
}

function partError(path: string, code: MessageIssueCode, message: string): MessageError {
  return new MessageError([{ path, code, message }]);
}

function contentType(type: string, parameters: ReadonlyMap<string, string>, more: readonly string[] = []): string {
  const pieces = [...parameters].map(([name, value]) => simpleParameter(name, value));
  return foldHeader('Content-Type', separate([type, ...pieces, ...more]));
}

function separate(pieces: readonly string[]): readonly string[] {
  return pieces.map((piece, index) => (index < pieces.length - 1 ? `${piece};` : piece));
}
