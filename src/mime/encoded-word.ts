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
/** Each character below U+0800 in the Q encoding of a phrase (RFC 2047, section 5 (3)), the strictest of the three uses. */
const Q: readonly string[] = Array.from({ length: 0x800 }, (_, code) => {
  if (code === 0x20) return '_';
  if (code >= 0x80) return `${HEX[0xc0 | (code >> 6)]}${HEX[0x80 | (code & 63)]}`;
  return /[A-Za-z0-9!*+/-]/.test(String.fromCharCode(code)) ? String.fromCharCode(code) : (HEX[code] ?? '');
});

const IS_SAFE: Readonly<Uint8Array> = Uint8Array.from(Q, (encoded, code) =>
  encoded === String.fromCharCode(code) ? 1 : 0,
);

/** What belongs to the character before it: marks, joiners, skin tones. */
const EXTENDS = /^(?:\p{M}|\u200d|[\u{1f3fb}-\u{1f3ff}])/u;
const JOINER = 0x200d;

/** The last column {@link encodeWords} can begin at: any character still fits in the first word. */
export const LAST_WORD_COLUMN = 52;

/**
 * Writes text as encoded-words (RFC 2047) separated by CRLF and a space: Q, which people can read, while it is
 * at most twice as long as the text, else B.
 *
 * No line is longer than 76; no character is cut, and an emoji sequence or an accented letter only when it alone is too
 * long for a word. Lone surrogates become U+FFFD. `column` is where the first word begins, at most 52; `tail` octets of its
 * own the caller puts behind the last word.
 */
export function encodeWords(text: string, column: number, tail = 0): string {
  if (text.length <= MAX_LINE - OVERHEAD) {
    const word = toQ(text);
    const length = word.length - OVERHEAD;
    if (column + word.length + tail <= MAX_LINE && length <= 2 * text.length) return word;
  }
  let octets = 0;
  let qLength = 0;
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    octets += utf8Length(code);
    qLength += qLengthOf(code);
  }
  const isQ = qLength <= 2 * text.length;
  const encode = isQ ? toQ : toB;
  if (!isQ && column + tail + OVERHEAD + Math.ceil(octets / 3) * 4 <= MAX_LINE) return toB(text);
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

function qLengthOf(code: number): number {
  return Q[code]?.length ?? 3 * utf8Length(code);
}

function toB(text: string): string {
  return B_START + Buffer.from(text, 'utf8').toString('base64') + END;
}

function toQ(text: string): string {
  let word = Q_START;
  let run = 0; // where the characters begin that stand for themselves
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (IS_SAFE[code] === 1) continue;
    if (at > run) word += text.slice(run, at);
    if (code < 0x800) word += Q[code] as string;
    else {
      const found = text.codePointAt(at) ?? 0;
      const point = found >= 0xd800 && found < 0xe000 ? 0xfffd : found;
      if (point < 0x10000) word += HEX[0xe0 | (point >> 12)];
      else word += `${HEX[0xf0 | (point >> 18)]}${HEX[0x80 | ((point >> 12) & 63)]}`;
      word += `${HEX[0x80 | ((point >> 6) & 63)]}${HEX[0x80 | (point & 63)]}`;
      if (point >= 0x10000) at++;
    }
    run = at + 1;
  }
  return (run < text.length ? word + text.slice(run) : word) + END;
}
