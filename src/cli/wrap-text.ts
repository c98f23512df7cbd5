/** What a text that is read as prose is wrapped to where the terminal has no width, as in a pipe. */
export const DEFAULT_WIDTH = 80;

/** Breaks a paragraph into lines of at most `width` characters, between words; a word that is longer stays whole. */
export function wrapText(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** Wraps a text of several paragraphs, with an empty line between each. */
export function wrapParagraphs(text: string, width: number): string {
  return text
    .split('\n\n')
    .map((paragraph) => wrapText(paragraph, width).join('\n'))
    .join('\n\n');
}
