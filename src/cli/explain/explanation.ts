import { getConnection } from '../../connection.ts';
import { makeWithOptions } from '../../connection-target.ts';
import type { EmailMessageInit } from '../../message-init.ts';
import { composeMessage } from '../../mime/compose.ts';
import { locationOf, resolveSmtpOptions, type SmtpOptions } from '../../smtp/options.ts';
import type { SendStatus } from '../../status.ts';
import { readConfiguration } from '../check/configuration.ts';
import { planSes, type SesRequest } from './ses-plan.ts';
import { planSession, type SessionPlan } from './session-plan.ts';
import { planWire, throwHeldBack, type WirePlan } from './wire-plan.ts';

/** What a backend would do with a mail. */
export interface Explanation {
  readonly backend: string;
  /** Where the mail goes, in words. */
  readonly how: string;
  /** What of the mail the backend leaves out. */
  readonly ignored: readonly string[];
  readonly envelope: { readonly sender: string; readonly recipients: readonly string[] } | null;
  /** What a connection costs before its first mail; null without SMTP. */
  readonly session: SessionPlan | null;
  /** By what the server offers; empty without SMTP. */
  readonly wire: readonly WirePlan[];
  /** Empty without SES. */
  readonly requests: readonly SesRequest[];
  /** The mail as it leaves; null when it is made from a template elsewhere. */
  readonly mail: Uint8Array | null;
}

const NOTHING = { ignored: [], envelope: null, session: null, wire: [], requests: [], mail: null };

/** Tells what becomes of a mail. @throws {EmailError} what sending it would throw before the network */
export async function explainMail(target: string | undefined, mail: EmailMessageInit): Promise<Explanation> {
  await getConnection(target).close(); // it checks the whole configuration
  const { backend, backendClass, options } = readConfiguration(target);
  if (backend === 'smtp') return explainSmtp(mail, options);
  if (backend === 'ses') {
    const { requests, status } = await planSes(mail, (client) => makeWithOptions('ses', { ...options, client }));
    throwHeldBack(status);
    const how = 'over HTTPS to Amazon SES, a round trip for each request on a connection that is kept';
    return { ...NOTHING, backend, how, requests, ignored: ignoredOf(status), mail: requests[0]?.mail ?? null };
  }
  const inbox = getConnection('dummy', { store: true }); // it has what any backend is given, behind the staging guard
  throwHeldBack(await inbox.sendMessages([mail]));
  const [sent] = inbox.messages;
  if (sent === undefined) throw new Error('the mail was taken and is not there');
  const message = await sent.materialize();
  const { recipients, parsed, envelopeSender } = message;
  const sender = envelopeSender === '' ? '' : (parsed.envelopeSender ?? parsed.from).asciiAddress;
  const envelope = { sender, recipients: recipients.map(({ asciiAddress }) => asciiAddress) };
  const { about } = backendClass;
  const how = about ? `the ${backend} backend ${about}` : 'how it is sent is known to its class alone';
  return { ...NOTHING, backend, how, envelope, mail: composeMessage(message) };
}

async function explainSmtp(mail: EmailMessageInit, options: SmtpOptions): Promise<Explanation> {
  const resolved = resolveSmtpOptions(options);
  const { lmtp, security } = resolved;
  // Login, TLS and proxy are for the server that is meant; those of this process are asked in clear.
  const {
    username: _,
    password: __,
    accessToken: ___,
    oauth2: ____,
    authMethod: _____,
    useTls: ______,
    useSsl: _______,
    proxy: ________,
    ...plain
  } = options;
  const wire = await planWire(mail, lmtp, (socket) =>
    makeWithOptions('smtp', { ...plain, security: 'none', debug: false, socket }),
  );
  const [first] = wire;
  return {
    ...NOTHING,
    backend: 'smtp',
    how: `by ${lmtp ? 'LMTP' : 'SMTP'} to ${locationOf(resolved)}, TLS: ${security}`,
    session: planSession(resolved),
    wire,
    ignored: first ? ignoredOf(first.status) : [],
    envelope: first ? { sender: first.mail.envelope.mailFrom, recipients: first.mail.envelope.rcptTo } : null,
    mail: first?.mail.bytes ?? null,
  };
}

function ignoredOf({ results }: SendStatus): readonly string[] {
  return results[0]?.ignored ?? [];
}
