import { encodeWords } from './encoded-word.ts';

/** Values that every reader takes verbatim from double quotes; others are sent as extended parameters. */
const SIMPLE = /^(?!.*=\?)(?!.* {2})[\w!#$&'()*+,./:;<=>?@[\]^`{|}~-][\w !#$&'()*+,./:;<=>?@[\]^`{|}~-]*$/;
const LOOKS_ENCODED = /=\?[^?]*\?[BQ]\?[^?]*\?=/i;
/** Values without quotes; apostrophe, asterisk and percent sign need them, since some readers see RFC 2231 everywhere. */
const TOKEN = /^[\w!#$&+.^`{|}~-]+$/;
/** Bytes after the last encoded-word of a parameter: `";`. */
const QUOTE_SEMICOLON = 2;
const MAX_SIMPLE = 60;
/** The longest piece of an extended parameter, which keeps its line below 78. */
const MAX_PIECE = 55;

/** Writes a parameter whose value is ASCII and known to be safe, quoted if need be (RFC 2045, section 5.1). */
export function simpleParameter(name: string, value: string): string {
  return TOKEN.test(value) ? `${name}=${value}` : `${name}="${value.replace(/["\\]/g, '\\$&')}"`;
}

/**
 * Writes the `filename` of a Content-Disposition, in pieces to fold between: verbatim if simple, else the exact name (RFC
 * 2231, section 4), continued if long, and an ASCII likeness. The exact one first: some readers take the first they understand.
 */
export function filenameParameter(filename: string): readonly string[] {
  if (filename.length <= MAX_SIMPLE && SIMPLE.test(filename) && !filename.endsWith(' ')) {
    return [simpleParameter('filename', filename)];
  }
  // Readers decode encoded-words here too, after all else, so what looks like one is written as one.
  if (LOOKS_ENCODED.test(filename)) return [`filename="${encodeWords(filename, 11, QUOTE_SEMICOLON)}"`];
  return [...extendedParameter('filename', filename), simpleParameter('filename', asciiLikeness(filename))];
}

/** Writes the `name` of a Content-Type, for readers that know neither `filename` nor RFC 2231: encoded-words in quotes. */
export function nameParameter(filename: string): readonly string[] {
  if (filename.length <= MAX_SIMPLE && SIMPLE.test(filename) && !filename.endsWith(' ')) {
    return [simpleParameter('name', filename)];
  }
  return [`name="${encodeWords(filename, 7, QUOTE_SEMICOLON)}"`]; // on a line of its own
}

function extendedParameter(name: string, value: string): string[] {
  const pieces = [''];
  for (const char of value.replace(/\p{Cs}/gu, '\ufffd')) {
    const encoded = /[\w!#$&+.^`{|}~-]/.test(char) ? char : percentEncode(char);
    if ((pieces.at(-1) ?? '').length + encoded.length > MAX_PIECE) pieces.push('');
    pieces[pieces.length - 1] += encoded;
  }
  if (pieces.length === 1) return [`${name}*=UTF-8''${pieces[0]}`];
  return pieces.map((piece, index) => `${name}*${index}*=${index === 0 ? "UTF-8''" : ''}${piece}`);
}

function percentEncode(char: string): string {
  return encodeURIComponent(char).replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** The closest ASCII name: accents dropped, other characters as underscores, shortened before the extension. */
function asciiLikeness(filename: string): string {
  const ascii = filename
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^\w !#$&'()+,.@[\]^`{}~-]/gu, '_')
    .replace(/ {2,}/g, ' ')
    .trim();
  if (ascii.length <= MAX_SIMPLE) return ascii || '_';
  const extension = /\.\w{1,10}$/.exec(ascii)?.[0] ?? '';
  return ascii.slice(0, MAX_SIMPLE - extension.length) + extension;
}
