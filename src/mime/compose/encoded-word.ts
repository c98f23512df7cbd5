/** The longest line with an encoded-word (RFC 2047, section 2). */
const MAX_LINE = 76;
const Q_START = '=?UTF-8?Q?';
const B_START = '=?UTF-8?B?';
const END = '?=';
const OVERHEAD = Q_START.length + END.length;

const SPACE = 0x20;
const UNDERSCORE = 0x5f;
const EQUALS = 0x3d;
const QUESTION = 0x3f;
const DIGITS: Readonly<Uint8Array> = /* @__PURE__ */ Buffer.from('0123456789ABCDEF');
/** The byte for each character in the strictest Q encoding, that of a phrase (RFC 2047, section 5 (3)); 0: needs escaping. */
const Q: Readonly<Uint8Array> = /* @__PURE__ */ Uint8Array.from({ length: 128 }, (_, code) => {
  if (code === SPACE) return UNDERSCORE;
  return /[A-Za-z0-9!*+/-]/.test(String.fromCharCode(code)) ? code : 0;
});

/** Extends the character before it: marks, joiners, skin tones. */
const EXTENDS = /^(?:\p{M}|\u200d|[\u{1f3fb}-\u{1f3ff}])/u;
const JOINER = 0x200d;

/** The last column at which {@link encodeWords} can begin: any character still fits in the first word. */
export const LAST_WORD_COLUMN = 52;

/**
 * Writes text as encoded-words (RFC 2047) separated by CRLF and a space: Q, which people can read, if that is at most twice
 * as long as the text, else B.
 *
 * No line is over 76. No character is split; an emoji sequence or accented letter only if it alone is too long for a word.
 * Lone surrogates become U+FFFD.
 *
 * @param column Where the first word begins, at most 52.
 * @param tail How many bytes the caller appends to the last word.
 */
export function encodeWords(text: string, column: number, tail = 0): string {
  if (text.length <= MAX_LINE - OVERHEAD) {
    const only = toQ(text);
    const length = only.length - OVERHEAD;
    if (column + only.length + tail <= MAX_LINE && length <= 2 * text.length) return only;
  }
  let bytes = 0;
  let qLength = 0;
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    bytes += utf8Length(code);
    qLength += qLengthOf(code);
  }
  const isQ = qLength <= 2 * text.length;
  const encode = isQ ? toQ : toB;
  if (!isQ && column + tail + OVERHEAD + Math.ceil(bytes / 3) * 4 <= MAX_LINE) return toB(text);
  return splitWords(text, column, tail, isQ).map(encode).join('\r\n ');
}

function splitWords(text: string, column: number, tail: number, isQ: boolean): string[] {
  const words: string[] = [];
  let room = wordRoom(column + tail, isQ);
  let start = 0;
  let used = 0;
  let lastBreak = 0;
  let usedAtBreak = 0;
  let before = 0;
  for (let at = 0; at < text.length; ) {
    const code = text.codePointAt(at) ?? 0;
    if (code < 0x300 || (before !== JOINER && !EXTENDS.test(String.fromCodePoint(code)))) {
      lastBreak = at;
      usedAtBreak = used;
    }
    const cost = isQ ? qLengthOf(code) : utf8Length(code);
    while (used + cost > room) {
      const end = lastBreak > start ? lastBreak : at;
      words.push(text.slice(start, end));
      used -= end === lastBreak ? usedAtBreak : used;
      start = end;
      lastBreak = end;
      usedAtBreak = 0;
      room = wordRoom(1 + tail, isQ);
    }
    used += cost;
    before = code;
    at += code > 0xffff ? 2 : 1;
  }
  words.push(text.slice(start));
  return words;
}

/** The capacity of a word that begins at `column`: characters of Q, bytes of B. */
function wordRoom(column: number, isQ: boolean): number {
  const room = MAX_LINE - column - OVERHEAD;
  return isQ ? room : Math.floor(room / 4) * 3;
}

function utf8Length(code: number): number {
  if (code < 0x80) return 1;
  if (code < 0x800) return 2;
  return code < 0x10000 ? 3 : 4;
}

function qLengthOf(code: number): number {
  return code < 0x80 && Q[code] !== 0 ? 1 : 3 * utf8Length(code);
}

function toB(text: string): string {
  return B_START + Buffer.from(text, 'utf8').toString('base64') + END;
}

/** The word being written; big enough for the longest text that could fit in a line if it were ASCII. */
const word = /* @__PURE__ */ begunWord();

function begunWord(): Buffer {
  const begun = Buffer.alloc(OVERHEAD + 9 * MAX_LINE);
  begun.write(Q_START, 'latin1');
  return begun;
}

/** Written byte by byte, which takes half the time of concatenating strings. */
function toQ(text: string): string {
  let end = Q_START.length;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x80) {
      const byte = Q[code];
      if (byte) word[end++] = byte;
      else end = writeHex(code, end);
    } else if (code < 0x800) {
      end = writeHex(0xc0 | (code >> 6), end);
      end = writeHex(0x80 | (code & 63), end);
    } else {
      const found = text.codePointAt(at) ?? 0;
      const point = found >= 0xd800 && found < 0xe000 ? 0xfffd : found;
      if (point < 0x10000) end = writeHex(0xe0 | (point >> 12), end);
      else {
        end = writeHex(0xf0 | (point >> 18), end);
        end = writeHex(0x80 | ((point >> 12) & 63), end);
        at++;
      }
      end = writeHex(0x80 | ((point >> 6) & 63), end);
      end = writeHex(0x80 | (point & 63), end);
    }
  }
  word[end++] = QUESTION;
  word[end++] = EQUALS;
  return word.toString('latin1', 0, end);
}

function writeHex(byte: number, at: number): number {
  word[at] = EQUALS;
  word[at + 1] = DIGITS[byte >> 4] ?? 0;
  word[at + 2] = DIGITS[byte & 15] ?? 0;
  return at + 3;
}
