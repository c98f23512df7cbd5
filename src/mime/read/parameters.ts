import { decodeCharset, decodeWords } from './decode-words.ts';

/** A header value with parameters. */
interface ParameterizedValue {
  readonly value: string;
  /** By lower-case name, of duplicates the first; decoded by RFC 2231, and encoded-words too, which RFC 2047 forbids here. */
  readonly parameters: Readonly<Record<string, string>>;
}

const PARAMETER = /;\s*([^\s=;"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;]*))/gs;

/** Reads the value of a header such as Content-Type or Content-Disposition (RFC 2045, section 5.1; RFC 2183). */
export function readParameters(header: string): ParameterizedValue {
  const semicolon = header.indexOf(';');
  const value = (semicolon === -1 ? header : header.slice(0, semicolon)).replace(/\([^()]*\)/g, '').trim();
  const raw = new Map<string, string>();
  if (semicolon !== -1) {
    for (const [, name = '', quoted, plain = ''] of header.slice(semicolon).matchAll(PARAMETER)) {
      const key = name.toLowerCase();
      if (!raw.has(key)) raw.set(key, quoted === undefined ? withoutComment(plain) : quoted.replace(/\\(.)/gs, '$1'));
    }
  }
  return { value, parameters: combine(raw) };
}

/** White space and a parenthesis begin a comment; `Invoice(1).pdf` is a name. */
function withoutComment(text: string): string {
  const comment = text.search(/\s\(/);
  return (comment === -1 ? text : text.slice(0, comment)).trim();
}

function combine(raw: ReadonlyMap<string, string>): Record<string, string> {
  const parameters: Record<string, string> = Object.create(null);
  const extended = new Map<string, { index: number; isEncoded: boolean; text: string }[]>();
  for (const [key, text] of raw) {
    const match = /^([^*]+)\*(?:(\d{1,4})(\*)?)?$/.exec(key);
    // A boundary may look like an encoded-word, and is searched for as it is.
    if (match === null) parameters[key] = key === 'boundary' ? text : decodeWords(text);
    else {
      const [, name = '', index, star] = match;
      const pieces = extended.get(name) ?? [];
      pieces.push({ index: Number(index ?? 0), isEncoded: index === undefined || star === '*', text });
      extended.set(name, pieces);
    }
  }
  for (const [name, pieces] of extended) {
    pieces.sort((a, b) => a.index - b.index);
    parameters[name] = decodePieces(pieces);
  }
  return parameters;
}

/** Joins the pieces of a parameter (RFC 2231, sections 3 and 4); the first begins with the charset. */
function decodePieces(pieces: readonly { readonly isEncoded: boolean; readonly text: string }[]): string {
  let charset = 'utf-8';
  const chunks = pieces.map(({ isEncoded, text }, index) => {
    if (!isEncoded) return Buffer.from(text, 'utf8');
    const prefix = index === 0 ? /^([^']*)'[^']*'/.exec(text) : null;
    if (prefix !== null) charset = prefix[1] || charset;
    const encoded = text.slice(prefix?.[0].length ?? 0);
    const plain = encoded.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
    return Buffer.from(plain, 'latin1');
  });
  return decodeCharset(Buffer.concat(chunks), charset);
}
