/** The shortest run of a mail's text in a reply that counts as quoted. */
export const MIN_QUOTE = 16;
/** Any run that long holds a whole block of the line: only blocks that the mail has are looked at further. */
const BLOCK = MIN_QUOTE / 2;

/** The longest runs of 16 or more characters in a line of a server's reply that stand in one of the texts of a mail. */
export function quotedRuns(line: string, texts: readonly string[]): readonly string[] {
  if (line.length < MIN_QUOTE) return [];
  const quoted = new Uint8Array(line.length);
  for (const text of texts) {
    for (let block = 0; block + BLOCK <= line.length; block += BLOCK) {
      if (text.includes(line.slice(block, block + BLOCK))) markRuns(line, block, text, quoted);
    }
  }
  return collectRuns(line, quoted);
}

/** Marks the characters of all runs that begin at most half a run before the block, or with it. */
function markRuns(line: string, block: number, text: string, quoted: Uint8Array): void {
  const last = Math.min(block, line.length - MIN_QUOTE);
  for (let start = Math.max(0, block - BLOCK); start <= last; start++) {
    if (text.includes(line.slice(start, start + MIN_QUOTE))) quoted.fill(1, start, start + MIN_QUOTE);
  }
}

function collectRuns(line: string, quoted: Uint8Array): string[] {
  const runs: string[] = [];
  for (let start = quoted.indexOf(1); start >= 0; ) {
    const stop = quoted.indexOf(0, start);
    const end = stop < 0 ? line.length : stop;
    runs.push(line.slice(start, end));
    start = quoted.indexOf(1, end);
  }
  return runs;
}
