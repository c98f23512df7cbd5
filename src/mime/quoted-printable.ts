const LITERAL = 1;
const SPACE = 2;
/** What a byte is in a quoted-printable line: itself, white space (itself but at the end of a line), or 0, encoded. */
const KINDS: Readonly<Uint8Array> = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte === 0x20 || byte === 0x09) return SPACE;
  return byte > 0x20 && byte < 0x7f && byte !== 0x3d ? LITERAL : 0;
});
const HEX: Readonly<Uint8Array> = Uint8Array.from('0123456789ABCDEF', (digit) => digit.charCodeAt(0));

const LF = 0x0a;
const CR = 0x0d;
const DOT = 0x2e;
const EQUALS = 0x3d;
const LETTER_F = 0x46;
const MAX_COLUMN = 75; // and the `=` of the soft line break

/** So many characters are encoded at a time. */
const STEP = 8192;
const source = Buffer.allocUnsafeSlow(3 * (STEP + 1));
const target = Buffer.allocUnsafeSlow(4 * source.length);

/**
 * Encodes text as UTF-8 in quoted-printable lines of at most 76 characters (RFC 2045, section 6.7).
 *
 * CR, LF and CRLF all become CRLF; lone surrogates become U+FFFD. Beyond the rules: no character is cut by a soft line
 * break, and no line begins with a dot or with `From `, which careless relays and mailboxes change.
 */
export function encodeQuotedPrintable(text: string): string {
  let result = '';
  let column = 0;
  for (let from = 0, to = 0; from < text.length; from = to) {
    to = Math.min(from + STEP, text.length);
    if (to < text.length && isInseparable(text, to)) to++;
    const octets = source.write(text.length <= STEP ? text : text.slice(from, to), 0, 'utf8');
    // A byte that no text ends with stands for what follows the step.
    source[octets] = to === text.length || isLineEnd(text.charCodeAt(to)) ? LF : EQUALS;
    const length = encodeOctets(octets, column);
    result += target.toString('latin1', 0, length);
    const lineEnd = target.lastIndexOf(LF, length - 1);
    column = lineEnd < 0 ? column + length : length - 1 - lineEnd;
  }
  return result;
}

/** Whether a CRLF or a surrogate pair would be cut before this place. */
function isInseparable(text: string, at: number): boolean {
  const before = text.charCodeAt(at - 1);
  return (before === CR && text.charCodeAt(at) === LF) || (before >= 0xd800 && before < 0xdc00);
}

function isLineEnd(code: number | undefined): boolean {
  return code === LF || code === CR;
}

function encodeOctets(end: number, firstColumn: number): number {
  let column = firstColumn;
  let out = 0;
  for (let at = 0; at < end; ) {
    const byte = source[at++] as number; // below the end
    const kind = KINDS[byte];
    if (kind === LITERAL ? column > 0 || !isRisky(byte, at, end) : kind === SPACE && !isLineEnd(source[at])) {
      if (column === MAX_COLUMN) {
        target[out++] = EQUALS;
        target[out++] = CR;
        target[out++] = LF;
        column = 0;
        if (kind === LITERAL && isRisky(byte, at, end)) {
          at--;
          continue;
        }
      }
      target[out++] = byte;
      column++;
    } else if (byte === LF || byte === CR) {
      if (byte === CR && source[at] === LF && at < end) at++;
      target[out++] = CR;
      target[out++] = LF;
      column = 0;
    } else {
      const width = 3 * sequenceLength(byte);
      if (column + width > MAX_COLUMN) {
        target[out++] = EQUALS;
        target[out++] = CR;
        target[out++] = LF;
        column = 0;
      }
      target[out++] = EQUALS;
      target[out++] = HEX[byte >> 4] as number;
      target[out++] = HEX[byte & 15] as number;
      column += 3;
    }
  }
  return out;
}

/** What must not begin a line: a dot, and `From `, or what may become it beyond the end of the step. */
function isRisky(byte: number, next: number, end: number): boolean {
  if (byte === DOT) return true;
  if (byte !== LETTER_F || source[next] !== 0x72) return false;
  return next + 4 > end || (source[next + 1] === 0x6f && source[next + 2] === 0x6d && source[next + 3] === 0x20);
}

/** How many bytes the character has that this byte begins; 0 for the further bytes, which were counted with the first. */
function sequenceLength(byte: number): number {
  if (byte < 0x80) return 1;
  if (byte < 0xc0) return 0;
  if (byte < 0xe0) return 2;
  return byte < 0xf0 ? 3 : 4;
}
