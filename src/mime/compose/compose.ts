import { MessageError } from '../../model/errors.ts';
import type { EmailMessage } from '../../model/message.ts';
import { base64Length, base64Steps, encodeBase64 } from './base64.ts';
import { type ComposeOptions, type Composition, planComposition } from './composition.ts';
import { BodyHash } from './dkim.ts';
import type { Segment } from './part.ts';

/**
 * Composes the bytes of a message: CRLF line ends, no line over 998, ASCII except for addresses that need SMTPUTF8.
 *
 * @throws {MessageError} `invalid-message` when something cannot be written as mail, or when an attachment is a Blob or a
 * stream: those need {@link composeStream}.
 */
export function composeMessage(message: EmailMessage, options: ComposeOptions = {}): Uint8Array {
  const { head, body, isUtf8 } = signed(planComposition(message, options), options);
  const [only] = body;
  if (body.length === 1 && typeof only === 'string' && !isUtf8) return Buffer.from(`${head}\r\n${only}`, 'latin1');
  return join(Buffer.from(`${head}\r\n`, isUtf8 ? 'utf8' : 'latin1'), body);
}

function signed(composition: Composition, { dkim }: ComposeOptions): Composition {
  if (dkim === undefined) return composition;
  const hash = new BodyHash();
  for (const segment of composition.body) {
    if (typeof segment === 'string') hash.text(segment);
    else for (const step of base64Steps(bytesOf(segment))) hash.base64(step);
  }
  return { ...composition, head: dkim.sign(composition.head, hash.digest()) + composition.head };
}

function join(head: Uint8Array, body: readonly Segment[]): Uint8Array {
  const pieces = body.map(bytesOf);
  let length = head.length;
  for (const [index, { length: bytes }] of pieces.entries()) {
    length += typeof body[index] === 'string' ? bytes : base64Length(bytes);
  }
  const joined = Buffer.allocUnsafeSlow(length);
  joined.set(head);
  let at = head.length;
  for (const [index, piece] of pieces.entries()) {
    if (typeof body[index] === 'string') {
      joined.set(piece, at);
      at += piece.length;
    } else at = encodeBase64(piece, joined, at);
  }
  return joined;
}

function bytesOf(segment: Segment): Uint8Array {
  if (typeof segment === 'string') return Buffer.from(segment, 'latin1');
  const { content, filename } = segment;
  if (typeof content === 'string') return Buffer.from(content, 'utf8');
  if (content instanceof Uint8Array) return content;
  const message = `the content of ${JSON.stringify(filename)} is not in memory: use composeStream, or message.materialize() before`;
  throw new MessageError([{ path: 'attachments', code: 'type', message }]);
}
