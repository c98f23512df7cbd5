import type { AuthAttempt, AuthMechanism } from '../../src/smtp-server/auth.ts';
import type { ReceivedMail } from '../../src/smtp-server/hooks.ts';
import type { SmtpServerOptions } from '../../src/smtp-server/options.ts';
import { SmtpServer } from '../../src/smtp-server/server.ts';
import { makeCertificates, type TestCertificates } from '../servers/certificates.ts';

/** The password, and the token, that a {@link Receiver} takes; ASCII, since smtplib and swaks can send no other. */
export const SECRET = 'pass;word="\\=';

/** A receiver for clients that are not ours: it takes TLS and logins of `jane`, and remembers. */
export interface Receiver extends AsyncDisposable {
  readonly port: number;
  readonly mails: readonly ReceivedMail[];
  readonly attempts: readonly AuthAttempt[];
}

let made: TestCertificates | undefined;

/** The certificates of every {@link Receiver} of this file. */
export function certificates(): TestCertificates {
  made ??= makeCertificates();
  return made;
}

/** Starts a receiver that offers these mechanisms. */
export async function startReceiver(
  authMechanisms?: readonly AuthMechanism[],
  options: SmtpServerOptions = {},
): Promise<Receiver> {
  const mails: ReceivedMail[] = [];
  const attempts: AuthAttempt[] = [];
  const server = await SmtpServer.start({
    tls: certificates().good,
    strictPipelining: true,
    ...(authMechanisms && { authMechanisms }),
    onAuth: (attempt) => {
      attempts.push(attempt);
      return attempt.username === 'jane' && attempt.matches(SECRET);
    },
    onMessage: (mail) => {
      mails.push(mail);
    },
    ...options,
  });
  return { port: server.port, mails, attempts, [Symbol.asyncDispose]: () => server.close() };
}
