import type { KeyObject } from 'node:crypto';
import { type DkimKey, type DkimOptions, readDkimKeys } from './dkim-keys.ts';
import { foldHeader } from './headers.ts';

/** Signs composed messages; its keys are read and checked already. */
export interface DkimSigner {
  /** The DKIM-Signature headers for a header section and the hash of its body by {@link BodyHash}. */
  sign(head: string, bodyHash: string): string;
}

/** What readers show or act on; hop-by-hop and unknown headers may change on the way (RFC 6376, section 5.4.1). */
const SIGNED =
  /^(?:from|sender|reply-to|to|cc|subject|date|message-id|in-reply-to|references|mime-version|content-.+|list-.+|auto-submitted|feedback-id)$/;

/**
 * Reads and checks the keys, once for all messages; several options make several signatures.
 *
 * @param rewritten Headers that the provider writes anew, in lower case: signing them would break the signature.
 * @throws {ConfigurationError} `invalid-option` for a bad domain or selector, `invalid-key` for a bad key.
 */
export function createDkimSigner(
  options: DkimOptions | readonly DkimOptions[],
  rewritten: readonly string[] = [],
): DkimSigner {
  return dkimSigner(readDkimKeys(options), rewritten);
}

/** The signer of keys that were read before. */
export function dkimSigner(keys: readonly DkimKey[], rewritten: readonly string[] = []): DkimSigner {
  return { sign: (head, bodyHash) => keys.map((key) => signOnce(key, head, bodyHash, rewritten)).join('') };
}

function signOnce(
  { domain, selector, key, algorithm }: DkimKey,
  head: string,
  bodyHash: string,
  rewritten: readonly string[],
): string {
  const isSigned = (name: string) => SIGNED.test(name) && !rewritten.includes(name);
  const fields = head.split(/\r\n(?![ \t])/).filter((field) => isSigned(nameOf(field)));
  // From is named once more than it is there: a second one breaks the signature (RFC 6376, section 8.15).
  const names = ['from', ...fields.map(nameOf)];
  const tags = ['v=1;', `a=${algorithm};`, 'c=relaxed/relaxed;', `d=${domain};`, `s=${selector};`];
  const list = names.map((name, index) => `${index === 0 ? 'h=' : ''}${name}${index < names.length - 1 ? ':' : ';'}`);
  const unsigned = foldHeader('DKIM-Signature', [...tags, ...list, `bh=${bodyHash};`, 'b=']);
  const data = [...inSigningOrder(fields), unsigned].map(relaxHeader).join('\r\n');
  const signature = signData(Buffer.from(data, 'utf8'), key, algorithm).toString('base64');
  return `${unsigned.slice(0, -2)}${(signature.match(/.{1,72}/g) ?? []).map((line) => `\r\n ${line}`).join('')}\r\n`;
}

function signData(data: Buffer, key: KeyObject, algorithm: DkimKey['algorithm']): Buffer {
  const { createHash, sign } = crypto();
  if (algorithm === 'rsa-sha256') return sign('sha256', data, key);
  return sign(null, createHash('sha256').update(data).digest(), key); // RFC 8463, section 3
}

/** A header that is there twice is taken from the bottom up (RFC 6376, section 5.4.2). */
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
  // Not trim(): white space beyond ASCII may begin an address, and is no white space here.
  return `${nameOf(field)}:${value.replace(/[ \t\r\n]+/g, ' ').replace(/^ | $/g, '')}`;
}

/** The hash of a body in its relaxed form (RFC 6376, section 3.4.4), taken piece by piece. */
export class BodyHash {
  readonly #hash = crypto().createHash('sha256');
  #emptyLines = 0;

  /** Whole lines as they are, in Latin-1. */
  text(lines: string): void {
    const relaxed = /[ \t]{2}|\t|[ \t]\r\n/.test(lines)
      ? lines.replace(/[ \t]+/g, ' ').replaceAll(' \r\n', '\r\n')
      : lines;
    let end = relaxed.length;
    while (end >= 2 && relaxed.endsWith('\r\n', end)) end -= 2;
    const breaks = (relaxed.length - end) / 2;
    if (end === 0) this.#emptyLines += breaks;
    else {
      // The first of the breaks ends the last line.
      this.#hash.update(`${'\r\n'.repeat(this.#emptyLines)}${relaxed.slice(0, end)}\r\n`, 'latin1');
      this.#emptyLines = breaks - 1;
    }
  }

  /** Lines of base64, which are relaxed already. */
  base64(lines: Uint8Array): void {
    if (this.#emptyLines > 0) this.#hash.update('\r\n'.repeat(this.#emptyLines));
    this.#emptyLines = 0;
    this.#hash.update(lines);
  }

  /** The hash, in base64. */
  digest(): string {
    return this.#hash.digest('base64');
  }
}

function crypto(): typeof import('node:crypto') {
  return process.getBuiltinModule('node:crypto');
}
