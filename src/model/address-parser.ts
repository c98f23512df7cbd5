import { LINE_CONTROL } from '../util/line.ts';
import { IGNORABLE, isAddressLiteral, NON_ASCII, toAsciiDomain } from './domain.ts';
import { errorClass } from './error-class.ts';
import { MessageError } from './errors.ts';
import { type Group, type Mailbox, ParsedMailbox, quote } from './mailbox.ts';

/** A string is not one mailbox or group; `reason` says what to change. Nothing is ever repaired into an address. */
export class AddressSyntaxError extends MessageError {
  /** `instanceof` holds across copies of this package. */
  static override readonly [Symbol.hasInstance]: (value: unknown) => boolean = /* @__PURE__ */ errorClass(
    AddressSyntaxError,
    'AddressSyntaxError',
  );

  constructor(reason: string) {
    super([{ path: 'address', code: 'address', message: reason }]);
  }

  /** What is wrong with the address and how to write it. */
  get reason(): string {
    return this.issues[0]?.message ?? '';
  }
}

/** The source of a pattern for an ASCII atom (RFC 5322, section 3.2.3). */
export const ATOM = "[\\w!#$%&'*+/=?^`{|}~-]+";
const DOT_ATOM = /* @__PURE__ */ (() => new RegExp(`^${ATOM}(?:\\.${ATOM})*$`))();
const CONTROL = /\p{Cc}/u;
const TAB = 0x09;

// Of an addr-spec: 64 + "@" + 255 (RFC 5321, section 4.5.3.1). Longer local parts are in use (VERP), so only the total is
// bounded.
const MAX_ADDRESS_OCTETS = 320;

const SPACE = 0x20;
const QUOTE = 0x22;
const OPEN = 0x28;
const COMMA = 0x2c;
const COLON = 0x3a;
const SEMICOLON = 0x3b;
const LESS = 0x3c;
const GREATER = 0x3e;
const AT = 0x40;
const BRACKET = 0x5b;
const BACKSLASH = 0x5c;

/** A phrase or a local part as parsed; a local part must be a single word. */
interface Words {
  readonly text: string;
  readonly isWord: boolean;
  readonly isQuoted: boolean;
}

/** Parses one address, in linear time; refuses anything else. */
export class AddressParser {
  readonly #input: string;
  #at = 0;

  constructor(input: string) {
    this.#input = input;
    const control = LINE_CONTROL.exec(input);
    if (control) throw this.#error(`it holds the control character ${codePoint(control[0])}: remove it`);
  }

  parse(): Mailbox | Group {
    this.#skipSpaces();
    if (this.#at === this.#input.length) throw this.#error('it is empty');
    const words = this.#words();
    const parsed = this.#peek() === COLON ? this.#group(words) : this.#mailbox(words);
    this.#skipSpaces();
    const next = this.#peek();
    if (next === COMMA || next === SEMICOLON) {
      throw this.#error(
        'it is more than one address: pass an array of strings, or put a name that has a comma in double quotes',
      );
    }
    if (next !== -1) throw this.#unexpected();
    return parsed;
  }

