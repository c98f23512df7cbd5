import { AddressParser, AddressSyntaxError, ATOM, quoted, readName } from './address-parser.ts';
import { LABEL, NON_ASCII } from './domain.ts';
import { formatPhrase, type Group, type Mailbox, ParsedMailbox, WORD_CHARACTERS } from './parsed-mailbox.ts';

export { AddressSyntaxError } from './address-parser.ts';
export type { Group, Mailbox } from './parsed-mailbox.ts';

/**
 * An address as callers write it: ONE mailbox (`jane@x.org`, `Jane Doe <jane@x.org>`, `"Doe, Jane" <jane@x.org>`), one
 * group (`Team: a@x.org, b@x.org;`), or name and address apart, where the name is any text and needs no quotes.
 */
export type AddressInput = string | { readonly name?: string; readonly address: string };

/**
 * Reads one mailbox or group by RFC 5322, section 3.4 (no comments, no obsolete forms), with Unicode by RFC 6532, in
 * linear time.
 *
 * @throws {AddressSyntaxError} when the input is anything else, several addresses included.
 */
export function parseAddress(input: AddressInput): Mailbox | Group {
  if (typeof input !== 'string') return parseParts(input);
  return parseUsual(input) ?? parseCached(input);
}

/**
 * Reads one mailbox.
 *
 * @throws {AddressSyntaxError} when the input is anything else, a group included.
 */
export function parseMailbox(input: AddressInput): Mailbox {
  const parsed = typeof input === 'string' ? parseCached(input) : parseParts(input);
  if (isGroup(parsed)) throw new AddressSyntaxError(`${quoted(input)} is a group: give one mailbox`);
  return parsed;
}

/** Whether `value` is what {@link parseMailbox} takes. */
export function isMailboxInput(value: unknown): value is AddressInput {
  try {
    parseMailbox(value as AddressInput); // what is none is refused
    return true;
  } catch {
    return false;
  }
}

/** Whether a parsed address is a group. */
export function isGroup(value: Mailbox | Group): value is Group {
  return 'members' in value;
}

/** Writes an address so that {@link parseAddress} reads the same again: Unicode, quoted where it must be. */
export function formatAddress(value: Mailbox | Group): string {
  if (value instanceof ParsedMailbox) return value.text;
  if (isGroup(value))
    return `${formatPhrase(value.name)}:${value.members.map((member) => ` ${formatAddress(member)}`).join(',')};`;
  return value.name === '' ? value.address : `${formatPhrase(value.name)} <${value.address}>`;
}

/**
 * What two spellings of one mailbox share: the domain as A-labels, and ASCII letters in lower case. Any other character of a
 * local part is itself and no other: the Kelvin sign is no k (RFC 5321, section 2.4; RFC 6531, section 3.2).
 */
export function addressKey(mailbox: Mailbox): string {
  return inAsciiLowerCase(mailbox.asciiAddress);
}

/** How addresses that somebody wrote are compared, with or without a name; what is no mailbox by its text. */
export function comparisonKey(input: unknown): string {
  try {
    const parsed = parseAddress(input as AddressInput); // what is none is refused
    if (!isGroup(parsed)) return addressKey(parsed);
  } catch (error) {
    if (!(error instanceof AddressSyntaxError)) throw error;
  }
  const text = typeof input === 'object' && input !== null && 'address' in input ? input.address : input;
  return inAsciiLowerCase(String(text));
}

function inAsciiLowerCase(text: string): string {
  return NON_ASCII.test(text) ? text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()) : text.toLowerCase();
}

const MAX_CACHED = 1_000;
const MAX_CACHED_LENGTH = 400;
const cache = new Map<string, Mailbox | Group>();

const MAX_USUAL_LENGTH = 254;
const USUAL_ADDRESS = /* @__PURE__ */ (() => `${ATOM}(?:\\.${ATOM})*@(?:${LABEL}\\.)+[A-Za-z]{2,63}`)();
const PLAIN = /* @__PURE__ */ (() => new RegExp(`^${USUAL_ADDRESS}$`))();
const WORD = /* @__PURE__ */ (() => `[.${WORD_CHARACTERS}]+`)(); // dots without quotes are read (RFC 5322, section 4.1), not written
const NAMED = /* @__PURE__ */ (() => new RegExp(`^${WORD}(?: ${WORD})* <${USUAL_ADDRESS}>$`))();

/** Senders, and whatever is costly to parse, come again and again; other recipients mostly do not. */
function parseCached(input: string): Mailbox | Group {
  const known = cache.get(input);
  if (known) return known;
  const parsed = parseUsual(input) ?? new AddressParser(input).parse();
  if (input.length <= MAX_CACHED_LENGTH) {
    if (cache.size >= MAX_CACHED) cache.clear();
    cache.set(input, parsed);
  }
  return parsed;
}

/** `local@host` and `Name <local@host>` of harmless characters; everything else is for the parser. */
function parseUsual(input: string): Mailbox | null {
  if (input.length > MAX_USUAL_LENGTH || input.includes('=?')) return null;
  if (!input.endsWith('>')) return PLAIN.test(input) ? new ParsedMailbox('', input, input, true) : null;
  if (!NAMED.test(input)) return null;
  const open = input.indexOf(' <');
  const address = input.slice(open + 2, -1);
  const name = input.slice(0, open);
  return new ParsedMailbox(name, address, address, true, name.includes('.') ? null : input);
}

function parseParts(input: { readonly name?: string; readonly address: string }): Mailbox {
  const { name: given = '', address } = input ?? {};
  if (typeof address !== 'string' || typeof given !== 'string') {
    throw new AddressSyntaxError('give a string such as "Jane <jane@example.com>", or {name, address} with strings');
  }
  const name = readName(given);
  const mailbox = parseMailbox(address);
  if (mailbox.name !== '' || address.trimEnd().endsWith('>')) {
    throw new AddressSyntaxError(`${quoted(address)} must be the bare address when the name is given apart`);
  }
  const { asciiAddress, isAscii } = mailbox;
  return name === '' ? mailbox : new ParsedMailbox(name, mailbox.address, asciiAddress, isAscii);
}
