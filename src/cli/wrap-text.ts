/** The width of prose where there is no terminal, as in a pipe. */
export const DEFAULT_WIDTH = 80;

/** Breaks a paragraph between words into lines of at most `width` characters; a longer word stays whole. */
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

/** Wraps paragraphs separated by empty lines. */
export function wrapParagraphs(text: string, width: number): string {
  return text
    .split('\n\n')
    .map((paragraph) => wrapText(paragraph, width).join('\n'))
    .join('\n\n');
}
