/** The shortest run of a mail's text in a reply that counts as quoted, in characters. */
export const MIN_QUOTE = 16;
/** Any run that long holds a whole block of the line: a short line without one that the text has needs no closer look. */
const BLOCK = MIN_QUOTE / 2;
/** Lines up to this length are looked at block by block first. */
const SHORT = 256;
/** The most runs of a line with the same hash that are told apart. */
const MAX_ALIKE = 8;

const FACTOR = 31;
/** What the first character of a run counts in its hash. */
const FIRST = /* @__PURE__ */ Array.from({ length: MIN_QUOTE - 1 }).reduce<number>(
  (power) => Math.imul(power, FACTOR),
  1,
);

/** A run of the line, and where it stands there. */
interface Run {
  readonly text: string;
  readonly places: number[];
}

/** Replaces runs of 16 or more characters of a line that stand in one of the texts by `[content]`, in linear time. */
export function withoutQuotes(line: string, texts: readonly string[]): string {
  if (line.length < MIN_QUOTE) return line;
  const suspects = line.length > SHORT ? texts : texts.filter((text) => hasBlock(line, text));
  if (suspects.length === 0) return line;
  const quoted = new Uint8Array(line.length);
  const runs = runsOf(line);
  for (const text of suspects) markQuotes(text, runs, quoted);
  return replaceMarked(line, quoted);
}

function hasBlock(line: string, text: string): boolean {
  for (let at = 0; at + BLOCK <= line.length; at += BLOCK) if (text.includes(line.slice(at, at + BLOCK))) return true;
  return false;
}

function runsOf(line: string): Map<number, Run[]> {
  const runs = new Map<number, Run[]>();
  eachRun(line, (hash, at) => {
    const text = line.slice(at, at + MIN_QUOTE);
    const alike = runs.get(hash);
    const known = alike?.find((run) => run.text === text);
    if (known) known.places.push(at);
    else if (!alike) runs.set(hash, [{ text, places: [at] }]);
    else if (alike.length < MAX_ALIKE) alike.push({ text, places: [at] });
  });
  return runs;
}

/** Marks in the line what the text has of it; a run that was found is not looked for again. */
function markQuotes(text: string, runs: Map<number, Run[]>, quoted: Uint8Array): void {
  eachRun(text, (hash, at) => {
    const alike = runs.get(hash);
    if (!alike) return;
    const found = alike.findIndex((run) => text.startsWith(run.text, at));
    if (found < 0) return;
    for (const place of alike[found]?.places ?? []) quoted.fill(1, place, place + MIN_QUOTE);
    alike.splice(found, 1);
    if (alike.length === 0) runs.delete(hash);
  });
}

/** Calls back for every run of the text, with its rolling hash and where it begins. */
function eachRun(text: string, use: (hash: number, at: number) => void): void {
  let hash = 0;
  for (let end = 0; end < text.length; end++) {
    if (end >= MIN_QUOTE) hash = (hash - Math.imul(text.charCodeAt(end - MIN_QUOTE), FIRST)) | 0;
    hash = (Math.imul(hash, FACTOR) + text.charCodeAt(end)) | 0;
    if (end >= MIN_QUOTE - 1) use(hash, end - MIN_QUOTE + 1);
  }
}

function replaceMarked(line: string, quoted: Uint8Array): string {
  let shown = '';
  for (let start = 0; start < line.length; ) {
    const isQuoted = quoted[start] === 1;
    const next = quoted.indexOf(isQuoted ? 0 : 1, start);
    const end = next < 0 ? line.length : next;
    shown += isQuoted ? '[content]' : line.slice(start, end);
    start = end;
  }
  return shown;
}
