import { generateKeyPair, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { optionalRequire } from '../options/optional-package.ts';

/** A private key and its certificate, followed by any intermediate ones; PEM. */
export interface Certificate {
  /** The private key, PEM. */
  readonly key: string;
  /** The certificate, PEM. */
  readonly cert: string;
}

/** The part of node-forge that is used here. */
interface ForgeLike {
  readonly pki: {
    createCertificate(): ForgeCertificate;
    publicKeyFromPem(pem: string): unknown;
    privateKeyFromPem(pem: string): unknown;
    certificateToPem(certificate: ForgeCertificate): string;
  };
  readonly md: { readonly sha256: { create(): unknown } };
}

interface ForgeCertificate {
  publicKey: unknown;
  serialNumber: string;
  readonly validity: { notBefore: Date; notAfter: Date };
  setSubject(name: readonly unknown[]): void;
  setIssuer(name: readonly unknown[]): void;
  setExtensions(extensions: readonly unknown[]): void;
  sign(key: unknown, digest: unknown): void;
}

const HOSTS = ['localhost', '127.0.0.1', '::1'];
const DAY_MS = 86_400_000;
let generated: Promise<Certificate> | undefined;

/**
 * Generates a self-signed certificate for localhost, valid for 30 days, once per process.
 *
 * @throws {ConfigurationError} `missing-dependency` when node-forge is not installed.
 */
export function generateCertificate(): Promise<Certificate> {
  generated ??= makeCertificate();
  return generated;
}

async function makeCertificate(): Promise<Certificate> {
  const forge = optionalRequire<ForgeLike>('node-forge', 'a generated TLS certificate');
  const { publicKey, privateKey } = await promisify(generateKeyPair)('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const certificate = forge.pki.createCertificate();
  const name = [{ name: 'commonName', value: 'localhost' }];
  certificate.publicKey = forge.pki.publicKeyFromPem(publicKey);
  certificate.serialNumber = serialNumber(randomBytes(9));
  certificate.validity.notBefore = new Date(Date.now() - DAY_MS);
  certificate.validity.notAfter = new Date(Date.now() + 30 * DAY_MS);
  certificate.setSubject(name);
  certificate.setIssuer(name);
  certificate.setExtensions([
    {
      name: 'subjectAltName',
      altNames: HOSTS.map((host) => (/[.:]/.test(host) ? { type: 7, ip: host } : { type: 2, value: host })),
    },
  ]);
  certificate.sign(forge.pki.privateKeyFromPem(privateKey), forge.md.sha256.create());
  return { key: privateKey, cert: forge.pki.certificateToPem(certificate) };
}

/**
 * Makes a hexadecimal serial number from at most 20 random bytes: positive and in the shortest DER form (RFC 5280, section
 * 4.1.2.2; X.690, section 8.3.2), since OpenSSL refuses a padded INTEGER.
 */
export function serialNumber(random: Uint8Array): string {
  const bytes = Buffer.from(random);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}
