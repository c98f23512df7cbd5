import { decodeWords } from './decode-words.ts';

/** An address as a received header has it, right or wrong. */
export interface ReadAddress {
  /** Decoded; '' when there is none. */
  readonly name: string;
  readonly address: string;
}

const MAX_ADDRESSES = 1000;

/**
 * Reads an address header for display, taking what can be read; groups are opened.
 *
 * Addresses that are used for sending go through `parseAddress`, which repairs nothing.
 */
export function readAddresses(header: string): readonly ReadAddress[] {
  return splitList(header).flatMap((text) => {
    const open = text.lastIndexOf('<');
    const close = text.indexOf('>', open);
    const bracketed = open !== -1 && close !== -1;
    const address = (bracketed ? text.slice(open + 1, close) : text).trim();
    const name = bracketed ? decodeWords(unquote(text.slice(0, open).trim())) : '';
    return address === '' ? [] : [{ name, address }];
  });
}

/** The entries between commas and the names of groups, quoted strings and comments minded. */
function splitList(header: string): string[] {
  const entries: string[] = [];
  let entry = '';
  let isQuoted = false;
  let depth = 0;
  for (let at = 0; at < header.length && entries.length < MAX_ADDRESSES; at += 1) {
    const char = header[at] ?? '';
    if (char === '\\' && (isQuoted || depth > 0)) {
      if (depth === 0) entry += char + (header[at + 1] ?? '');
      at += 1;
    } else if (char === '"' && depth === 0) {
      isQuoted = !isQuoted;
      entry += char;
    } else if (isQuoted) entry += char;
    else if (char === '(') depth += 1;
    else if (char === ')' && depth > 0) depth -= 1;
    else if (depth > 0) continue;
    else if (char === ',' || char === ';') {
      entries.push(entry);
      entry = '';
    } else if (char === ':' && !entry.includes('<') && !entry.includes('@')) entry = '';
    else entry += char;
  }
  return [...entries, entry];
}

function unquote(text: string): string {
  return text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1).replace(/\\(.)/gs, '$1') : text;
}
