import { resolveReferences, tagPlaces, type WrittenAttribute, writtenAttributes } from './html-tags.ts';

/** A place where an HTML document names an image. */
export interface ImageReference {
  /** Where the address begins and ends in the document, without quotes and white space. */
  readonly from: number;
  readonly to: number;
  /** The address, character references resolved. */
  readonly url: string;
}

type Range = readonly [from: number, to: number];

/** The tags whose attribute names an image; null: all. */
const WHOLE: ReadonlyMap<string, readonly string[] | null> = new Map([
  ['src', ['img', 'input']],
  ['poster', ['video']],
  ['background', null],
]);

/**
 * The images that an HTML document names, in order: `<img src>` and `srcset`, `background`, and `url(...)` in styles.
 *
 * Comments, scripts, links and text name none. In linear time, however broken the document is.
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
  while (from + count < to && text.charCodeAt(from + count) <= 0x20) count += 1;
  return count;
}

function rangesOf(tag: string, { name, value }: WrittenAttribute): Iterable<Range> {
  if (name === 'style') return cssRanges(value);
  if (name === 'srcset' && (tag === 'img' || tag === 'source')) return srcsetRanges(value);
  const tags = WHOLE.get(name);
  return tags === null || tags?.includes(tag) ? [[0, value.length]] : [];
}

/** The addresses of image candidates (WHATWG HTML, section 4.8.4.2.1): white space ends one, as a data: URI has commas. */
function* srcsetRanges(text: string): Generator<Range> {
  const candidate = /[\s,]*([^\s,]\S*)/y;
  for (let found = candidate.exec(text); found !== null; found = candidate.exec(text)) {
    const [, url = ''] = found;
    const from = candidate.lastIndex - url.length;
    let to = candidate.lastIndex;
    while (text[to - 1] === ',') to -= 1;
    yield [from, to];
    if (to < candidate.lastIndex) continue; // the comma ended it
    const comma = text.indexOf(',', to); // behind a descriptor such as `2x`
    if (comma === -1) return;
    candidate.lastIndex = comma;
  }
}

const QUOTE = /["']|&(?:quot|apos|#34|#39|#x22|#x27);/.source; // in an attribute it may be a character reference
const CSS_TOKEN = /* @__PURE__ */ (() => new RegExp(String.raw`\/\*|url\(\s*(${QUOTE})?|${QUOTE}`, 'gi'))();

/** What stands in `url(...)` (CSS Syntax, section 4.3.6), outside of comments and strings. */
function* cssRanges(text: string): Generator<Range> {
  const token = /* @__PURE__ */ (() => new RegExp(CSS_TOKEN))(); // with a place of its own
  for (let found = token.exec(text); found !== null; found = token.exec(text)) {
    const [begin, quote] = found;
    const from = token.lastIndex;
    const isUrl = /^u/i.test(begin);
    const ending = begin === '/*' ? '*/' : isUrl ? (quote ?? ')') : begin;
    const to = text.indexOf(ending, from);
    const lineEnd = isUrl || begin === '/*' ? -1 : lineEndWithin(text, from, to); // ends a string that is not closed
    if (lineEnd !== -1) {
      token.lastIndex = lineEnd;
      continue;
    }
    if (to === -1) return;
    if (isUrl) yield [from, to];
    token.lastIndex = to + ending.length;
  }
}

/** @param to -1 for the end of the text; beyond it nothing is looked at, as every string would look at all the text otherwise */
function lineEndWithin(text: string, from: number, to: number): number {
  if (to === -1) return text.indexOf('\n', from);
  const at = text.slice(from, to).indexOf('\n');
  return at === -1 ? -1 : from + at;
}
