import { createPublicKey } from 'node:crypto';
import type { Dns } from './dns.ts';
import { type Finding, fault, ok, warning } from './finding.ts';

/** Shorter keys must not be used; the good length is what RFC 8301, section 3.2, recommends. */
const MIN_BITS = 1024;
const GOOD_BITS = 2048;

/** Checks the public key of a selector. @throws {DnsError} */
export async function checkDkimKey(domain: string, selector: string, dns: Dns): Promise<readonly Finding[]> {
  const name = `${selector}._domainkey.${domain}`;
  const texts = await dns.txt(name);
  const [record] = texts;
  if (record === undefined) {
    return [
      fault('dkim', `${name} has no key`, `publish the TXT record that your provider shows for selector ${selector}`),
    ];
  }
  if (texts.length > 1)
    return [fault('dkim', `${name} has ${texts.length} records`, 'leave one: receivers take any of them')];
  return judgeKey(name, record);
}

function judgeKey(name: string, record: string): readonly Finding[] {
  const tags = readTags(record);
  const wrong = (what: string, fix: string): readonly Finding[] => [fault('dkim', `the key at ${name} ${what}`, fix)];
  if (tags === null) return wrong('is no list of tags', 'publish it as "v=DKIM1; k=rsa; p=..."');
  const [first] = tags.keys();
  const version = tags.get('v');
  if (version !== undefined && (version !== 'DKIM1' || first !== 'v')) {
    return wrong(`says v=${version}, or not in the first place`, 'begin it with "v=DKIM1;"');
  }
  const key = tags.get('p')?.replace(/\s/g, '');
  if (key === undefined) return wrong('has no p=', 'publish the public key as p=');
  if (key === '') return wrong('is revoked (p= is empty)', 'sign with another selector');
  const kind = tags.get('k') ?? 'rsa';
  if (kind !== 'rsa' && kind !== 'ed25519') return wrong(`has the unknown kind k=${kind}`, 'use k=rsa');
  if (tags.has('h') && !listOf(tags.get('h')).includes('sha256')) {
    return wrong(`allows no sha256 (h=${tags.get('h')})`, 'remove h=');
  }
  if (tags.has('s') && !listOf(tags.get('s')).some((service) => service === '*' || service === 'email')) {
    return wrong(`is not for mail (s=${tags.get('s')})`, 'remove s=');
  }
  const size = kind === 'rsa' ? rsaBits(key) : Buffer.from(key, 'base64').length === 32 ? 256 : null;
  if (size === null)
    return wrong(`cannot be read as ${kind}`, 'publish it whole: a long record is easily cut off when it is pasted');
  const shown = `${name} has ${kind === 'rsa' ? `an RSA key of ${size} bits` : 'an Ed25519 key'}`;
  if (kind === 'rsa' && size < MIN_BITS) {
    return wrong(`has only ${size} bits: receivers do not accept it`, `make one of ${GOOD_BITS} bits`);
  }
  const findings: Finding[] = [];
  if (kind === 'rsa' && size < GOOD_BITS) {
    findings.push(
      warning('dkim', `${shown}, which is little`, `make one of ${GOOD_BITS} bits (RFC 8301, section 3.2)`),
    );
  }
  if (kind === 'ed25519') {
    const text = `${shown}, which many receivers do not know`;
    findings.push(warning('dkim', text, 'sign with an RSA key, too (RFC 8463)'));
  }
  if (listOf(tags.get('t')).includes('y')) {
    const text = `the key at ${name} says t=y: it is being tested, and receivers may ignore it`;
    findings.push(warning('dkim', text, 'remove t=y when the signatures are right'));
  }
  return findings.length === 0 ? [ok('dkim', shown)] : findings;
}

function listOf(value: string | undefined): readonly string[] {
  return (value ?? '').split(':').map((entry) => entry.trim().toLowerCase());
}

/** The length of a key, given as the usual SubjectPublicKeyInfo, or as the RSAPublicKey of RFC 6376; null when it is neither. */
function rsaBits(base64: string): number | null {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return null;
  const key = Buffer.from(base64, 'base64');
  for (const type of ['spki', 'pkcs1'] as const) {
    try {
      const { asymmetricKeyType, asymmetricKeyDetails } = createPublicKey({ key, format: 'der', type });
      if (asymmetricKeyType === 'rsa') return asymmetricKeyDetails?.modulusLength ?? null;
    } catch {
      // the other form, or neither
    }
  }
  return null;
}

/** The tags of a DKIM or DMARC record by name, trimmed; null when the record is not a tag list (RFC 6376, section 3.2). */
export function readTags(record: string): ReadonlyMap<string, string> | null {
  const tags = new Map<string, string>();
  const parts = record.split(';');
  if (parts.at(-1)?.trim() === '') parts.pop();
  for (const part of parts) {
    const equals = part.indexOf('=');
    const name = part.slice(0, Math.max(0, equals)).trim();
    if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(name) || tags.has(name)) return null;
    tags.set(name, part.slice(equals + 1).trim());
  }
  return tags;
}
