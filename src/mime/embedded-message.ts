import type { Attachment } from '../attachment.ts';
import { MessageError } from '../errors.ts';
import { isFit, longestLine } from './fit.ts';
import { reencodeMail } from './reencode.ts';
import { toCrlf } from './text-encoding.ts';

const MAX_LINE = 998;
const EIGHT_BIT = /[^\0-\x7f]/;

/**
 * A forwarded mail as it stands in a `message/*` part: its own lines, in Latin-1, never encoded as a whole (RFC 2046, section
 * 5.2.1). Where it cannot travel so, its leaves are encoded instead (RFC 2045, section 6.4).
 *
 * @param type its media type, without parameters
 * @throws {MessageError} `invalid-message` for lines over 998 or octets above 127 that nothing can be done about.
 */
export function embedMessage(
  { content, isInMemory }: Attachment,
  type: string,
  path: string,
  allow8bit: boolean,
): { readonly encoding: '7bit' | '8bit'; readonly body: string } {
  // The composer reads streamed messages into memory first, or refuses them.
  const bytes =
    typeof content === 'string' ? Buffer.from(content, 'utf8') : isInMemory ? (content as Uint8Array) : null;
  if (bytes === null) throw embedError(path, 'is not in memory: use composeStream, or message.materialize() before');
  const given = toCrlf(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1'));
  const body = isFit(given, allow8bit) || type !== 'message/rfc822' ? given : reencodeMail(given, allow8bit);
  if (body === null) {
    throw embedError(
      path,
      'holds lines over 998 octets or octets above 127 in parts that cannot be told from each other',
    );
  }
  if (!isFit(body, allow8bit)) throw embedError(path, unfitReason(body));
  return { encoding: EIGHT_BIT.test(body) ? '8bit' : '7bit', body };
}

function unfitReason(body: string): string {
  if (longestLine(body) > MAX_LINE) {
    const header = longHeader(body);
    return `has ${header === null ? 'a line' : `in its header ${header} a line`} over 998 octets without a space to break it at, which no server need take`;
  }
  return body.includes('\0') ? 'has a NUL' : 'has octets above 127, which this type of part cannot encode';
}

/** The header that the first line too long belongs to, if it is one's. */
function longHeader(body: string): string | null {
  let header: string | null = null;
  for (const line of body.split('\r\n')) {
    if (!/^[ \t]/.test(line)) header = /^([!-9;-~]{1,76}):/.exec(line)?.[1] ?? null;
    if (line.length > MAX_LINE) return header;
  }
  return null;
}

function embedError(path: string, reason: string): MessageError {
  const message = `the forwarded message ${reason}: attach it as application/octet-stream to send it as it is`;
  return new MessageError([{ path: `${path}.content`, code: 'content-type', message }]);
}
