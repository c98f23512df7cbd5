import { EmailConnectionError, type ErrorPhase } from '../model/errors.ts';
import { isError } from '../util/reason.ts';
import { CERTIFICATE_CODE, systemCode } from './network-code.ts';

/** Advice for an alert from the server (RFC 8446, section 6.2) or a local OpenSSL error. */
const ADVICE: readonly (readonly [code: RegExp, advice: string])[] = [
  [/ALERT_CERTIFICATE_REQUIRED/, 'the server wants a certificate of this client: set tls.cert and tls.key'],
  [
    /ALERT_(?:(?:NO|BAD|UNSUPPORTED)_CERTIFICATE|CERTIFICATE_\w+|UNKNOWN_CA)/,
    'the server does not accept the certificate of this client: check tls.cert and tls.key',
  ],
  // TLS 1.2 has no specific alert for a missing certificate.
  [
    /ALERT_HANDSHAKE_FAILURE/,
    'the server may want a certificate of this client (set tls.cert and tls.key), or other versions or ciphers',
  ],
  [/^ERR_OSSL_/, 'check tls.ca, tls.cert, tls.key and tls.passphrase'],
];

/** How to report a handshake with something other than the mail server. */
interface OtherPeer {
  readonly phase: ErrorPhase;
  /** Advice for a certificate that was not accepted. */
  readonly certificate: string;
  /** Advice for anything else. */
  readonly other: string;
}

/** The error for a failed handshake with the server `name`. */
export function handshakeError(error: unknown, name: string, peer?: OtherPeer): EmailConnectionError {
  const system = systemCode(error);
  const facts = { phase: peer?.phase ?? 'tls', cause: error } as const;
  const advice = adviceOn(system);
  // An alert is about this client's certificate, never about the server's.
  if (advice === undefined && CERTIFICATE_CODE.test(system)) {
    const message = `the certificate of ${name} was not accepted: ${opensslReason(error)} (${system})`;
    return new EmailConnectionError('certificate', peer ? `${message}; ${peer.certificate}` : message, facts);
  }
  const message = `no TLS with ${name}: ${opensslReason(error)}; ${peer?.other ?? advice ?? 'check port and security'}`;
  return new EmailConnectionError('tls', message, { ...facts, retryable: system === 'ECONNRESET' });
}

/** Why a connection ended: the code, text and cause for an error. */
interface BrokenConnection {
  readonly code: 'closed' | 'tls';
  readonly message: string;
  readonly cause: Error;
}

/** Why a socket's error ended a connection; a TLS 1.3 server may reject the client after the handshake. */
export function brokenConnection(error: Error): BrokenConnection {
  if (!isOpenSsl(error)) return { code: 'closed', message: `the connection broke: ${error.message}`, cause: error };
  const advice = adviceOn(systemCode(error));
  const message = `TLS broke: ${opensslReason(error)}${advice === undefined ? '' : `; ${advice}`}`;
  return { code: 'tls', message, cause: error };
}

function adviceOn(code: string): string | undefined {
  return ADVICE.find(([pattern]) => pattern.test(code))?.[1];
}

function isOpenSsl(error: Error): boolean {
  return systemCode(error).startsWith('ERR_SSL_') || OPENSSL_TEXT.test(error.message);
}

/** An OpenSSL error: thread, number, library, function, reason, file and line. */
const OPENSSL_TEXT = /\berror:[0-9A-F]+:[^:]*:[^:]*:([^:]+)/i;

/** The reason in an OpenSSL error, or the whole message of another. */
function opensslReason(error: unknown): string {
  if (!isError(error)) return String(error);
  return OPENSSL_TEXT.exec(error.message)?.[1] ?? error.message;
}
