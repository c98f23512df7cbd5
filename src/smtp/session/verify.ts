import type { ResolvedSmtpOptions } from '../options.ts';
import type { LoginMemory } from './login-memory.ts';
import { peerCertificate } from './peer-certificate.ts';
import { openSession } from './session.ts';

/**
 * Opens a session of its own, and reports the server, its certificate and its extensions.
 *
 * @throws {EmailConnectionError} with the phase that failed.
 */
export async function verify(
  options: ResolvedSmtpOptions,
  logins: LoginMemory,
  signal: AbortSignal = new AbortController().signal,
): Promise<Readonly<Record<string, string | number | boolean | null>>> {
  const { wire, server, tls, authMethod, capabilities } = await openSession(options, signal, { logins, isFresh: true });
  const certificate = peerCertificate(wire.socket);
  wire.hangUp();
  const { pipelining, chunking, eightBitMime, smtpUtf8, dsn, maxSize } = capabilities;
  return {
    server,
    proxy: options.proxy?.name ?? null,
    tls,
    certificateSubject: certificate?.subject ?? null,
    certificateIssuer: certificate?.issuer ?? null,
    certificateNames: certificate?.names ?? null,
    certificateExpires: certificate?.expires ?? null,
    authMethod,
    pipelining,
    chunking,
    eightBitMime,
    smtpUtf8,
    dsn,
    maxSize,
  };
}
