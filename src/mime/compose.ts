import { Attachment } from '../attachment.ts';
import { MessageError } from '../errors.ts';
import type { EmailMessage } from '../message.ts';
import { base64Length, encodeBase64 } from './base64.ts';
import { type ComposeOptions, type Composition, planComposition } from './composition.ts';
import type { Segment } from './part.ts';

export type { ComposeOptions } from './composition.ts';
export { generateMessageId } from './message-id.ts';

/**
 * The message as it goes on the wire: CRLF line ends, ASCII (but for addresses that need SMTPUTF8), no line over 998.
 *
 * @throws {MessageError} `invalid-message` when an attachment is a Blob or a stream, which {@link composeStream} takes, or
 * when something cannot be written as mail.
 */
export function composeMessage(message: EmailMessage, options: ComposeOptions = {}): Uint8Array {
  const composition = planComposition(message, options);
  const { head, isUtf8, body } = composition;
  const [only] = body;
  if (body.length === 1 && typeof only === 'string') {
    return Buffer.from(`${head}\r\n${only}`, isUtf8 ? 'utf8' : 'latin1');
  }
  return joinSegments(composition);
}

function joinSegments({ head, body, isUtf8 }: Composition): Uint8Array {
  const pieces = [Buffer.from(`${head}\r\n`, isUtf8 ? 'utf8' : 'latin1'), ...body.map(bytesOf)];
  let length = 0;
  for (const [index, piece] of pieces.entries()) {
    length += body[index - 1] instanceof Attachment ? base64Length(piece.length) : piece.length;
  }
  const bytes = Buffer.allocUnsafeSlow(length);
  let at = 0;
  for (const [index, piece] of pieces.entries()) {
    if (body[index - 1] instanceof Attachment) at = encodeBase64(piece, bytes, at);
    else {
      bytes.set(piece, at);
      at += piece.length;
    }
  }
  return bytes;
}

function bytesOf(segment: Segment): Uint8Array {
  if (typeof segment === 'string') return Buffer.from(segment, 'latin1');
  if (segment instanceof Uint8Array) return segment;
  const { content } = segment;
  if (typeof content === 'string') return Buffer.from(content, 'utf8');
  if (content instanceof Uint8Array) return content;
  const message = `the content of ${JSON.stringify(segment.filename)} is not in memory: use composeStream, or await message.materialize() before`;
  throw new MessageError([{ path: 'attachments', code: 'type', message }]);
}
