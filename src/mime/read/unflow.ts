/**
 * Joins the lines of each paragraph of a format=flowed text (RFC 3676, sections 4.2 to 4.5).
 *
 * @param text The text, with LF line ends.
 * @param isSpaceAdded Whether the encoder added the space before each soft line break (`DelSp=yes`).
 */
export function unflow(text: string, isSpaceAdded: boolean): string {
  let whole = '';
  /** The quote depth of the unfinished paragraph, or null. */
  let openDepth: number | null = null;
  for (const [index, line] of text.split('\n').entries()) {
    const depth = /^>*/.exec(line)?.[0].length ?? 0;
    const content = line.slice(line[depth] === ' ' ? depth + 1 : depth);
    const isSignature = content === '-- ';
    if (index > 0 && (openDepth !== depth || isSignature)) whole += '\n';
    if (openDepth !== depth || isSignature) whole += '>'.repeat(depth) + (depth > 0 && content !== '' ? ' ' : '');
    const isSoft = content.endsWith(' ') && !isSignature;
    whole += isSoft && isSpaceAdded ? content.slice(0, -1) : content;
    openDepth = isSoft ? depth : null;
  }
  return whole;
}
