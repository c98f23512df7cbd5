/** A character that no line of a mail may hold: line breaks, NUL and the other ASCII control characters except the tab. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it matches control characters
export const LINE_CONTROL: RegExp = /[\x00-\x08\x0a-\x1f\x7f]/;

/** The text as a line of a mail, tabs replaced by spaces; null when it holds a character that no line may hold. */
export function readLine(text: string): string | null {
  if (LINE_CONTROL.test(text)) return null;
  return text.includes('\t') ? text.replaceAll('\t', ' ') : text;
}
