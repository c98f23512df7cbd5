import { base64Steps } from './base64.ts';
import { nulError } from './nul.ts';
import { encodeQuotedPrintable } from './quoted-printable.ts';

/** An encoded text: its Content-Transfer-Encoding and its lines, all ASCII. */
interface EncodedText {
  readonly encoding: '7bit' | 'quoted-printable' | 'base64';
  readonly body: string;
}

const MAX_LINE = 78; // RFC 5322, section 2.1.1

/**
 * Encodes a text: as 7bit when no relay would change it, else as quoted-printable or base64, whichever is shorter.
 *
 * 7bit text is ASCII in lines of at most 78 characters, none of which begins with a dot or `From ` or ends with white space.
 *
 * @throws {MessageError} `invalid-message` under `path` when it contains a NUL.
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
  if (text.includes('\0')) throw nulError(path);
  return { encoding: 'base64', body: encodeAsBase64(text) };
}

/** Above this many characters, decoding bytes is much faster than concatenating lines. */
const MAX_SHORT = 8_192;
const LF = 0x0a;
const CR = 0x0d;

/** Turns CR, LF and CRLF into CRLF: bare ones must not be sent (RFC 5321, section 2.3.8). */
export function toCrlf(text: string): string {
  if (text.length > MAX_SHORT) return withCrlf(Buffer.from(text, 'utf8')).toString('utf8');
  // Most texts have only LF, and replacing a string is faster than a pattern.
  return text.includes('\r') ? text.replace(/\r\n?|\n/g, '\r\n') : text.replaceAll('\n', '\r\n');
}

/** {@link toCrlf} for text in UTF-8 or another superset of ASCII. */
function withCrlf(bytes: Buffer): Buffer {
  let bare = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === CR && bytes[at + 1] === LF) at++;
    else if (byte === LF || byte === CR) bare++;
  }
  if (bare === 0) return bytes;
  const lines = Buffer.allocUnsafe(bytes.length + bare);
  let end = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number; // below the length
    if (byte === LF || byte === CR) {
      lines[end++] = CR;
      lines[end++] = LF;
      if (byte === CR && bytes[at + 1] === LF) at++;
    } else lines[end++] = byte;
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

/** Whether base64, four characters per three bytes, is shorter than quoted-printable, three per byte above 127. */
function isBase64Shorter(text: string): boolean {
  const bytes = Buffer.byteLength(text, 'utf8');
  const inBase64 = (bytes * 4) / 3;
  // The bytes above 127 are at most twice as many as this, and at least one and a half times.
  const more = bytes - text.length;
  if (bytes + 4 * more <= inBase64) return false;
  if (bytes + 3 * more > inBase64) return true;
  let ascii = 0;
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) < 0x80) ascii++;
  return bytes + 2 * (bytes - ascii) > inBase64;
}

function encodeAsBase64(text: string): string {
  const bytes = withCrlf(Buffer.from(text, 'utf8'));
  let body = '';
  for (const { buffer, byteOffset, length } of base64Steps(bytes)) {
    body += Buffer.from(buffer, byteOffset, length).toString('latin1');
  }
  return body;
}
