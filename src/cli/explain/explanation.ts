import { getConnection } from '../../connection/connection.ts';
import type { BackendClass } from '../../connection/registry.ts';
import { makeWithOptions } from '../../connection/target.ts';
import { composeMessage } from '../../mime/compose/compose.ts';
import type { IgnoredReasons } from '../../model/features.ts';
import { reversePath } from '../../model/message.ts';
import type { EmailMessageInit } from '../../model/message-init.ts';
import type { SendStatus } from '../../model/status.ts';
import { resolveSmtpOptions, type SmtpOptions } from '../../smtp/options.ts';
import { type Configuration, readConfiguration } from '../check/configuration.ts';
import { type ConnectionNode, connectionTree, howOf } from './connection-tree.ts';
import { type HttpPlan, planHttp } from './http-plan.ts';
import { planSes, type SesRequest } from './ses-plan.ts';
import { planSession, type SessionPlan } from './session-plan.ts';
import { planWire, throwHeldBack, type WirePlan } from './wire-plan.ts';

/** What a backend would do with a mail. */
export interface Explanation {
  readonly backend: string;
  /** How and where the mail goes, in words. */
  readonly how: string;
  /** What a wrapper is made of; empty for other backends. */
  readonly connections: readonly ConnectionNode[];
  /** The fields that the backend leaves out. */
  readonly ignored: readonly string[];
  /** Why it does, where the backend says it. */
  readonly ignoredReasons: IgnoredReasons;
  readonly envelope: { readonly sender: string; readonly recipients: readonly string[] } | null;
  /** What a connection costs before its first mail; null for other backends than SMTP. */
  readonly session: SessionPlan | null;
  /** One for each set of server extensions; empty for other backends than SMTP. */
  readonly wire: readonly WirePlan[];
  /** Empty for other backends than SES. */
  readonly requests: readonly SesRequest[];
  /** What is asked of a provider with an HTTP API; null for other backends. */
  readonly http: Omit<HttpPlan, 'result'> | null;
  /** The mail as sent; null when the provider makes it from a template. */
  readonly mail: Uint8Array | null;
}

const NOTHING = {
  connections: [],
  ignored: [],
  ignoredReasons: {},
  envelope: null,
  session: null,
  wire: [],
  requests: [],
  http: null,
  mail: null,
};

/** Finds what would happen to a mail. @throws {EmailError} what sending it would throw before the network */
export async function explainMail(target: string | undefined, mail: EmailMessageInit): Promise<Explanation> {
  await getConnection(target).close(); // checks the whole configuration
  const configuration = readConfiguration(target);
  const { backend, backendClass, options } = configuration;
  if (backend === 'smtp') return explainSmtp(mail, configuration);
  if (backend === 'ses') {
    const { requests, status } = await planSes(mail, (client) => makeWithOptions('ses', { ...options, client }));
    throwHeldBack(status);
    const how = howOf(configuration);
    return { ...NOTHING, backend, how, requests, ignored: ignoredOf(status), mail: requests[0]?.mail ?? null };
  }
  const inbox = getConnection('dummy', { store: true }); // stores what any backend is given, after the staging guard
  throwHeldBack(await inbox.sendMessages([mail]));
  const [sent] = inbox.messages;
  if (sent === undefined) throw new Error('the mail was accepted and is missing');
  const message = await sent.materialize();
  const envelope = {
    sender: reversePath(message),
    recipients: message.recipients.map(({ asciiAddress }) => asciiAddress),
  };
  const facts = 'carries' in backendClass ? await explainHttp(backend, backendClass, options, mail) : {};
  const how = howOf(configuration);
  const connections = connectionTree(configuration);
  return { ...NOTHING, backend, how, connections, envelope, mail: composeMessage(message), ...facts };
}

async function explainHttp(
  backend: string,
  { optionTable = {} }: BackendClass,
  options: Readonly<Record<string, unknown>>,
  mail: EmailMessageInit,
): Promise<Pick<Explanation, 'http' | 'ignored' | 'ignoredReasons'>> {
  const { proxy: _, ...plain } = options; // nothing is connected to
  const secrets = Object.entries(options).flatMap(([name, value]) =>
    'secret' in (optionTable[name] ?? {}) && typeof value === 'string' && value !== '' ? [value] : [],
  );
  const connect = (fetch: typeof globalThis.fetch) => makeWithOptions(backend, { ...plain, fetch });
  const { result, ...http } = await planHttp(mail, connect, secrets);
  return { http, ignored: result.ignored, ignoredReasons: result.ignoredReasons ?? {} };
}

async function explainSmtp(mail: EmailMessageInit, configuration: Configuration): Promise<Explanation> {
  const options: SmtpOptions = configuration.options;
  const resolved = resolveSmtpOptions(options);
  // Login, TLS and proxy are for the real server; those within this process need none.
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
  const wire = await planWire(mail, resolved.lmtp, (socket) =>
    makeWithOptions('smtp', { ...plain, security: 'none', debug: false, socket }),
  );
  const [first] = wire;
  return {
    ...NOTHING,
    backend: 'smtp',
    how: howOf(configuration),
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
