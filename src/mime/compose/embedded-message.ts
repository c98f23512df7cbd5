import type { Attachment } from '../../model/attachment.ts';
import { MessageError } from '../../model/errors.ts';
import { EIGHT_BIT, isFit, longestLine, MAX_LINE } from './fit.ts';
import { reencodeMail } from './reencode.ts';
import { toCrlf } from './text-encoding.ts';

/**
 * The body of a `message/*` part, in Latin-1: the forwarded mail's own lines, never encoded as a whole (RFC 2046, section
 * 5.2.1). Lines that cannot be sent as they are have their leaf parts encoded instead (RFC 2045, section 6.4).
 *
 * @param type The media type, without parameters.
 * @throws {MessageError} `invalid-message` for lines over 998 or bytes above 127 that cannot be encoded.
 */
export function embedMessage(
  { content, isInMemory }: Attachment,
  type: string,
  path: string,
  allow8bit: boolean,
): { readonly encoding: '7bit' | '8bit'; readonly body: string } {
  // The composer has read streamed messages into memory, or refuses them here.
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

/** The name of the header that contains the first line over the limit, or null. */
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
