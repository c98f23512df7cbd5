import type { KeyObject } from 'node:crypto';
import { toAsciiDomain } from '../domain.ts';
import { ConfigurationError } from '../errors.ts';

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
  readonly key: KeyObject;
  readonly algorithm: 'rsa-sha256' | 'ed25519-sha256';
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
  if (key.asymmetricKeyType === 'ed25519') return { domain: ascii, selector, key, algorithm: 'ed25519-sha256' };
  if (key.asymmetricKeyType === 'rsa' && bits >= 1024) return { domain: ascii, selector, key, algorithm: 'rsa-sha256' };
  throw keyError('invalid-key', 'dkim.privateKey', 'it must be RSA of at least 1024 bits, or Ed25519');
}

function parseKey(privateKey: string): KeyObject {
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
