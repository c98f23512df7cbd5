/** What no line of a mail may hold: line breaks, NUL and the other control characters of ASCII but for the tab. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
export const LINE_CONTROL: RegExp = /[\x00-\x08\x0a-\x1f\x7f]/;

/** The text as a line of a mail has it, each tab a blank; null when it holds what no line may. */
export function readLine(text: string): string | null {
  if (LINE_CONTROL.test(text)) return null;
  return text.includes('\t') ? text.replaceAll('\t', ' ') : text;
}
