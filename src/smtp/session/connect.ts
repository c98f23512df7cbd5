import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';
import { EmailConnectionError, type ErrorPhase } from '../../model/errors.ts';
import { connected } from '../../net/connect.ts';
import { handshakeError } from '../../net/tls-failure.ts';
import { Deadline } from '../../util/deadline.ts';
import { reasonOf } from '../../util/reason.ts';
import type { ResolvedSmtpOptions } from '../options.ts';

/** Connects to a unix socket. @throws the system's error, and the signal's reason */
export function connectPath(path: string, signal: AbortSignal): Promise<Socket> {
  return connected(process.getBuiltinModule('node:net').connect({ path }), signal);
}

/**
 * Connects by TLS in workerd, which takes no socket over for that, and verifies the certificate and its name by itself.
 *
 * @throws {EmailConnectionError} `tls`, as the runtime does not say whether there was a connection; and the signal's reason
 */
export async function connectTls(host: string, port: number, signal: AbortSignal): Promise<Duplex> {
  const secure = process.getBuiltinModule('node:tls').connect({ host, port });
  return connected(secure, signal, 'secureConnect').catch((cause: unknown) => {
    if (signal.aborted) throw cause;
    const text = `no TLS with ${host}:${port}: ${reasonOf(cause)}; check host, port and the server's certificate`;
    throw new EmailConnectionError('tls', text, { phase: 'tls', retryable: true, cause });
  });
}

/**
 * Starts TLS over a connection and verifies the server's certificate and name (RFC 9525).
 *
 * @throws {EmailConnectionError} code `certificate` naming the check that failed, `tls`, `timeout` or `aborted`.
 */
export async function startTls(socket: Duplex, options: ResolvedSmtpOptions, signal: AbortSignal): Promise<Duplex> {
  const net = process.getBuiltinModule('node:net');
  const tls = process.getBuiltinModule('node:tls');
  const { host, tls: given, timeouts } = options;
  const servername = given.servername ?? (net.isIP(host) ? undefined : host);
  const deadline = new Deadline(timeouts.connect, signal);
  try {
    // The bytes and lists of SmtpTlsOptions are what Node takes, read-only.
    const secure = tls.connect({ minVersion: 'TLSv1.2', ...given, host, socket, servername } as ConnectionOptions);
    await connected(secure, deadline.signal, 'secureConnect');
    return secure;
  } catch (error) {
    socket.destroy();
    if (signal.aborted) throw abortedError(signal, 'tls');
    if (deadline.isOver) {
      throw new EmailConnectionError(
        'timeout',
        `the TLS handshake with ${host} took longer than ${timeouts.connect} ms`,
        {
          phase: 'tls',
          retryable: true,
        },
      );
    }
    throw handshakeError(error, servername ?? host);
  } finally {
    deadline.clear();
  }
}

/** The error for a call that its signal ended before anything was sent. */
export function abortedError(signal: AbortSignal, phase: ErrorPhase): EmailConnectionError {
  return new EmailConnectionError('aborted', 'the call was aborted', { phase, cause: signal.reason });
}
