import { base64Steps } from './base64.ts';
import { hasNul, nulError } from './nul.ts';
import { encodeQuotedPrintable } from './quoted-printable.ts';

/** A text as it stands in a part: its Content-Transfer-Encoding, and its lines in that encoding, all ASCII. */
export interface EncodedText {
  readonly encoding: '7bit' | 'quoted-printable' | 'base64';
  readonly body: string;
}

const MAX_LINE = 78; // RFC 5322, section 2.1.1

/**
 * Encodes a text: as it is when no relay would touch it, else quoted-printable or base64, whichever is shorter.
 *
 * As it is means: ASCII, lines of at most 78 characters, none that begins with a dot or `From ` or ends with white space.
 *
 * @throws {MessageError} `invalid-message` under `path` when it holds a NUL.
 */
export function encodeText(text: string, path: string): EncodedText {
  const length = text.length;
  let hasBareBreak = false;
  let lineStart = 0;
  let at = 0;
  for (; at < length; at++) {
    const code = text.charCodeAt(at);
    if (code >= 0x20 && code < 0x7f) continue;
    if (code === 0x0a || code === 0x0d) {
      if (isUnsafeLine(text, lineStart, at)) break;
      if (code === 0x0d && text.charCodeAt(at + 1) === 0x0a) at++;
      else hasBareBreak = true;
      lineStart = at + 1;
    } else if (code !== 0x09) break;
  }
  if (at >= length && !isUnsafeLine(text, lineStart, length)) {
    return { encoding: '7bit', body: hasBareBreak ? toCrlf(text) : text };
  }
  if (!isBase64Shorter(text)) return { encoding: 'quoted-printable', body: encodeQuotedPrintable(text, path) };
  if (hasNul(text)) throw nulError(path);
  return { encoding: 'base64', body: encodeAsBase64(text) };
}

/** Above this a string that is put together from its lines costs much more than one that is read from bytes. */
const MAX_SHORT = 8_192;
const LF = 0x0a;
const CR = 0x0d;

/** CR, LF and CRLF all become CRLF, so that no bare one leaves (RFC 5321, section 2.3.8). */
export function toCrlf(text: string): string {
  if (text.length > MAX_SHORT) return withCrlf(Buffer.from(text, 'utf8')).toString('utf8');
  // Most texts have the one kind of line end or the other, and a string is found faster than a pattern.
  return text.includes('\r') ? text.replace(/\r\n?|\n/g, '\r\n') : text.replaceAll('\n', '\r\n');
}

/** {@link toCrlf} for text in UTF-8 or any other encoding that has ASCII in it. */
function withCrlf(bytes: Buffer): Buffer {
  let bare = 0;
  for (let at = 0; at < bytes.length; at++) {
    const octet = bytes[at];
    if (octet === CR && bytes[at + 1] === LF) at++;
    else if (octet === LF || octet === CR) bare++;
  }
  if (bare === 0) return bytes;
  const lines = Buffer.allocUnsafe(bytes.length + bare);
  let end = 0;
  for (let at = 0; at < bytes.length; at++) {
    const octet = bytes[at] as number; // below the length
    if (octet === LF || octet === CR) {
      lines[end++] = CR;
      lines[end++] = LF;
      if (octet === CR && bytes[at + 1] === LF) at++;
    } else lines[end++] = octet;
  }
  return lines;
}

function isUnsafeLine(text: string, from: number, to: number): boolean {
  if (from === to) return false;
  if (to - from > MAX_LINE) return true;
  const first = text.charCodeAt(from);
  if (first === 0x2e || (first === 0x46 && text.startsWith('From ', from))) return true;
  const last = text.charCodeAt(to - 1);
  return last === 0x20 || last === 0x09;
}

/** Whether quoted-printable, three characters for an octet beyond ASCII, is longer than base64, four for three of any. */
function isBase64Shorter(text: string): boolean {
  const octets = Buffer.byteLength(text, 'utf8');
  const inBase64 = (octets * 4) / 3;
  // So many more octets than characters: of the octets beyond ASCII a half, or two thirds (U+0800 to U+FFFF).
  const more = octets - text.length;
  if (octets + 4 * more <= inBase64) return false;
  if (octets + 3 * more > inBase64) return true;
  let ascii = 0;
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) < 0x80) ascii++;
  return octets + 2 * (octets - ascii) > inBase64;
}

function encodeAsBase64(text: string): string {
  const bytes = withCrlf(Buffer.from(text, 'utf8'));
  let body = '';
  for (const { buffer, byteOffset, length } of base64Steps(bytes)) {
    body += Buffer.from(buffer, byteOffset, length).toString('latin1');
  }
  return body;
}
