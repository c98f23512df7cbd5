import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { DkimOptions } from '../../src/mime/index.ts';
import type { Records } from './verify-dkim.ts';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ed25519 = generateKeyPairSync('ed25519');
const base64 = (key: KeyObject, from = 0) =>
  key.export({ type: 'spki', format: 'der' }).subarray(from).toString('base64');

/** A key as the option `dkim` takes it. */
export const pem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();

/** A key of either kind, for two signatures at once. */
export const KEYS: readonly DkimOptions[] = [
  { domain: 'example.com', selector: 'rsa', privateKey: pem(rsa.privateKey) },
  { domain: 'example.com', selector: 'ed', privateKey: pem(ed25519.privateKey) },
];

/** What DNS says of {@link KEYS}; of Ed25519 the bare 32 octets (RFC 8463, section 4). */
export const RECORDS: Records = {
  'rsa._domainkey.example.com': `v=DKIM1; k=rsa; p=${base64(rsa.publicKey)}`,
  'ed._domainkey.example.com': `v=DKIM1; k=ed25519; p=${base64(ed25519.publicKey, -32)}`,
};
