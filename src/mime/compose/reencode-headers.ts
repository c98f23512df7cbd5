import { decodeCharset } from '../read/decode-words.ts';
import { encodeWords } from './encoded-word.ts';
import { EIGHT_BIT, isFit, MAX_LINE } from './fit.ts';

const ENCODING = /^content-transfer-encoding[ \t]*:.*(?:\r\n[ \t].*)*(?:\r\n|$)/gim;
const ADDRESSES = /^(?:resent-)?(?:from|sender|reply-to|to|cc|bcc)[ \t]*:/i;
// None uses `\s`: it matches U+00A0, which in Latin-1 may be half of an "à".
const QUOTED_OR_VALUE = /"(?:[^"\\]|\\.)*"?|[^ \t;="]+/g;
const MAILBOX_OR_END = /(?:"(?:[^"\\]|\\.)*"?|[^",;]+)+|[,;]/g;
const QUOTED_OR_WORD = /"(?:[^"\\]|\\.)*"?|<[^ \t"]*|[^ \t"<]+/g;

/**
 * Makes a header section fit to send: folds long lines at white space, writes bytes above 127 as encoded-words unless
 * `allow8bit`, and replaces the Content-Transfer-Encoding if one is given.
 *
 * @param head The header section in Latin-1, with its empty line if there is one.
 */
export function reencodeHeaders(head: string, encoding: string | null, allow8bit: boolean): string {
  let section = head;
  if (encoding !== null) {
    const rest = head.replace(ENCODING, '');
    section = `Content-Transfer-Encoding: ${encoding}\r\n${rest === '' ? '\r\n' : rest}`;
  }
  if (isFit(section, allow8bit)) return section;
  return section
    .split(/\r\n(?![ \t])/)
    .map((field) => (isFit(field, allow8bit) ? field : reencodeField(field.replaceAll('\0', ' '), allow8bit)))
    .join('\r\n');
}

function reencodeField(field: string, allow8bit: boolean): string {
  const lines = allow8bit || !EIGHT_BIT.test(field) ? field : encodeField(field);
  return lines.split('\r\n').map(foldLine).join('\r\n');
}

function encodeField(field: string): string {
  const colon = field.indexOf(':') + 1;
  const name = field.slice(0, colon);
  const value = field.slice(colon).replaceAll('\r\n', '');
  if (/^content-/i.test(name)) return name + value.replace(QUOTED_OR_VALUE, encodeValue);
  if (!ADDRESSES.test(name)) return name + encodeRuns(value.split(/[ \t]+/));
  return name + value.replace(MAILBOX_OR_END, encodeMailbox);
}

/** Encodes one mailbox of a list; a quoted name loses its quotes, since encoded-words are not decoded in quotes. */
function encodeMailbox(piece: string): string {
  if (!EIGHT_BIT.test(piece)) return piece;
  const words = piece.match(QUOTED_OR_WORD) ?? [];
  return encodeRuns(words.map((word) => (EIGHT_BIT.test(word) ? unquoted(word) : word)));
}

function unquoted(word: string): string {
  return word.startsWith('"') ? word.replace(/^"|"$/g, '').replace(/\\(.)/g, '$1') : word;
}

/** Encodes the value of a parameter, in quotes: there readers do decode encoded-words. */
function encodeValue(value: string): string {
  if (!EIGHT_BIT.test(value)) return value;
  return `"${encodeWords(decode(unquoted(value)), 20)}"`;
}

/** Encodes adjacent non-ASCII words together: white space between encoded-words is dropped (RFC 2047, section 6.2). */
function encodeRuns(words: readonly string[]): string {
  let encoded = '';
  let run: string[] = [];
  const flush = () => {
    if (run.length > 0) encoded += ` ${encodeWords(decode(run.join(' ')), 20)}`;
    run = [];
  };
  for (const word of words) {
    if (EIGHT_BIT.test(word)) run.push(word);
    else {
      flush();
      if (word !== '') encoded += ` ${word}`;
    }
  }
  flush();
  return encoded;
}

/** Decodes as UTF-8 (RFC 6532) if valid, else as windows-1252. */
function decode(bytes: string): string {
  return decodeCharset(Buffer.from(bytes, 'latin1'), '');
}

function foldLine(line: string): string {
  if (line.length <= MAX_LINE) return line;
  let folded = '';
  let column = 0;
  for (const word of line.split(/(?<=[^ \t])(?=[ \t])/)) {
    if (column > 0 && column + word.length > MAX_LINE) {
      folded += '\r\n';
      column = 0;
    }
    folded += word;
    column += word.length;
  }
  return folded;
}
