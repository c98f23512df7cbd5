import { decodeWords } from './decode-words.ts';

/** One header field, its value unfolded but not decoded. */
export interface HeaderField {
  /** As written. */
  readonly name: string;
  readonly value: string;
}

/** A header section. */
interface HeaderSection {
  readonly fields: readonly HeaderField[];
  /** Offset after the empty line. */
  readonly end: number;
  /** Whether it was over the limit; the rest then counts as content. */
  readonly isCut: boolean;
}

const LF = 0x0a;
const CR = 0x0d;

/** Reads the fields from `from` to the empty line (RFC 5322, section 2.2); a bare LF is a line end too. */
export function readHeaders(bytes: Buffer, from: number, to: number, limit: number): HeaderSection {
  const section = bytes.subarray(from, Math.min(to, from + limit));
  for (let at = 0; ; ) {
    const emptyLine = section[at] === LF ? 1 : section[at] === CR && section[at + 1] === LF ? 2 : 0;
    if (emptyLine > 0) {
      return { fields: parseFields(decodeRaw(section.subarray(0, at))), end: from + at + emptyLine, isCut: false };
    }
    const lineFeed = section.indexOf(LF, at);
    if (lineFeed === -1) {
      const end = from + section.length;
      return { fields: parseFields(decodeRaw(section)), end, isCut: end < to };
    }
    at = lineFeed + 1;
  }
}

/** The value of the first field with that lower-case name, or null. */
export function headerValue(fields: readonly HeaderField[], name: string): string | null {
  return fields.find((field) => field.name.toLowerCase() === name)?.value ?? null;
}

/** The value of the first field with that lower-case name, encoded-words decoded, or null. */
export function headerText(fields: readonly HeaderField[], name: string): string | null {
  const value = headerValue(fields, name);
  return value === null ? null : decodeWords(value);
}

function parseFields(text: string): HeaderField[] {
  const fields: { name: string; lines: string[] }[] = [];
  for (const line of text.split(/\r?\n/)) {
    const last = fields.at(-1);
    if ((line.startsWith(' ') || line.startsWith('\t')) && last !== undefined) last.lines.push(line);
    else {
      const colon = line.indexOf(':');
      if (colon > 0) fields.push({ name: line.slice(0, colon).trimEnd(), lines: [line.slice(colon + 1)] });
    }
  }
  return fields.map(({ name, lines }) => ({ name, value: lines.join('').trim() }));
}

/** Header sections should be ASCII, are UTF-8 with SMTPUTF8 (RFC 6532), and Latin-1 in old or malformed mail. */
function decodeRaw(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  return text.includes('\ufffd') ? bytes.toString('latin1') : text;
}
