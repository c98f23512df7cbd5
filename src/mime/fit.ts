const MAX_LINE = 998; // RFC 5322, section 2.1.1
const EIGHT_BIT = /[^\0-\x7f]/;

/** Whether lines in Latin-1, ended by CRLF, can travel as they are: no NUL, none over 998, ASCII unless `allow8bit`. */
export function isFit(text: string, allow8bit: boolean): boolean {
  return !text.includes('\0') && longestLine(text) <= MAX_LINE && (allow8bit || !EIGHT_BIT.test(text));
}

/** The length of the longest line, in octets. */
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
