/** The longest word that fits in a line after a header's name of usual length. */
const MAX_WORD = 900;
/** Text that a header can contain verbatim: printable ASCII with single spaces, without anything like an encoded-word. */
const VERBATIM = /^(?!.*=\?)[!-~]+(?: [!-~]+)*$/;
const STRING_OR_REST = /"(?:[^"\\]+|\\.)*"|[^"]+/g;

/**
 * Splits the JSON value of a header such as X-SMTPAPI into words to fold between. Programs that know no encoded-words read
 * it, so a value that cannot be sent verbatim is escaped.
 *
 * @returns null when the value is not a JSON object or array.
 */
export function jsonWords(value: string): readonly string[] | null {
  if (!/^\s*[[{]/.test(value) || !isJson(value)) return null;
  if (VERBATIM.test(value)) {
    const words = value.split(' ');
    if (words.every(({ length }) => length <= MAX_WORD)) return words;
  }
  return asciiJson(value).split(' ');
}

/** JSON that survives folding and decoding: ASCII, with spaces only in strings and after each comma and colon. */
export function asciiJson(json: string): string {
  return json.replace(STRING_OR_REST, (piece) =>
    piece.startsWith('"')
      ? piece.replace(/[^ -~]|(?<= ) |(?<==)\?/g, escapeUnit)
      : piece.replace(/\s+/g, '').replace(/[,:]/g, '$& '),
  );
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
