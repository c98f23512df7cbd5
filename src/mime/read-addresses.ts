import { type AddressInput, formatAddress, isGroup, parseAddress, parseMailbox } from '../address.ts';
import { decodeWords } from './decode-words.ts';

/** An address as a received header has it, right or wrong. */
export interface ReadAddress {
  /** Decoded; '' when there is none. */
  readonly name: string;
  readonly address: string;
}

const MAX_ADDRESSES = 1000;
/** Characters of a header that are read for display: those of a thousand addresses with their names. */
const MAX_SHOWN = 100_000;

/**
 * Reads an address header for display, taking what can be read; groups are opened. Of a header over 100,000 characters or
 * a thousand addresses the beginning is read.
 *
 * Addresses that are used for sending are read by {@link readAddressInputs}, which repairs nothing.
 */
export function readAddresses(header: string): readonly ReadAddress[] {
  const entries = splitList(header.slice(0, MAX_SHOWN));
  if (header.length > MAX_SHOWN) entries.pop(); // which may be cut, and so another address
  return entries.flatMap((text) => {
    const open = text.lastIndexOf('<');
    const close = text.indexOf('>', open);
    const bracketed = open !== -1 && close !== -1;
    const address = (bracketed ? text.slice(open + 1, close) : text).trim();
    const name = bracketed ? decodeWords(unquote(text.slice(0, open).trim())) : '';
    return address === '' ? [] : [{ name, address }];
  });
}

/** An address as the name of itself, which should be in quotes and often is not. */
const SAME_TWICE = /^(\S+) +<\1>$/;

/**
 * Reads an address header for sending: what a message takes as addresses, names decoded, groups whole (those without
 * members left out). An entry that `parseAddress` refuses stays as it is, for the message to refuse it.
 *
 * The one thing that is left out of an entry is a comment at its end, which can change no address (RFC 5322, section 3.4).
 */
export function readAddressInputs(header: string): readonly AddressInput[] {
  return splitEntries(header.replace(/[\t\r\n]/g, ' ')).flatMap((entry): readonly AddressInput[] => {
    try {
      const parsed = parseAddress(entry.replace(SAME_TWICE, '<$1>'));
      if (!isGroup(parsed)) return [{ name: readName(parsed), address: parsed.address }];
      const members = parsed.members.map((member) => parseMailbox({ name: readName(member), address: member.address }));
      return members.length === 0 ? [] : [formatAddress({ name: readName(parsed), members })];
    } catch {
      return [entry];
    }
  });
}

/** Only what stands for a person to read is decoded: an encoded-word is never an address (RFC 2047, section 5 (3)). */
function readName({ name }: { readonly name: string }): string {
  return decodeWords(name).replace(/\p{Cc}+/gu, ' ');
}

const ASCII_SPACE = ' \t\r\n';

/** Not trim(): white space beyond ASCII is part of a local part (RFC 6531, section 3.3), without which it is another mailbox. */
function withoutOuterSpaces(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && ASCII_SPACE.includes(text.charAt(from))) from++;
  while (to > from && ASCII_SPACE.includes(text.charAt(to - 1))) to--;
  return text.slice(from, to);
}

/** The entries between the commas that are in no group. */
function splitEntries(header: string): string[] {
  const entries: string[] = [];
  let entry = '';
  let comment = ''; // which is at the end until more than white space follows
  let isInGroup = false;
  const end = () => {
    const text = withoutOuterSpaces(entry);
    if (text !== '') entries.push(text);
    entry = '';
    comment = '';
  };
  for (const token of tokensOf(header)) {
    if (token === ',' && !isInGroup) end();
    else if (token.trim() === '' || (token.startsWith('(') && endOfComment(token, 0) > 0)) comment += token;
    else {
      if (token === ':') isInGroup = true;
      if (token === ';') isInGroup = false;
      entry += comment + token;
      comment = '';
    }
  }
  end();
  return entries;
}

/** The addresses between commas and semicolons, without the names of groups and without comments. */
function splitList(header: string): string[] {
  const entries: string[] = [];
  let entry = '';
  let hasAddress = false; // where a colon does not end the name of a group
  for (const token of tokensOf(header)) {
    if (entries.length >= MAX_ADDRESSES) break;
    if (token.startsWith('(')) continue;
    if (token === ',' || token === ';') {
      entries.push(entry);
      entry = '';
      hasAddress = false;
    } else if (token === ':' && !hasAddress) entry = '';
    else {
      entry += token;
      hasAddress ||= !token.startsWith('"') && /[<@]/.test(token);
    }
  }
  return [...entries, entry];
}

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"?|\[[^\]]*\]?|[,:;]|[^",:;([]+/sy;

/** Quoted strings, address literals, comments (one that is not closed goes to the end), separators, and what is between. */
function* tokensOf(header: string): Generator<string, void, undefined> {
  for (let at = 0; at < header.length; ) {
    TOKEN.lastIndex = at;
    const token =
      header[at] === '(' ? header.slice(at, endOfComment(header, at) || header.length) : TOKEN.exec(header)?.[0];
    yield token ?? '';
    at += token?.length ?? 1;
  }
}

/** Where the comment ends that begins at `from` (RFC 5322, section 3.2.2), or 0 when it is not closed. */
function endOfComment(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const char = text[at];
    if (char === '\\') at++;
    else if (char === '(') depth++;
    else if (char === ')' && --depth === 0) return at + 1;
  }
  return 0;
}

function unquote(text: string): string {
  return text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1).replace(/\\(.)/gs, '$1') : text;
}
