import type { X509Certificate } from 'node:crypto';
import type { Duplex } from 'node:stream';

/** A server's certificate: its subject, its issuer, its names and its last moment. */
export interface PeerCertificate {
  /** On one line, as `CN=mail.example.com`. */
  readonly subject: string;
  readonly issuer: string;
  /** The names it is valid for, as Node writes them: `DNS:mail.example.com, IP Address:192.0.2.1`. */
  readonly names: string;
  /** Its last moment, ISO 8601 in UTC. */
  readonly expires: string;
}

/** The certificate that the server has shown over a TLS connection; null without TLS. */
export function peerCertificate(socket: Duplex): PeerCertificate | null {
  if (!('getPeerX509Certificate' in socket) || typeof socket.getPeerX509Certificate !== 'function') return null;
  const certificate: X509Certificate | undefined = socket.getPeerX509Certificate();
  if (certificate === undefined) return null;
  const { subject, issuer, subjectAltName = '', validTo } = certificate;
  return {
    subject: oneLine(subject),
    issuer: oneLine(issuer),
    names: subjectAltName,
    expires: new Date(validTo).toISOString(),
  };
}

/** A certificate may have no subject but its names. */
function oneLine(name: string | undefined): string {
  return (name ?? '').replaceAll('\n', ', ');
}
