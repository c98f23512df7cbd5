import { type DkimKey, type DkimOptions, readDkimKeys } from './dkim-keys.ts';
import { foldHeader } from './headers.ts';

/** Signs composed messages with keys that have been checked. */
export interface DkimSigner {
  /** Returns the DKIM-Signature headers for a header section and the body's {@link BodyHash} digest. */
  sign(head: string, bodyHash: string): string;
}

/** Headers that readers show or act on; hop-by-hop and unknown ones may change in transit (RFC 6376, section 5.4.1). */
const SIGNED =
  /^(?:from|sender|reply-to|to|cc|subject|date|message-id|in-reply-to|references|mime-version|content-.+|list-.+|auto-submitted|feedback-id)$/;

/**
 * Parses and checks the keys once for all messages; several options make several signatures.
 *
 * @param rewritten Lower-case names of headers that the provider rewrites, which would break the signature: not signed.
 * @throws {ConfigurationError} `invalid-option` for a bad domain or selector, `invalid-key` for a bad key.
 */
export function createDkimSigner(
  options: DkimOptions | readonly DkimOptions[],
  rewritten: readonly string[] = [],
): DkimSigner {
  return dkimSigner(readDkimKeys(options), rewritten);
}

/** {@link createDkimSigner} for keys that have been checked. */
export function dkimSigner(keys: readonly DkimKey[], rewritten: readonly string[] = []): DkimSigner {
  return { sign: (head, bodyHash) => keys.map((key) => signOnce(key, head, bodyHash, rewritten)).join('') };
}

function signOnce(
  { domain, selector, algorithm, sign }: DkimKey,
  head: string,
  bodyHash: string,
  rewritten: readonly string[],
): string {
  const isSigned = (name: string) => SIGNED.test(name) && !rewritten.includes(name);
  const fields = head.split(/\r\n(?![ \t])/).filter((field) => isSigned(nameOf(field)));
  // From is listed once more than it occurs, so that adding a second one breaks the signature (RFC 6376, section 8.15).
  const names = ['from', ...fields.map(nameOf)];
  const tags = ['v=1;', `a=${algorithm};`, 'c=relaxed/relaxed;', `d=${domain};`, `s=${selector};`];
  const list = names.map((name, index) => `${index === 0 ? 'h=' : ''}${name}${index < names.length - 1 ? ':' : ';'}`);
  const unsigned = foldHeader('DKIM-Signature', [...tags, ...list, `bh=${bodyHash};`, 'b=']);
  const data = [...inSigningOrder(fields), unsigned].map(relaxHeader).join('\r\n');
  const signature = sign(Buffer.from(data, 'utf8'));
  return `${unsigned.slice(0, -2)}${(signature.match(/.{1,72}/g) ?? []).map((line) => `\r\n ${line}`).join('')}\r\n`;
}

/** Headers of the same name are signed from the bottom up (RFC 6376, section 5.4.2). */
function inSigningOrder(fields: readonly string[]): readonly string[] {
  const left = new Map<string, string[]>();
  for (const field of fields) {
    const name = nameOf(field);
    const named = left.get(name);
    if (named === undefined) left.set(name, [field]);
    else named.push(field);
  }
  return fields.map((field) => left.get(nameOf(field))?.pop() ?? '');
}

function nameOf(field: string): string {
  return field.slice(0, field.indexOf(':')).toLowerCase();
}

/** The relaxed form of a header (RFC 6376, section 3.4.2). */
function relaxHeader(field: string): string {
  const value = field.slice(field.indexOf(':') + 1);
  // Not trim(): white space beyond ASCII is part of a value here, and may begin an address.
  return `${nameOf(field)}:${value.replace(/[ \t\r\n]+/g, ' ').replace(/^ | $/g, '')}`;
}

/** Hashes a body in its relaxed form (RFC 6376, section 3.4.4), piece by piece. */
export class BodyHash {
  readonly #hash = crypto().createHash('sha256');
  #emptyLines = 0;

  /** Adds whole lines of text, in Latin-1. */
  text(lines: string): void {
    const relaxed = /[ \t]{2}|\t|[ \t]\r\n/.test(lines)
      ? lines.replace(/[ \t]+/g, ' ').replaceAll(' \r\n', '\r\n')
      : lines;
    let end = relaxed.length;
    while (end >= 2 && relaxed.endsWith('\r\n', end)) end -= 2;
    const breaks = (relaxed.length - end) / 2;
    if (end === 0) this.#emptyLines += breaks;
    else {
      // The first line break ends the last line.
      this.#hash.update(`${'\r\n'.repeat(this.#emptyLines)}${relaxed.slice(0, end)}\r\n`, 'latin1');
      this.#emptyLines = breaks - 1;
    }
  }

  /** Adds lines of base64, which need no relaxing. */
  base64(lines: Uint8Array): void {
    if (this.#emptyLines > 0) this.#hash.update('\r\n'.repeat(this.#emptyLines));
    this.#emptyLines = 0;
    this.#hash.update(lines);
  }

  /** Returns the hash in base64. */
  digest(): string {
    return this.#hash.digest('base64');
  }
}

function crypto(): typeof import('node:crypto') {
  return process.getBuiltinModule('node:crypto');
}
