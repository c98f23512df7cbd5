/** The longest line that holds an encoded-word (RFC 2047, section 2). */
const MAX_LINE = 76;
const Q_START = '=?UTF-8?Q?';
const B_START = '=?UTF-8?B?';
const END = '?=';
const OVERHEAD = Q_START.length + END.length;

const HEX: readonly string[] = Array.from(
  { length: 256 },
  (_, byte) => `=${byte.toString(16).toUpperCase().padStart(2, '0')}`,
);
/** Each ASCII character in the Q encoding of a phrase (RFC 2047, section 5 (3)), the strictest of the three uses. */
const Q_ASCII: readonly string[] = Array.from({ length: 128 }, (_, code) => {
  if (code === 0x20) return '_';
  return /[A-Za-z0-9!*+/-]/.test(String.fromCharCode(code)) ? String.fromCharCode(code) : (HEX[code] ?? '');
});

/** What belongs to the character before it: marks, joiners, skin tones. */
const EXTENDS = /^(?:\p{M}|\u200d|[\u{1f3fb}-\u{1f3ff}])/u;
const JOINER = 0x200d;

/** The last column {@link encodeWords} can begin at: any character still fits in the first word. */
export const LAST_WORD_COLUMN = 52;

/**
 * Writes text as encoded-words (RFC 2047), Q or B by which is shorter, separated by CRLF and a space.
 *
 * No line is longer than 76; no character is cut, and an emoji sequence or an accented letter only when it alone is too
 * long for a word. Lone surrogates become U+FFFD. `column` is where the first word begins, at most 52.
 */
export function encodeWords(text: string, column: number): string {
  let octets = 0;
  let qLength = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x80) {
      octets++;
      qLength += (Q_ASCII[code] as string).length; // below 0x80
    } else if (code >= 0xd800 && code < 0xe000 && LONE_SURROGATE.test(text)) {
      return encodeWords(text.replace(LONE_SURROGATES, '\ufffd'), column);
    } else {
      // A surrogate is half of a character of four bytes.
      const width = code < 0x800 || (code >= 0xd800 && code < 0xe000) ? 2 : 3;
      octets += width;
      qLength += 3 * width;
    }
  }
  const bLength = Math.ceil(octets / 3) * 4;
  const isQ = qLength <= bLength;
  const encode = isQ ? toQ : toB;
  if (column + OVERHEAD + (isQ ? qLength : bLength) <= MAX_LINE) return encode(text);
  return splitWords(text, column, isQ).map(encode).join('\r\n ');
}

const LONE_SURROGATE = /\p{Cs}/u;
const LONE_SURROGATES = /\p{Cs}/gu;

function splitWords(text: string, column: number, isQ: boolean): string[] {
  const words: string[] = [];
  let room = wordRoom(column, isQ);
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
    const cost = isQ && code < 0x80 ? (Q_ASCII[code] as string).length : utf8Length(code) * (isQ ? 3 : 1);
    while (used + cost > room) {
      const end = lastBreak > start ? lastBreak : at;
      words.push(text.slice(start, end));
      used -= end === lastBreak ? usedAtBreak : used;
      start = end;
      lastBreak = end;
      usedAtBreak = 0;
      room = wordRoom(1, isQ);
    }
    used += cost;
    before = code;
    at += code > 0xffff ? 2 : 1;
  }
  words.push(text.slice(start));
  return words;
}

/** How much a word holds that begins at `column`: characters of Q, octets of B. */
function wordRoom(column: number, isQ: boolean): number {
  const room = MAX_LINE - column - OVERHEAD;
  return isQ ? room : Math.floor(room / 4) * 3;
}

function utf8Length(code: number): number {
  if (code < 0x80) return 1;
  if (code < 0x800) return 2;
  return code < 0x10000 ? 3 : 4;
}

function toB(text: string): string {
  return B_START + Buffer.from(text, 'utf8').toString('base64') + END;
}

function toQ(text: string): string {
  let word = Q_START;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    // Every index below is in its table: bytes, and ASCII.
    if (code < 0x80) word += Q_ASCII[code] as string;
    else if (code < 0x800) word += `${HEX[0xc0 | (code >> 6)]}${HEX[0x80 | (code & 63)]}`;
    else if (code < 0xd800 || code >= 0xe000) {
      word += `${HEX[0xe0 | (code >> 12)]}${HEX[0x80 | ((code >> 6) & 63)]}${HEX[0x80 | (code & 63)]}`;
    } else {
      const point = text.codePointAt(at++) ?? 0;
      word += `${HEX[0xf0 | (point >> 18)]}${HEX[0x80 | ((point >> 12) & 63)]}`;
      word += `${HEX[0x80 | ((point >> 6) & 63)]}${HEX[0x80 | (point & 63)]}`;
    }
  }
  return word + END;
}
