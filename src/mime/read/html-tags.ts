/** A start tag of an HTML document. */
export interface HtmlTag {
  /** Lower case. */
  readonly name: string;
  /** Values by lower-case name, character references resolved; of duplicates the first, as in browsers. */
  readonly attributes: ReadonlyMap<string, string>;
}

/** The position of a start tag in an HTML document. */
interface TagPlace {
  /** Lower case. */
  readonly name: string;
  /** Offset of its attributes. */
  readonly from: number;
  /** Offset of its `>`. */
  readonly to: number;
  /** Offset of the end of its raw text, such as a style sheet; `to` when markup follows, -1 when the raw text never ends. */
  readonly rawTo: number;
}

/** An attribute as written, the character references in its value unresolved. */
export interface WrittenAttribute {
  /** Lower case. */
  readonly name: string;
  readonly value: string;
  /** Offset of the value in the text that was read. */
  readonly from: number;
}

const ATTRIBUTE = /([^\s"'<>/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>][^\s>]*)))?/g;
const RAW_TEXT = new Set(['script', 'style', 'textarea', 'title', 'xmp', 'noembed', 'noframes']);
/** Characters of a tag that are read: a data: URI may be long, but its end is not needed. */
const MAX_TAG = 100_000;
/** Tags that are read: ten times what any honest mail has. */
const MAX_TAGS = 50_000;

/** Reads the first 50,000 start tags of an HTML document, skipping comments and scripts; linear time even if malformed. */
export function* htmlTags(html: string): Generator<HtmlTag> {
  let count = 0;
  for (const { name, from, to } of tagPlaces(html)) {
    const attributes = new Map<string, string>();
    for (const { name: key, value } of writtenAttributes(html.slice(from, Math.min(to, from + MAX_TAG))))
      attributes.set(key, resolveReferences(value));
    yield { name, attributes };
    count++;
    if (count === MAX_TAGS) return;
  }
}

/** Finds the start tags of an HTML document, skipping comments and scripts; linear time. */
export function* tagPlaces(html: string): Generator<TagPlace> {
  let at = html.indexOf('<');
  while (at !== -1) {
    if (html.startsWith('<!--', at)) {
      const end = html.indexOf('-->', at + 4);
      if (end === -1) return;
      at = html.indexOf('<', end + 3);
      continue;
    }
    const name = isLetter(html.charCodeAt(at + 1))
      ? /^[a-z][^\s/>]*/i.exec(html.slice(at + 1, at + 40))?.[0].toLowerCase()
      : undefined;
    let next = at + 1;
    if (name !== undefined) {
      const from = at + 1 + name.length;
      const to = endOfTag(html, from);
      if (to === -1) return;
      const rawTo = RAW_TEXT.has(name) ? endOfRawText(html, name, to + 1) : to;
      yield { name, from, to, rawTo };
      if (rawTo === -1) return;
      next = rawTo === to ? to + 1 : rawTo;
    }
    at = html.indexOf('<', next);
  }
}

/** Reads the attributes of a tag; of duplicates the first. */
export function* writtenAttributes(text: string): Generator<WrittenAttribute> {
  const seen = new Set<string>();
  for (const { 0: all, 1: name = '', 2: double, 3: single, 4: plain, index } of text.matchAll(ATTRIBUTE)) {
    const key = name.toLowerCase();
    if (seen.has(key)) continue;
    seen.add(key);
    const value = double ?? single ?? plain ?? '';
    const quote = double === undefined && single === undefined ? 0 : 1;
    yield { name: key, value, from: index + all.length - quote - value.length };
  }
}

/** Offset of the `>` that ends a tag, the first outside quoted attribute values. */
function endOfTag(html: string, start: number): number {
  let before = 0;
  for (let at = start; at < html.length; at++) {
    const code = html.charCodeAt(at);
    if ((code === DOUBLE || code === SINGLE) && before === EQUALS) {
      at = html.indexOf(code === DOUBLE ? '"' : "'", at + 1); // skips a data: URI of megabytes at once
      if (at === -1) return -1;
    } else if (code === GREATER) return at;
    if (!isSpace(code)) before = code;
  }
  return -1;
}

const DOUBLE = 0x22;
const SINGLE = 0x27;
const EQUALS = 0x3d;
const GREATER = 0x3e;

/** Whether it separates attributes (WHATWG HTML, section 13.2.5.32). */
function isSpace(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}

function isLetter(code: number): boolean {
  return (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a;
}

function endOfRawText(html: string, name: string, from: number): number {
  const pattern = new RegExp(`</${name}[\\s/>]`, 'gi');
  pattern.lastIndex = from;
  return pattern.exec(html)?.index ?? -1;
}

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0' };

/** Resolves the character references that matter in attribute values. */
export function resolveReferences(value: string): string {
  if (!value.includes('&')) return value;
  return value.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(amp|lt|gt|quot|apos|nbsp));/gi, (all, decimal, hex, name) => {
    if (name !== undefined) return NAMED[String(name).toLowerCase()] ?? all;
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : all;
  });
}
