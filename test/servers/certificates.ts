import { generateKeyPairSync } from 'node:crypto';
import forge from 'node-forge';
import type { Certificate } from '../../src/smtp-server/certificate.ts';

const DAY_MS = 86_400_000;

/** What a mail server can show: one good certificate and everything that must be refused. */
export interface TestCertificates {
  /** The authority to trust, PEM. */
  readonly ca: string;
  /** For localhost, 127.0.0.1 and ::1. */
  readonly good: Certificate;
  /** As `good`, but it ends in ten days. */
  readonly ending: Certificate;
  /** As `good`, but it ended yesterday. */
  readonly expired: Certificate;
  /** For mail.example.net only. */
  readonly wrongHost: Certificate;
  /** For localhost, vouched for by nobody. */
  readonly selfSigned: Certificate;
}

/** Makes a certificate authority and its certificates. */
export function makeCertificates(): TestCertificates {
  const authority = makeKey();
  const server = makeKey();
  const subject = 'Test CA';
  const ca = sign({ subject, issuer: subject, key: authority, by: authority, isAuthority: true });
  const issued = (hosts: readonly string[], from: number, to: number): Certificate => ({
    key: server.pem,
    cert: sign({ subject: hosts[0] ?? '', issuer: subject, key: server, by: authority, hosts, from, to }),
  });
  const local = ['localhost', '127.0.0.1', '::1'];
  return {
    ca,
    good: issued(local, -1, 30),
    ending: issued(local, -1, 10),
    expired: issued(local, -30, -1),
    wrongHost: issued(['mail.example.net'], -1, 30),
    selfSigned: {
      key: server.pem,
      cert: sign({ subject: 'localhost', issuer: 'localhost', key: server, by: server, hosts: local }),
    },
  };
}

interface Key {
  readonly pem: string;
  readonly publicKey: forge.pki.PublicKey;
  readonly privateKey: forge.pki.rsa.PrivateKey;
}

function makeKey(): Key {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  return {
    pem: privateKey,
    publicKey: forge.pki.publicKeyFromPem(publicKey),
    privateKey: forge.pki.privateKeyFromPem(privateKey),
  };
}

interface Signing {
  readonly subject: string;
  readonly issuer: string;
  readonly key: Key;
  readonly by: Key;
  readonly hosts?: readonly string[];
  readonly from?: number;
  readonly to?: number;
  readonly isAuthority?: boolean;
}

let serial = Date.now();

function sign({ subject, issuer, key, by, hosts = [], from = -1, to = 30, isAuthority = false }: Signing): string {
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = key.publicKey;
  serial += 1;
  certificate.serialNumber = `00${serial.toString(16)}`;
  certificate.validity.notBefore = new Date(Date.now() + from * DAY_MS);
  certificate.validity.notAfter = new Date(Date.now() + to * DAY_MS);
  certificate.setSubject([{ name: 'commonName', value: subject }]);
  certificate.setIssuer([{ name: 'commonName', value: issuer }]);
  const altNames = hosts.map((host) => (/^[\d.]+$|:/.test(host) ? { type: 7, ip: host } : { type: 2, value: host }));
  certificate.setExtensions([
    { name: 'basicConstraints', cA: isAuthority, critical: true },
    ...(altNames.length > 0 ? [{ name: 'subjectAltName', altNames }] : []),
  ]);
  certificate.sign(by.privateKey, forge.md.sha256.create());
  return forge.pki.certificateToPem(certificate);
}
