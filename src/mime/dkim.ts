import type { KeyObject } from 'node:crypto';
import { toAsciiDomain } from '../domain.ts';
import { ConfigurationError } from '../errors.ts';
import { foldHeader } from './headers.ts';

/** One DKIM signature to make (RFC 6376; Ed25519 by RFC 8463). */
export interface DkimOptions {
  /** The domain that signs, as in the DNS record `selector._domainkey.domain`. */
  readonly domain: string;
  /** Names the key among those of the domain: `SELECTOR._domainkey.DOMAIN`. */
  readonly selector: string;
  /** A private key in PEM: RSA of at least 1024 bits, or Ed25519. */
  readonly privateKey: string;
}

/** Signs composed messages; its keys are read and checked already. */
export interface DkimSigner {
  /** The DKIM-Signature headers for a header section and the hash of its body by {@link BodyHash}. */
  sign(head: string, bodyHash: string): string;
}

interface Key {
  readonly domain: string;
  readonly selector: string;
  readonly key: KeyObject;
  readonly algorithm: 'rsa-sha256' | 'ed25519-sha256';
}

/** What readers show or act on; hop-by-hop and unknown headers may change on the way (RFC 6376, section 5.4.1). */
const SIGNED =
  /^(?:from|sender|reply-to|to|cc|subject|date|message-id|in-reply-to|references|mime-version|content-.+|list-.+|auto-submitted|feedback-id)$/;
const SELECTOR = /^[a-z\d](?:[a-z\d_-]*[a-z\d])?(?:\.[a-z\d](?:[a-z\d_-]*[a-z\d])?)*$/i;

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
  const list: readonly DkimOptions[] = 'domain' in options ? [options] : options;
  if (list.length === 0)
    throw new ConfigurationError('invalid-option', 'dkim: give at least one key, or leave it out', { option: 'dkim' });
  const keys = list.map(readKey);
  return { sign: (head, bodyHash) => keys.map((key) => signOnce(key, head, bodyHash, rewritten)).join('') };
}

function readKey({ domain, selector, privateKey }: DkimOptions): Key {
  const ascii = typeof domain === 'string' ? toAsciiDomain(domain) : null;
  if (ascii === null)
    throw new ConfigurationError('invalid-option', 'dkim.domain: give the domain that signs, such as example.com', {
      option: 'dkim.domain',
    });
  if (typeof selector !== 'string' || !SELECTOR.test(selector)) {
    throw new ConfigurationError(
      'invalid-option',
      'dkim.selector: give the name before ._domainkey in the DNS record',
      { option: 'dkim.selector' },
    );
  }
  const key = parseKey(privateKey);
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key.asymmetricKeyType === 'ed25519') return { domain: ascii, selector, key, algorithm: 'ed25519-sha256' };
  if (key.asymmetricKeyType === 'rsa' && bits >= 1024) return { domain: ascii, selector, key, algorithm: 'rsa-sha256' };
  throw new ConfigurationError('invalid-key', 'dkim.privateKey: it must be RSA of at least 1024 bits, or Ed25519', {
    option: 'dkim.privateKey',
  });
}

function parseKey(privateKey: string): KeyObject {
  try {
    return crypto().createPrivateKey(privateKey);
  } catch {
    // The cause is left out: it may quote the key.
    throw new ConfigurationError(
      'invalid-key',
      'dkim.privateKey: it is not a private key in PEM without a passphrase',
      { option: 'dkim.privateKey' },
    );
  }
}

function signOnce(
  { domain, selector, key, algorithm }: Key,
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

function signData(data: Buffer, key: KeyObject, algorithm: Key['algorithm']): Buffer {
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
