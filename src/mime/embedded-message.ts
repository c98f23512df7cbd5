import type { Attachment } from '../attachment.ts';
import { MessageError } from '../errors.ts';
import { toCrlf } from './text-encoding.ts';

const MAX_LINE = 998;
const EIGHT_BIT = /[^\0-\x7f]/;

/**
 * A forwarded mail as it stands in a `message/*` part: its own lines, in Latin-1, never encoded (RFC 2046, section 5.2.1).
 *
 * @throws {MessageError} `invalid-message` when it cannot go so: bytes above 127 unless `allow8bit`, NUL, lines over 998.
 */
export function embedMessage(
  { content, isInMemory }: Attachment,
  path: string,
  allow8bit: boolean,
): { readonly encoding: '7bit' | '8bit'; readonly body: string } {
  // The composer reads streamed messages into memory first, or refuses them.
  const bytes =
    typeof content === 'string' ? Buffer.from(content, 'utf8') : isInMemory ? (content as Uint8Array) : null;
  if (bytes === null) throw embedError(path, 'give a forwarded message as a string or bytes');
  const text = toCrlf(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1'));
  if (text.includes('\0') || hasLongLine(text)) {
    throw embedError(path, 'a forwarded message cannot be encoded, and this one has a NUL or a line over 998 octets');
  }
  if (!EIGHT_BIT.test(text)) return { encoding: '7bit', body: text };
  if (allow8bit) return { encoding: '8bit', body: text };
  throw embedError(path, 'a forwarded message cannot be encoded, and this one has bytes above 127: see allow8bit');
}

function hasLongLine(text: string): boolean {
  for (let from = 0; from < text.length; ) {
    const end = text.indexOf('\r\n', from);
    if ((end < 0 ? text.length : end) - from > MAX_LINE) return true;
    if (end < 0) return false;
    from = end + 2;
  }
  return false;
}

function embedError(path: string, reason: string): MessageError {
  const message = `${reason}; or attach it as application/octet-stream`;
  return new MessageError([{ path: `${path}.content`, code: 'content-type', message }]);
}
