/** A start tag of an HTML document. */
export interface HtmlTag {
  /** Lower case. */
  readonly name: string;
  /** Names in lower case; values with their character references resolved; of a doubled one the first, as in a browser. */
  readonly attributes: ReadonlyMap<string, string>;
}

const ATTRIBUTE = /([^\s"'<>/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+)))?/g;
const RAW_TEXT = new Set(['script', 'style', 'textarea', 'title', 'xmp', 'noembed', 'noframes']);
/** The longest tag that is looked at: a data: URI may be long, but its end is not needed. */
const MAX_TAG = 100_000;
/** Tags that are looked at; no honest mail has a tenth of it. */
const MAX_TAGS = 50_000;

/** The first 50,000 start tags of an HTML document, comments and scripts left out; in linear time, however broken it is. */
export function* htmlTags(html: string): Generator<HtmlTag> {
  let count = 0;
  let at = html.indexOf('<');
  while (at !== -1 && count < MAX_TAGS) {
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
      count += 1;
      const end = endOfTag(html, at + 1 + name.length);
      if (end === -1) return;
      yield { name, attributes: readAttributes(html.slice(at + 1 + name.length, Math.min(end, at + MAX_TAG))) };
      next = RAW_TEXT.has(name) ? endOfRawText(html, name, end + 1) : end + 1;
      if (next === -1) return;
    }
    at = html.indexOf('<', next);
  }
}

/** The `>` that ends a tag: the first that is not in a quoted attribute value. */
function endOfTag(html: string, start: number): number {
  let quote = '';
  let before = '';
  for (let at = start; at < html.length; at += 1) {
    const char = html[at] ?? '';
    if (quote !== '') {
      if (char === quote) quote = '';
    } else if ((char === '"' || char === "'") && before === '=') quote = char;
    else if (char === '>') return at;
    if (char.trim() !== '') before = char;
  }
  return -1;
}

function isLetter(code: number): boolean {
  return (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a;
}

function endOfRawText(html: string, name: string, from: number): number {
  const pattern = new RegExp(`</${name}[\\s/>]`, 'gi');
  pattern.lastIndex = from;
  return pattern.exec(html)?.index ?? -1;
}

function readAttributes(text: string): ReadonlyMap<string, string> {
  const attributes = new Map<string, string>();
  for (const [, name = '', double, single, plain] of text.matchAll(ATTRIBUTE)) {
    const key = name.toLowerCase();
    if (!attributes.has(key)) attributes.set(key, decodeReferences(double ?? single ?? plain ?? ''));
  }
  return attributes;
}

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0' };

/** Resolves the character references that matter in attribute values. */
function decodeReferences(value: string): string {
  if (!value.includes('&')) return value;
  return value.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(amp|lt|gt|quot|apos|nbsp));/gi, (all, decimal, hex, name) => {
    if (name !== undefined) return NAMED[String(name).toLowerCase()] ?? all;
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : all;
  });
}
