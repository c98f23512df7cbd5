/** The longest line that servers must take (RFC 5322, section 2.1.1). */
export const MAX_LINE = 998;
export const EIGHT_BIT: RegExp = /[^\0-\x7f]/;

/** Whether CRLF lines in Latin-1 can be sent as they are: no NUL, none over 998, ASCII unless `allow8bit`. */
export function isFit(text: string, allow8bit: boolean): boolean {
  return !text.includes('\0') && longestLine(text) <= MAX_LINE && (allow8bit || !EIGHT_BIT.test(text));
}

/** The length of the longest line, in characters. */
export function longestLine(text: string): number {
  let longest = 0;
  for (let from = 0; from < text.length; ) {
    const end = text.indexOf('\r\n', from);
    longest = Math.max(longest, (end < 0 ? text.length : end) - from);
    if (end < 0) break;
    from = end + 2;
  }
  return longest;
}
