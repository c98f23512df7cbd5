import { type AddressInput, formatAddress, isGroup, parseAddress, parseMailbox } from '../../model/address.ts';
import { decodeWords } from './decode-words.ts';

/** An address of a received header, valid or not. */
export interface ReadAddress {
  /** Decoded; '' when there is none. */
  readonly name: string;
  readonly address: string;
}

const MAX_ADDRESSES = 1000;
/** Characters of a header that are read for display, enough for a thousand addresses with names. */
const MAX_SHOWN = 100_000;

/**
 * Reads an address header leniently for display: groups as their members, at most a thousand addresses from the first
 * 100,000 characters. For sending, use {@link readAddressInputs}, which repairs nothing.
 */
export function readAddresses(header: string): readonly ReadAddress[] {
  const entries = splitList(header.slice(0, MAX_SHOWN));
  if (header.length > MAX_SHOWN) entries.pop(); // it may be truncated, and so a different address
  return entries.flatMap((text) => {
    const open = text.lastIndexOf('<');
    const close = text.indexOf('>', open);
    const bracketed = open !== -1 && close !== -1;
    const address = (bracketed ? text.slice(open + 1, close) : text).trim();
    const name = bracketed ? decodeWords(unquote(text.slice(0, open).trim())) : '';
    return address === '' ? [] : [{ name, address }];
  });
}

/** An address as its own display name, which should be quoted and often is not. */
const SAME_TWICE = /^(\S+) +<\1>$/;

/**
 * Reads an address header for sending, as inputs of a message: names decoded, groups kept unless empty. An entry that
 * `parseAddress` refuses is returned as it is, for the message to refuse.
 *
 * Only a comment at the end of an entry is dropped, since it cannot change an address (RFC 5322, section 3.4).
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

/** Decodes a display name; encoded-words do not occur in addresses (RFC 2047, section 5 (3)). */
function readName({ name }: { readonly name: string }): string {
  return decodeWords(name).replace(/\p{Cc}+/gu, ' ');
}

const ASCII_SPACE = ' \t\r\n';

/** Not trim(): white space beyond ASCII is part of a local part (RFC 6531, section 3.3) and distinguishes mailboxes. */
function withoutOuterSpaces(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && ASCII_SPACE.includes(text.charAt(from))) from++;
  while (to > from && ASCII_SPACE.includes(text.charAt(to - 1))) to--;
  return text.slice(from, to);
}

/** Splits a header at the commas outside groups. */
function splitEntries(header: string): string[] {
  const entries: string[] = [];
  let entry = '';
  let comment = ''; // dropped unless something follows it
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

/** Splits a header at commas and semicolons, dropping group names and comments. */
function splitList(header: string): string[] {
  const entries: string[] = [];
  let entry = '';
  let hasAddress = false; // then a colon does not end a group's name
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

/** Quoted strings, address literals, comments (an unclosed one to the end of the header), separators and other text. */
function* tokensOf(header: string): Generator<string, void, undefined> {
  for (let at = 0; at < header.length; ) {
    TOKEN.lastIndex = at;
    const token =
      header[at] === '(' ? header.slice(at, endOfComment(header, at) || header.length) : TOKEN.exec(header)?.[0];
    yield token ?? '';
    at += token?.length ?? 1;
  }
}

/** The end of the comment that begins at `from` (RFC 5322, section 3.2.2); 0 when it is not closed. */
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