  #group({ text }: Words): Group {
    if (text === '') throw this.#error('a group needs a name before the colon');
    this.#at++;
    const name = withBlanks(text);
    const members: Mailbox[] = [];
    this.#skipSpaces();
    while (this.#peek() !== SEMICOLON) {
      members.push(this.#mailbox(this.#words()));
      this.#skipSpaces();
      const next = this.#peek();
      if (next === COMMA) {
        this.#at++;
        this.#skipSpaces();
        if (this.#peek() === SEMICOLON) throw this.#error('a comma must be followed by an address');
      } else if (next === -1)
        throw this.#error('a group ends with a semicolon; a name that has a colon needs double quotes');
      else if (next !== SEMICOLON) throw this.#unexpected();
    }
    this.#at++;
    return Object.freeze({ name, members: Object.freeze(members) });
  }

  #mailbox(words: Words): Mailbox {
    const next = this.#peek();
    if (next === LESS) {
      this.#at++;
      if (isBlank(this.#peek())) throw this.#error('remove the space after "<"');
      const local = this.#words();
      if (this.#peek() !== AT) throw this.#incomplete(local.text);
      const mailbox = this.#addrSpec(local, withBlanks(words.text));
      if (this.#peek() !== GREATER)
        throw this.#peek() === -1 ? this.#error('the closing ">" is missing') : this.#unexpected();
      this.#at++;
      return mailbox;
    }
    if (next === AT) return this.#addrSpec(words, '');
    throw this.#incomplete(words.text);
  }

  #incomplete(text: string): AddressSyntaxError {
    const next = this.#peek();
    if (next === COMMA || next === SEMICOLON) {
      return this.#error(
        text === ''
          ? 'an address is missing before the comma'
          : 'a name that has a comma or semicolon needs double quotes, and several addresses an array',
      );
    }
    if (next === -1 || next === GREATER) return this.#error('it has no "@": write local@domain');
    return this.#unexpected();
  }

  #addrSpec(local: Words, name: string): Mailbox {
    if (!local.isWord || (local.text === '' && !local.isQuoted)) {
      throw this.#error(
        local.text === ''
          ? 'nothing stands before the "@"'
          : 'the part before the "@" is not one word: put the address in angle brackets, "Name <local@domain>"',
      );
    }
    if (!local.isQuoted && (local.text.startsWith('.') || local.text.endsWith('.') || local.text.includes('..'))) {
      throw this.#error(
        'the part before the "@" begins, ends or doubles a dot: quote it, ".x"@domain, if it is really so',
      );
    }
    // A tab in a name becomes a space; here it would make another mailbox.
    const control = CONTROL.exec(local.text);
    if (control) throw this.#error(`it holds the control character ${codePoint(control[0])}: remove it`);
    if (local.text.includes('=?')) {
      throw this.#error('the part before the "@" holds "=?", which readers decode into another address');
    }
    const isAscii = !NON_ASCII.test(local.text);
    if (!isAscii && IGNORABLE.test(local.text))
      throw this.#error('the part before the "@" holds an invisible character');
    this.#at++;
    const domain = this.#domain();
    const localPart = isDotAtom(local.text) ? local.text : quote(local.text);
    const asciiAddress = `${localPart}@${this.#asciiDomain(domain)}`;
    if (octets(asciiAddress) > MAX_ADDRESS_OCTETS) throw this.#error(`it is longer than ${MAX_ADDRESS_OCTETS} octets`);
    return new ParsedMailbox(name, `${localPart}@${domain}`, asciiAddress, isAscii);
  }

  /** Consecutive words and the white space between them, unquoted. */
  #words(): Words {
    const input = this.#input;
    let text = '';
    let count = 0;
    let isQuoted = false;
    for (;;) {
      const start = this.#at;
      this.#skipSpaces();
      const spaces = this.#at - start;
      const code = this.#peek();
      if (code === QUOTE) {
        if (count > 0) text += ' '.repeat(spaces);
        text += this.#quotedString();
        isQuoted = true;
      } else {
        const from = this.#at;
        while (isPhraseCode(this.#peek())) this.#at++;
        if (this.#at === from) return { text, isWord: count === 1 && spaces === 0, isQuoted };
        if (count > 0) text += ' '.repeat(spaces);
        text += input.slice(from, this.#at);
      }
      count++;
    }
  }

  #quotedString(): string {
    const input = this.#input;
    let text = '';
    let from = ++this.#at;
    for (;;) {
      const code = this.#peek();
      if (code === -1) throw this.#error('a double quote is not closed');
      if (code === QUOTE || code === BACKSLASH) {
        text += input.slice(from, this.#at++);
        if (code === QUOTE) return text;
        from = this.#at;
        if (this.#peek() === -1) throw this.#error('a double quote is not closed');
      }
      this.#at++;
    }
  }

  #domain(): string {
    const input = this.#input;
    const from = this.#at;
    if (this.#peek() === BRACKET) {
      const close = input.indexOf(']', from);
      if (close < 0) throw this.#error('the "[" of an address literal is not closed');
      this.#at = close + 1;
      const domain = input.slice(from, this.#at);
      if (!isAddressLiteral(domain.slice(1, -1))) {
        throw this.#error('an address literal is [192.0.2.1] or [IPv6:2001:db8::1]');
      }
      return domain;
    }
    while (isPhraseCode(this.#peek())) this.#at++;
    const domain = input.slice(from, this.#at);
    if (domain === '') throw this.#error('nothing stands after the "@"');
    return domain;
  }

  #asciiDomain(domain: string): string {
    if (domain.startsWith('[')) return domain;
    const ascii = toAsciiDomain(domain);
    if (ascii === null) throw this.#error(`${quoted(domain)} is not a domain name`);
    if (/(?:^|\.)(?:\d+|0x[\da-f]*)$/i.test(ascii)) throw this.#error('an IP address needs brackets: user@[192.0.2.1]');
    return ascii;
  }

  #skipSpaces(): void {
    while (isBlank(this.#peek())) this.#at++;
  }

  #peek(): number {
    return this.#at < this.#input.length ? this.#input.charCodeAt(this.#at) : -1;
  }

  #unexpected(): AddressSyntaxError {
    if (this.#peek() === OPEN)
      return this.#error('comments in parentheses are not read: put the name in double quotes or leave it out');
    const char = String.fromCodePoint(this.#input.codePointAt(this.#at) ?? 0);
    return this.#error(
      `${quoted(char)} at position ${this.#at + 1} does not belong there: put a name with special characters in double quotes`,
    );
  }

  #error(reason: string): AddressSyntaxError {
    return new AddressSyntaxError(`${quoted(this.#input)} is not an email address: ${reason}`);
  }
}

const PHRASE_CODES: Readonly<Uint8Array> = /* @__PURE__ */ Uint8Array.from({ length: 128 }, (_, code) =>
  /[\w!#$%&'*+/=?^`{|}~.-]/.test(String.fromCharCode(code)) ? 1 : 0,
);

function isPhraseCode(code: number): boolean {
  return code > 0x7f || PHRASE_CODES[code] === 1;
}

function isDotAtom(text: string): boolean {
  return DOT_ATOM.test(NON_ASCII.test(text) ? text.replace(/[^\0-\x7f]/g, 'x') : text);
}

function octets(text: string): number {
  return NON_ASCII.test(text) ? new TextEncoder().encode(text).length : text.length;
}

/** An input, as errors show it. */
export function quoted(input: unknown): string {
  const text = typeof input === 'string' ? input : String(input);
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 79)}…` : text);
}

/** A name as a header holds it. @throws {AddressSyntaxError} when it holds a control character */
export function readName(name: string): string {
  const control = LINE_CONTROL.exec(name);
  if (control)
    throw new AddressSyntaxError(`the name ${quoted(name)} holds the control character ${codePoint(control[0])}`);
  return withBlanks(name);
}

function withBlanks(name: string): string {
  return name.includes('\t') ? name.replaceAll('\t', ' ') : name;
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}

function codePoint(char: string): string {
  return `U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}
