import { ConfigurationError } from '../../model/errors.ts';
import type { Certificate } from '../../smtp-server/certificate.ts';
import { generateCertificate } from '../../smtp-server/certificate.ts';
import type { Answer, ReceivedMail } from '../../smtp-server/hooks.ts';
import { SmtpServer } from '../../smtp-server/server.ts';
import type { SmtpSession } from '../../smtp-server/session.ts';
import type { JsonValue } from '../../util/json.ts';
import type { MailStore } from '../store/mail-store.ts';
import { type Chaos, chaosReply } from './chaos.ts';

/** Where mail is received. */
export interface SmtpAddress {
  /** The server's name or address. */
  readonly host: string;
  /** The server's port. */
  readonly port: number;
  /** Whether STARTTLS is offered. */
  readonly startTls: boolean;
}

/** Options of the SMTP receiver. */
export interface ReceiverOptions {
  readonly host: string;
  readonly port: number;
  /** null: no STARTTLS. */
  readonly tls: Certificate | null;
  /** How many bytes a mail may have. */
  readonly maxSize: number;
}

/** Starts the SMTP receiver of a mailbox; it accepts any sender, recipient and credentials. */
export function startReceiver(store: MailStore, chaos: Chaos, options: ReceiverOptions): Promise<SmtpServer> {
  return SmtpServer.start({
    host: options.host,
    port: options.port,
    name: 'amsdal-mailbox',
    maxSize: options.maxSize,
    ...(options.tls === null ? {} : { tls: options.tls }),
    allowInsecureAuth: true,
    // Without SCRAM, where the server must prove that it knows the password.
    authMechanisms: ['PLAIN', 'LOGIN', 'CRAM-MD5', 'XOAUTH2', 'OAUTHBEARER'],
    bareNewlines: 'keep',
    onAuth: () => true,
    onRcpt: (_address, _parameters, session) => answerRcpt(chaos, session),
    onMessage: (mail, session) => `250 2.0.0 Ok: caught as ${addMail(store, mail, session)}`,
  });
}

/** The given certificate, or one made for localhost; null when the package that makes it is not installed. */
export async function receiverCertificate(given: Certificate | undefined): Promise<Certificate | null> {
  if (given !== undefined) return given;
  try {
    return await generateCertificate();
  } catch (error) {
    if (error instanceof ConfigurationError && error.code === 'missing-dependency') return null;
    throw error;
  }
}

function answerRcpt(chaos: Chaos, session: SmtpSession): Answer | Promise<Answer> {
  const verdict = chaos.draw();
  switch (verdict.kind) {
    case 'accept':
      return undefined;
    case 'refuse': {
      const { code, enhancedCode, text } = chaosReply(verdict.code);
      return `${code} ${enhancedCode} ${text}`;
    }
    case 'drop':
      session.reset();
      return null;
    case 'delay':
      return new Promise((resolve) => {
        setTimeout(resolve, verdict.ms, undefined).unref();
      });
  }
}

function addMail(store: MailStore, { bytes, envelope }: ReceivedMail, session: SmtpSession): string {
  const facts: Record<string, JsonValue> = {
    ...(session.clientName === null ? {} : { client: session.clientName }),
    ...(session.user === null ? {} : { user: session.user }),
    tls: session.secure,
    ...envelope.parameters.mail,
  };
  const rcpt = envelope.parameters.rcpt.flatMap((parameters, index) =>
    Object.entries(parameters).map(([name, value]) => [`${name} (${envelope.rcptTo[index]})`, value] as const),
  );
  const { id } = store.add({
    bytes,
    envelope: { from: envelope.mailFrom, to: envelope.rcptTo },
    via: 'smtp',
    facts: { ...facts, ...Object.fromEntries(rcpt.slice(0, 50)) },
  });
  return id;
}
