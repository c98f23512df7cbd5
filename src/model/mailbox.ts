/** One mailbox, in the parts that headers and envelopes need. */
export interface Mailbox {
  /** The decoded display name; `''` when there is none. */
  readonly name: string;
  /** The addr-spec: the local part quoted only where it must be, the domain as written (Unicode kept). */
  readonly address: string;
  /** The part before the `@`, without quoting. */
  readonly localPart: string;
  /** The part after the `@`, as written. */
  readonly domain: string;
  /** The addr-spec for the wire: the domain as A-labels (UTS 46, non-transitional). */
  readonly asciiAddress: string;
  /** False when the local part is not ASCII, so that only SMTPUTF8 can carry it (RFC 6531). */
  readonly isAscii: boolean;
}

/** A named list of mailboxes (RFC 5322, section 3.4); `undisclosed-recipients:;` has no members. */
export interface Group {
  /** The decoded name. */
  readonly name: string;
  /** Its mailboxes; may be empty. */
  readonly members: readonly Mailbox[];
}

/** The characters of words that need no quotes, for a character class: atext and everything beyond ASCII. */
export const WORD_CHARACTERS = "\\w!#$%&'*+/=?^`{|}~\\u00a0-\\uffff-";
const PHRASE = /* @__PURE__ */ (() => new RegExp(`^[${WORD_CHARACTERS}]+(?: [${WORD_CHARACTERS}]+)*$`))();

/** A mailbox that computes rarely used parts on demand: there may be a hundred thousand of them. */
export class ParsedMailbox implements Mailbox {
  readonly name: string;
  readonly address: string;
  readonly asciiAddress: string;
  readonly isAscii: boolean;
  readonly #text: string | null;

  constructor(name: string, address: string, asciiAddress: string, isAscii: boolean, text: string | null = null) {
    this.name = name;
    this.address = address;
    this.asciiAddress = asciiAddress;
    this.isAscii = isAscii;
    this.#text = text;
    Object.freeze(this);
  }

  get localPart(): string {
    const local = this.address.slice(0, this.address.lastIndexOf('@'));
    return local.startsWith('"') ? local.slice(1, -1).replace(/\\(.)/g, '$1') : local;
  }

  get domain(): string {
    return this.address.slice(this.address.lastIndexOf('@') + 1);
  }

  get text(): string {
    return this.#text ?? (this.name === '' ? this.address : `${formatPhrase(this.name)} <${this.address}>`);
  }
}

/** A name as written before an address: quoted where needed. */
export function formatPhrase(text: string): string {
  return PHRASE.test(text) ? text : quote(text);
}

/** A quoted-string (RFC 5322, section 3.2.4). */
export function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
