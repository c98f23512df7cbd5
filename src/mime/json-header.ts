/** The longest word that a line holds beside a header's name of the usual length. */
const MAX_WORD = 900;
/** What a header has as it is: printable ASCII with single spaces, nothing that looks like an encoded-word. */
const AS_IT_IS = /^(?!.*=\?)[!-~]+(?: [!-~]+)*$/;
const STRING_OR_REST = /"(?:[^"\\]+|\\.)*"|[^"]+/g;

/**
 * The words of a header whose value is a JSON object or list, such as X-SMTPAPI: programs read it, and they know no
 * encoded-words. Where it could not stand as it is, it is escaped and can be folded where JSON allows white space.
 *
 * @returns null when the value is no JSON object or list.
 */
export function jsonWords(value: string): readonly string[] | null {
  if (!/^\s*[[{]/.test(value) || !isJson(value)) return null;
  if (AS_IT_IS.test(value)) {
    const words = value.split(' ');
    if (words.every(({ length }) => length <= MAX_WORD)) return words;
  }
  return asciiJson(value).split(' ');
}

/** JSON that no reader of headers changes: ASCII, with a space where it may be folded and nowhere else but in strings. */
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
