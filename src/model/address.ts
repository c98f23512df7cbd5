import { AddressParser, AddressSyntaxError, ATOM, quoted, readName } from './address-parser.ts';
import { LABEL, NON_ASCII } from './domain.ts';
import { formatPhrase, type Group, type Mailbox, ParsedMailbox, WORD_CHARACTERS } from './mailbox.ts';

export { AddressSyntaxError } from './address-parser.ts';
export type { Group, Mailbox } from './mailbox.ts';

/**
 * An address as callers write it: ONE mailbox (`jane@x.org`, `Jane Doe <jane@x.org>`, `"Doe, Jane" <jane@x.org>`), one
 * group (`Team: a@x.org, b@x.org;`), or a separate name and address, where the name is any text and needs no quotes.
 */
export type AddressInput = string | { readonly name?: string; readonly address: string };

/**
 * Parses one mailbox or group by RFC 5322, section 3.4 (no comments, no obsolete forms), with Unicode by RFC 6532, in
 * linear time.
 *
 * @throws {AddressSyntaxError} when the input is anything else, several addresses included.
 */
export function parseAddress(input: AddressInput): Mailbox | Group {
  if (typeof input !== 'string') return parseParts(input);
  return parseUsual(input) ?? parseCached(input);
}

/**
 * Parses one mailbox.
 *
 * @throws {AddressSyntaxError} when the input is anything else, a group included.
 */
export function parseMailbox(input: AddressInput): Mailbox {
  const parsed = typeof input === 'string' ? parseCached(input) : parseParts(input);
  if (isGroup(parsed)) throw new AddressSyntaxError(`${quoted(input)} is a group: give one mailbox`);
  return parsed;
}

/** Whether {@link parseMailbox} accepts `value`. */
export function isMailboxInput(value: unknown): value is AddressInput {
  try {
    parseMailbox(value as AddressInput); // throws if it is not a mailbox
    return true;
  } catch {
    return false;
  }
}

/** Whether a parsed address is a group. */
export function isGroup(value: Mailbox | Group): value is Group {
  return 'members' in value;
}

/** Formats an address so that {@link parseAddress} parses it back to the same: in Unicode, quoted only where needed. */
export function formatAddress(value: Mailbox | Group): string {
  if (value instanceof ParsedMailbox) return value.text;
  if (isGroup(value))
    return `${formatPhrase(value.name)}:${value.members.map((member) => ` ${formatAddress(member)}`).join(',')};`;
  return value.name === '' ? value.address : `${formatPhrase(value.name)} <${value.address}>`;
}

/**
 * The key that all spellings of one mailbox share: the domain as A-labels, ASCII letters in lower case. Any other character of a
 * local part stays as it is: the Kelvin sign is not a k (RFC 5321, section 2.4; RFC 6531, section 3.2).
 */
export function addressKey(mailbox: Mailbox): string {
  return inAsciiLowerCase(mailbox.asciiAddress);
}

/** The key by which addresses are compared, with or without a name; text that is not a mailbox is its own key. */
export function comparisonKey(input: unknown): string {
  try {
    const parsed = parseAddress(input as AddressInput); // throws if it is not an address
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
const WORD = /* @__PURE__ */ (() => `[.${WORD_CHARACTERS}]+`)(); // unquoted dots are parsed (RFC 5322, section 4.1) but never written
const NAMED = /* @__PURE__ */ (() => new RegExp(`^${WORD}(?: ${WORD})* <${USUAL_ADDRESS}>$`))();

/** Senders, and whatever is costly to parse, recur; other recipients mostly do not. */
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

/** `local@host` and `Name <local@host>` of plain characters; null for anything else, which the parser handles. */
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
