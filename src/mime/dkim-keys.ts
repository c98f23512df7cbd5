import type { KeyObject } from 'node:crypto';
import { toAsciiDomain } from '../domain.ts';
import { ConfigurationError } from '../errors.ts';

/** One DKIM signature to make (RFC 6376; Ed25519 by RFC 8463). */
export interface DkimOptions {
  /** The domain that signs, as in the DNS record `selector._domainkey.domain`. */
  readonly domain: string;
  /** Names the key among those of the domain: `SELECTOR._domainkey.DOMAIN`. */
  readonly selector: string;
  /** A private key in PEM: RSA of at least 1024 bits, or Ed25519. */
  readonly privateKey: string;
}

/** What makes one signature. */
export interface DkimKey {
  readonly domain: string;
  readonly selector: string;
  readonly key: KeyObject;
  readonly algorithm: 'rsa-sha256' | 'ed25519-sha256';
}

const SELECTOR = /^[a-z\d](?:[a-z\d_-]*[a-z\d])?(?:\.[a-z\d](?:[a-z\d_-]*[a-z\d])?)*$/i;

/**
 * Reads and checks the keys, once for all messages; several options make several signatures.
 *
 * @throws {ConfigurationError} `invalid-option` for a bad domain or selector, `invalid-key` for a bad key.
 */
export function readDkimKeys(options: DkimOptions | readonly DkimOptions[]): readonly DkimKey[] {
  const list: readonly DkimOptions[] = 'domain' in options ? [options] : options;
  if (list.length === 0)
    throw new ConfigurationError('invalid-option', 'dkim: give at least one key, or leave it out', { option: 'dkim' });
  return list.map(readKey);
}

function readKey({ domain, selector, privateKey }: DkimOptions): DkimKey {
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
    return process.getBuiltinModule('node:crypto').createPrivateKey(privateKey);
  } catch {
    // The cause is left out: it may quote the key.
    throw new ConfigurationError(
      'invalid-key',
      'dkim.privateKey: it is not a private key in PEM without a passphrase',
      { option: 'dkim.privateKey' },
    );
  }
}
