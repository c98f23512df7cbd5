import { resolveReferences, tagPlaces, type WrittenAttribute, writtenAttributes } from '../read/html-tags.ts';

/** A reference to an image in an HTML document. */
interface ImageReference {
  /** Offsets of the URL in the document, without quotes and white space. */
  readonly from: number;
  readonly to: number;
  /** The URL, character references resolved. */
  readonly url: string;
}

type Range = readonly [from: number, to: number];

/** The tags on which each attribute is the URL of an image; null: any tag. */
const WHOLE: ReadonlyMap<string, readonly string[] | null> = new Map([
  ['src', ['img', 'input']],
  ['poster', ['video']],
  ['background', null],
]);

/**
 * Finds the image references of an HTML document, in order: `<img src>` and `srcset`, `background`, and `url(...)` in styles,
 * not in comments, scripts, links and text. Linear time even if the document is malformed.
 */
export function* imageReferences(html: string): Generator<ImageReference> {
  for (const { name, from, to, rawTo } of tagPlaces(html)) {
    for (const attribute of writtenAttributes(html.slice(from, to)))
      yield* referencesAt(attribute.value, rangesOf(name, attribute), from + attribute.from, resolveReferences);
    if (name !== 'style' || rawTo === -1) continue;
    const css = html.slice(to + 1, rawTo);
    yield* referencesAt(css, cssRanges(css), to + 1, (url) => url);
  }
}

function* referencesAt(
  text: string,
  ranges: Iterable<Range>,
  offset: number,
  read: (written: string) => string,
): Generator<ImageReference> {
  for (const [from, to] of ranges) {
    const start = from + countSpaces(text, from, to);
    const written = text.slice(start, to).trimEnd();
    if (written !== '') yield { from: offset + start, to: offset + start + written.length, url: read(written) };
  }
}

function countSpaces(text: string, from: number, to: number): number {
  let count = 0;
  while (from + count < to && text.charCodeAt(from + count) <= 0x20) count++;
  return count;
}

function rangesOf(tag: string, { name, value }: WrittenAttribute): Iterable<Range> {
  if (name === 'style') return cssRanges(value);
  if (name === 'srcset' && (tag === 'img' || tag === 'source')) return srcsetRanges(value);
  const tags = WHOLE.get(name);
  return tags === null || tags?.includes(tag) ? [[0, value.length]] : [];
}

/** The URLs of image candidates (WHATWG HTML, section 4.8.4.2.1), ended by white space, since a data: URI contains commas. */
function* srcsetRanges(text: string): Generator<Range> {
  const candidate = /[\s,]*([^\s,]\S*)/y;
  for (let found = candidate.exec(text); found !== null; found = candidate.exec(text)) {
    const [, url = ''] = found;
    const from = candidate.lastIndex - url.length;
    let to = candidate.lastIndex;
    while (text[to - 1] === ',') to -= 1;
    yield [from, to];
    if (to < candidate.lastIndex) continue; // the comma ended it
    const comma = text.indexOf(',', to); // after a descriptor such as `2x`
    if (comma === -1) return;
    candidate.lastIndex = comma;
  }
}

const QUOTE = /["']|&(?:quot|apos|#34|#39|#x22|#x27);/.source; // character references occur in attributes
const CSS_TOKEN = /* @__PURE__ */ (() => new RegExp(String.raw`\/\*|url\(\s*(${QUOTE})?|${QUOTE}`, 'gi'))();

/** The contents of `url(...)` (CSS Syntax, section 4.3.6) outside comments and strings. */
function* cssRanges(text: string): Generator<Range> {
  const token = new RegExp(CSS_TOKEN); // a copy with its own lastIndex
  for (let found = token.exec(text); found !== null; found = token.exec(text)) {
    const [begin, quote] = found;
    const from = token.lastIndex;
    const isUrl = /^u/i.test(begin);
    const ending = begin === '/*' ? '*/' : isUrl ? (quote ?? ')') : begin;
    const to = text.indexOf(ending, from);
    const lineEnd = isUrl || begin === '/*' ? -1 : lineEndWithin(text, from, to); // ends an unclosed string
    if (lineEnd !== -1) {
      token.lastIndex = lineEnd;
      continue;
    }
    if (to === -1) return;
    if (isUrl) yield [from, to];
    token.lastIndex = to + ending.length;
  }
}

/** @param to Where to stop, so that not every string searches the whole text; -1: at the end of the text. */
function lineEndWithin(text: string, from: number, to: number): number {
  if (to === -1) return text.indexOf('\n', from);
  const at = text.slice(from, to).indexOf('\n');
  return at === -1 ? -1 : from + at;
}
