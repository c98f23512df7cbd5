import { toAsciiDomain } from '../../model/domain.ts';
import { ConfigurationError } from '../../model/errors.ts';

/** How to make one DKIM signature (RFC 6376; Ed25519: RFC 8463). */
export interface DkimOptions {
  /** The signing domain: `DOMAIN` in the DNS record `SELECTOR._domainkey.DOMAIN`. */
  readonly domain: string;
  /** The name of the key: `SELECTOR` in the DNS record `SELECTOR._domainkey.DOMAIN`. */
  readonly selector: string;
  /** A private key in PEM: RSA of at least 1024 bits, or Ed25519. */
  readonly privateKey: string;
}

/** A checked {@link DkimOptions}. */
export interface DkimKey {
  readonly domain: string;
  readonly selector: string;
  readonly algorithm: 'rsa-sha256' | 'ed25519-sha256';
  /** The signature of these bytes, in base64. */
  sign(data: Uint8Array): string;
}

const SELECTOR = /^[a-z\d](?:[a-z\d_-]*[a-z\d])?(?:\.[a-z\d](?:[a-z\d_-]*[a-z\d])?)*$/i;

/**
 * Parses and checks the keys once for all messages; several options make several signatures.
 *
 * @throws {ConfigurationError} `invalid-option` for a bad domain or selector, `invalid-key` for a bad key.
 */
export function readDkimKeys(options: DkimOptions | readonly DkimOptions[]): readonly DkimKey[] {
  const list: readonly DkimOptions[] = 'domain' in options ? [options] : options;
  if (list.length === 0) throw keyError('invalid-option', 'dkim', 'give at least one key, or leave it out');
  return list.map(readKey);
}

function readKey({ domain, selector, privateKey }: DkimOptions): DkimKey {
  const ascii = typeof domain === 'string' ? toAsciiDomain(domain) : null;
  if (ascii === null)
    throw keyError('invalid-option', 'dkim.domain', 'give the domain that signs, such as example.com');
  if (typeof selector !== 'string' || !SELECTOR.test(selector))
    throw keyError('invalid-option', 'dkim.selector', 'give the name before ._domainkey in the DNS record');
  const key = parseKey(privateKey);
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  const { createHash, sign } = process.getBuiltinModule('node:crypto');
  if (key.asymmetricKeyType === 'ed25519') {
    // RFC 8463, section 3: what is signed is the hash
    const signed = (data: Uint8Array) => sign(null, createHash('sha256').update(data).digest(), key).toString('base64');
    return { domain: ascii, selector, algorithm: 'ed25519-sha256', sign: signed };
  }
  if (key.asymmetricKeyType === 'rsa' && bits >= 1024) {
    const signed = (data: Uint8Array) => sign('sha256', data, key).toString('base64');
    return { domain: ascii, selector, algorithm: 'rsa-sha256', sign: signed };
  }
  throw keyError('invalid-key', 'dkim.privateKey', 'it must be RSA of at least 1024 bits, or Ed25519');
}

function parseKey(privateKey: string) {
  try {
    return process.getBuiltinModule('node:crypto').createPrivateKey(privateKey);
  } catch {
    // Without the cause, which may quote the key.
    throw keyError('invalid-key', 'dkim.privateKey', 'it is not a private key in PEM without a passphrase');
  }
}

function keyError(code: 'invalid-option' | 'invalid-key', option: string, message: string): ConfigurationError {
  return new ConfigurationError(code, `${option}: ${message}`, { option });
}
