import { decodeCharset } from './decode-charset.ts';
import { decodeWords } from './decode-words.ts';

/** A structured header value: what stands first, and its parameters. */
export interface ParameterizedValue {
  readonly value: string;
  /** Decoded (RFC 2231, and encoded-words, which RFC 2047 forbids here and everybody sends); names in lower case; the first of a name wins. */
  readonly parameters: Readonly<Record<string, string>>;
}

const PARAMETER = /;\s*([^\s=;"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;]*))/gs;

/** Reads a value such as that of Content-Type or Content-Disposition (RFC 2045, section 5.1; RFC 2183). */
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

/** What follows white space and a parenthesis is a comment; `Invoice(1).pdf` is a name. */
function withoutComment(text: string): string {
  const comment = text.search(/\s\(/);
  return (comment === -1 ? text : text.slice(0, comment)).trim();
}

function combine(raw: ReadonlyMap<string, string>): Record<string, string> {
  const parameters: Record<string, string> = Object.create(null);
  const extended = new Map<string, { index: number; isEncoded: boolean; text: string }[]>();
  for (const [key, text] of raw) {
    const match = /^([^*]+)\*(?:(\d{1,4})(\*)?)?$/.exec(key);
    if (match === null) parameters[key] = decodeWords(text);
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

/** RFC 2231, sections 3 and 4: the charset stands in front of the first piece. */
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
