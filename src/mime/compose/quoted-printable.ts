import { nulError } from './nul.ts';

/** Whether a byte is written as it is: printable except `=`, and white space, which is encoded at the end of a line. */
const IS_LITERAL: Readonly<Uint8Array> = /* @__PURE__ */ Uint8Array.from({ length: 256 }, (_, byte) =>
  (byte >= 0x20 && byte < 0x7f && byte !== 0x3d) || byte === 0x09 ? 1 : 0,
);
const DIGITS = '0123456789ABCDEF';
const HIGH: Readonly<Uint8Array> = /* @__PURE__ */ Uint8Array.from({ length: 256 }, (_, byte) =>
  DIGITS.charCodeAt(byte >> 4),
);
const LOW: Readonly<Uint8Array> = /* @__PURE__ */ Uint8Array.from({ length: 256 }, (_, byte) =>
  DIGITS.charCodeAt(byte & 15),
);

const NUL = 0x00;
const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const DOT = 0x2e;
const EQUALS = 0x3d;
const LETTER_F = 0x46;
const MAX_COLUMN = 75; // leaves room for the `=` of a soft line break

/** Characters converted to UTF-8 at a time. */
const STEP = 8192;
const source = /* @__PURE__ */ Buffer.allocUnsafeSlow(3 * (STEP + 1) + 1);
/** Room for many lines; it is emptied after a line break when it is nearly full. */
const TARGET_LENGTH = 32 * 1024;
const target = /* @__PURE__ */ Buffer.allocUnsafeSlow(TARGET_LENGTH);
const NEARLY_FULL = TARGET_LENGTH - 256;

/**
 * Encodes text as UTF-8 in quoted-printable lines of at most 76 characters (RFC 2045, section 6.7).
 *
 * CR, LF and CRLF all become CRLF; lone surrogates become U+FFFD. Beyond the RFC, no soft line break splits a character, and
 * no line begins with a dot or `From `, which careless relays and mailboxes change.
 *
 * @throws {MessageError} `invalid-message` under `path` when it holds a NUL.
 */
export function encodeQuotedPrintable(text: string, path: string): string {
  const isLiteral = IS_LITERAL;
  const input = source; // local variables are faster in the loop
  const output = target;
  let result = '';
  let out = 0;
  let column = 0;
  for (let from = 0, to = 0; from < text.length; from = to) {
    to = Math.min(from + STEP, text.length);
    if (to < text.length && isInseparable(text, to)) to++;
    const end = input.write(text.length <= STEP ? text : text.slice(from, to), 0, 'utf8');
    input[end] = 0; // not literal, so a run stops here
    for (let at = 0; at < end; ) {
      // All indices are within bounds.
      let byte = input[at] as number;
      if (column > 0) {
        const start = at;
        for (const full = at + MAX_COLUMN - column; at < full && isLiteral[byte] === 1; byte = input[++at] as number) {
          output[out++] = byte;
        }
        column += at - start;
        if (at === end) break;
      } else if (out > NEARLY_FULL) {
        result += output.toString('latin1', 0, out);
        out = 0;
      }
      if (byte === CR || byte === LF) {
        out = endLine(out);
        column = 0;
        at += byte === CR && input[at + 1] === LF ? 2 : 1;
        continue;
      }
      const width = widthOf(byte);
      if (column + width > MAX_COLUMN) {
        output[out] = EQUALS;
        output[out + 1] = CR;
        output[out + 2] = LF;
        out += 3;
        column = 0;
        continue;
      }
      if (width === 1 && !isRisky(byte, at + 1, end)) {
        output[out++] = byte;
        column++;
        at++;
        continue;
      }
      if (byte === NUL) throw nulError(path);
      for (const next = at + Math.max(1, width / 3); at < next; out += 3) {
        byte = input[at++] as number;
        output[out] = EQUALS;
        output[out + 1] = HIGH[byte] as number;
        output[out + 2] = LOW[byte] as number;
        column += 3;
      }
    }
  }
  return result + output.toString('latin1', 0, encodeLastSpace(out));
}

/** The encoded width of the character that begins with this byte. */
function widthOf(byte: number): number {
  if (byte < 0x80) return IS_LITERAL[byte] === 1 ? 1 : 3;
  if (byte < 0xe0) return 6;
  return byte < 0xf0 ? 9 : 12;
}

/** Ends a line, encoding white space at its end, which relays may strip. */
function endLine(end: number): number {
  const out = encodeLastSpace(end);
  target[out] = CR;
  target[out + 1] = LF;
  return out + 2;
}

function encodeLastSpace(out: number): number {
  const last = out > 0 ? (target[out - 1] as number) : 0;
  if (last !== SPACE && last !== TAB) return out;
  const at = out - 1;
  // The encoded form is two characters longer, which may exceed the line.
  const isFull = at - (target.lastIndexOf(LF, at) + 1) + 3 > MAX_COLUMN + 1;
  const encoded = `${isFull ? '=\r\n' : ''}=${last === SPACE ? '20' : '09'}`;
  return at + target.write(encoded, at, 'latin1');
}

/** Whether it must not begin a line: a dot, `From `, or the beginning of `From ` at the end of a step. */
function isRisky(byte: number, next: number, end: number): boolean {
  if (byte === DOT) return true;
  if (byte !== LETTER_F || source[next] !== 0x72) return false;
  return next + 4 > end || (source[next + 1] === 0x6f && source[next + 2] === 0x6d && source[next + 3] === SPACE);
}

/** Whether splitting at this offset would cut a CRLF or a surrogate pair. */
function isInseparable(text: string, at: number): boolean {
  const before = text.charCodeAt(at - 1);
  return (before === CR && text.charCodeAt(at) === LF) || (before >= 0xd800 && before < 0xdc00);
}
