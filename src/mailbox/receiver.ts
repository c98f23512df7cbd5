import { ConfigurationError } from '../errors.ts';
import type { Certificate } from '../smtp-server/certificate.ts';
import { generateCertificate } from '../smtp-server/certificate.ts';
import type { Answer, ReceivedMail } from '../smtp-server/hooks.ts';
import { SmtpServer } from '../smtp-server/server.ts';
import type { SmtpSession } from '../smtp-server/session.ts';
import type { JsonValue } from '../util/json.ts';
import type { Chaos } from './chaos.ts';
import type { MailStore } from './mail-store.ts';

/** How the mailbox receives mail by SMTP. */
export interface ReceiverOptions {
  readonly host: string;
  readonly port: number;
  /** null: no STARTTLS. */
  readonly tls: Certificate | null;
  /** Bytes a mail may have. */
  readonly maxSize: number;
}

/** Starts the SMTP side of a mailbox: any sender, any recipient, any credentials. */
export function startReceiver(store: MailStore, chaos: Chaos, options: ReceiverOptions): Promise<SmtpServer> {
  return SmtpServer.start({
    host: options.host,
    port: options.port,
    name: 'amsdal-mailbox',
    maxSize: options.maxSize,
    ...(options.tls === null ? {} : { tls: options.tls }),
    allowInsecureAuth: true,
    // SCRAM is missing: its server must prove that it knows the password, which a catch-all does not.
    authMechanisms: ['PLAIN', 'LOGIN', 'CRAM-MD5', 'XOAUTH2', 'OAUTHBEARER'],
    bareNewlines: 'keep',
    onAuth: () => true,
    onRcpt: (_address, _parameters, session) => unleash(chaos, session),
    onMessage: (mail, session) => `250 2.0.0 Ok: caught as ${take(store, mail, session)}`,
  });
}

/** A certificate as it was given, or one made for localhost; null when the package that makes it is not installed. */
export async function receiverCertificate(given: Certificate | undefined): Promise<Certificate | null> {
  if (given !== undefined) return given;
  try {
    return await generateCertificate();
  } catch (error) {
    if (error instanceof ConfigurationError && error.code === 'missing-dependency') return null;
    throw error;
  }
}

function unleash(chaos: Chaos, session: SmtpSession): Answer | Promise<Answer> {
  const verdict = chaos.draw();
  switch (verdict.kind) {
    case 'accept':
      return undefined;
    case 'refuse':
      return verdict.code === 450
        ? '450 4.7.1 Chaos: refused for now, as the mailbox was told'
        : '550 5.7.1 Chaos: refused, as the mailbox was told';
    case 'drop':
      session.reset();
      return null;
    case 'delay':
      return new Promise((resolve) => {
        setTimeout(resolve, verdict.ms, undefined).unref();
      });
  }
}

function take(store: MailStore, { bytes, envelope }: ReceivedMail, session: SmtpSession): string {
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
