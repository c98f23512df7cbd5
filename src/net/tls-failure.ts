import { EmailConnectionError, type ErrorPhase } from '../errors.ts';
import { CERTIFICATE_CODE, systemCode } from '../util/network-code.ts';
import { isError } from '../util/reason.ts';

/** What to change: by the alert that a server sent (RFC 8446, section 6.2), or by what OpenSSL says of this side. */
const ADVICE: readonly (readonly [code: RegExp, advice: string])[] = [
  [/ALERT_CERTIFICATE_REQUIRED/, 'the server wants a certificate of this client: set tls.cert and tls.key'],
  [
    /ALERT_(?:(?:NO|BAD|UNSUPPORTED)_CERTIFICATE|CERTIFICATE_\w+|UNKNOWN_CA)/,
    'the server does not accept the certificate of this client: check tls.cert and tls.key',
  ],
  // TLS 1.2 has no alert of its own for a certificate that is missing.
  [
    /ALERT_HANDSHAKE_FAILURE/,
    'the server may want a certificate of this client (set tls.cert and tls.key), or other versions or ciphers',
  ],
  [/^ERR_OSSL_/, 'check tls.ca, tls.cert, tls.key and tls.passphrase'],
];

/** What is told of a handshake with something other than the mail server. */
export interface OtherPeer {
  readonly phase: ErrorPhase;
  /** What to do about a certificate that was not accepted. */
  readonly certificate: string;
  /** What to do about anything else. */
  readonly other: string;
}

/** The error for a handshake that failed with the server called `name`. */
export function handshakeError(error: unknown, name: string, peer?: OtherPeer): EmailConnectionError {
  const system = systemCode(error);
  const facts = { phase: peer?.phase ?? 'tls', cause: error } as const;
  const advice = adviceOn(system);
  // An alert is the server's verdict on this client, never this client's on the server.
  if (advice === undefined && CERTIFICATE_CODE.test(system)) {
    const message = `the certificate of ${name} was not accepted: ${opensslReason(error)} (${system})`;
    return new EmailConnectionError('certificate', peer ? `${message}; ${peer.certificate}` : message, facts);
  }
  const message = `no TLS with ${name}: ${opensslReason(error)}; ${peer?.other ?? advice ?? 'check port and security'}`;
  return new EmailConnectionError('tls', message, { ...facts, retryable: system === 'ECONNRESET' });
}

/** Why a connection ends: the code and text an error is made of. */
interface BrokenConnection {
  readonly code: 'closed' | 'tls';
  readonly message: string;
  readonly cause: Error;
}

/** Why a connection ends whose socket reports an error; in TLS 1.3 a server judges the handshake after it is over. */
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

/** How OpenSSL writes an error: thread, number, library, function, reason, file and line. */
const OPENSSL_TEXT = /\berror:[0-9A-F]+:[^:]*:[^:]*:([^:]+)/i;

/** The reason alone of an error that OpenSSL wrote. */
function opensslReason(error: unknown): string {
  if (!isError(error)) return String(error);
  return OPENSSL_TEXT.exec(error.message)?.[1] ?? error.message;
}
