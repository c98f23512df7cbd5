/**
 * A text that was sent as format=flowed, a line for each paragraph (RFC 3676, sections 4.2 to 4.5).
 *
 * @param text lines end with a line feed
 * @param isSpaceAdded whether the space before each soft line break was added on the way (`DelSp=yes`)
 */
export function unflow(text: string, isSpaceAdded: boolean): string {
  let whole = '';
  /** How often the paragraph that goes on is quoted; null when none does. */
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
