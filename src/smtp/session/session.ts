import type { Duplex } from 'node:stream';
import { EmailConnectionError, type ServerReply } from '../../model/errors.ts';
import type { AuthMethod, ResolvedSmtpOptions } from '../options.ts';
import { type Capabilities, NO_CAPABILITIES, parseCapabilities } from '../protocol/capabilities.ts';
import { type Greeting, hello, STARTTLS } from '../protocol/commands.ts';
import { traceConnect } from '../trace-smtp.ts';
import { authenticate } from './auth.ts';
import { startTls } from './connect.ts';
import { Dialogue } from './dialogue.ts';
import { LoginMemory } from './login-memory.ts';
import { reach } from './reach.ts';
import { Transcript } from './transcript.ts';
import type { Wire } from './wire.ts';

/** A session that is ready for mail. */
export interface Session {
  readonly wire: Wire;
  readonly capabilities: Capabilities;
  /** Whether TLS protects it, with the server's certificate verified. */
  readonly isVerified: boolean;
  /** What the server calls itself in its greeting. */
  readonly server: string;
  /** The TLS version, null without TLS. */
  readonly tls: string | null;
  /** The mechanism that logged in, null without credentials. */
  readonly authMethod: AuthMethod | null;
}

/** How a session is opened. */
export interface OpenTerms {
  /** What is known of logins at this server; shared by all connections of the same user. */
  readonly logins?: LoginMemory;
  /** Whether to log in even if that was refused a moment ago. */
  readonly isFresh?: boolean;
}

/**
 * Opens a session: connection, greeting, EHLO, TLS, EHLO again, AUTH (RFC 5321, 3207, 4954).
 *
 * @throws {EmailConnectionError} with the phase that failed; the connection is closed by then.
 */
export function openSession(
  options: ResolvedSmtpOptions,
  signal: AbortSignal,
  { logins = new LoginMemory(), isFresh = false }: OpenTerms = {},
): Promise<Session> {
  const open = (known: AuthMethod | null) => traceConnect(options, () => connectSession(options, signal, known));
  return options.credentials === null ? open(null) : logins.open(open, signal, isFresh);
}

async function connectSession(
  options: ResolvedSmtpOptions,
  signal: AbortSignal,
  known: AuthMethod | null,
): Promise<Session> {
  try {
    return await negotiate(options, signal, options.lmtp ? 'LHLO' : 'EHLO', known);
  } catch (error) {
    // Some old servers close the connection at EHLO (RFC 5321, section 3.2); HELO has neither TLS nor AUTH.
    const mayBeOld = error instanceof EmailConnectionError && error.phase === 'ehlo' && error.code === 'closed';
    const isHelloEnough = options.security === 'none' && options.credentials === null && !options.lmtp;
    if (!mayBeOld || !isHelloEnough || error.reply) throw error;
    return negotiate(options, signal, 'HELO', known).catch(() => {
      throw error;
    });
  }
}

async function negotiate(
  options: ResolvedSmtpOptions,
  signal: AbortSignal,
  verb: Greeting,
  known: AuthMethod | null,
): Promise<Session> {
  const transcript = new Transcript(options.debug ?? undefined);
  const { credentials } = options;
  if (credentials?.password) hideSecret(transcript, credentials.password);
  const reached = await reach(options, transcript, signal);
  let { socket, dialogue } = reached;
  let isSecure = options.security === 'implicit';
  try {
    let capabilities = await introduce(dialogue, options, verb);
    if (!isSecure && mayStartTls(dialogue, capabilities, options)) {
      const upgraded = await upgrade(dialogue, options, signal);
      if (upgraded) {
        socket = upgraded;
        dialogue = new Dialogue(socket, transcript, options, signal);
        isSecure = true;
        // What was said before TLS may have been an attacker's (RFC 3207, section 4.2).
        capabilities = await introduce(dialogue, options, verb);
      }
    }
    if (credentials && !isSecure && !options.allowInsecureAuth) throw insecure(dialogue);
    const terms = { chosen: options.authMethod, known, isSecure };
    const authMethod = credentials && (await authenticate(dialogue, capabilities, credentials, terms));
    return {
      wire: dialogue.release(),
      capabilities,
      isVerified: isSecure && options.tls.rejectUnauthorized !== false,
      server: reached.server,
      tls: isSecure ? tlsVersion(socket) : null,
      authMethod,
    };
  } catch (error) {
    dialogue.close();
    throw error;
  }
}

async function introduce(dialogue: Dialogue, options: ResolvedSmtpOptions, verb: Greeting): Promise<Capabilities> {
  const name = options.name ?? clientName(dialogue.wire.socket);
  const reply = await dialogue.command(hello(verb, name), 'ehlo');
  if (reply.code === 250) return verb === 'HELO' ? NO_CAPABILITIES : parseCapabilities(reply.text);
  const isOld = verb === 'EHLO' && (reply.code === 500 || reply.code === 502 || reply.code === 504);
  if (!isOld) throw dialogue.refusal('ehlo', 'protocol', `the server refused ${verb}`, reply);
  return introduce(dialogue, options, 'HELO');
}

function mayStartTls(dialogue: Dialogue, capabilities: Capabilities, { security }: ResolvedSmtpOptions): boolean {
  if (security === 'none') return false;
  if (capabilities.startTls) return true;
  if (security === 'opportunistic') return false;
  throw new EmailConnectionError(
    'starttls-unavailable',
    'the server offers no STARTTLS, and TLS was asked for: check port and security, or whether somebody on the way removes it',
    { phase: 'tls', transcript: dialogue.transcript.lines },
  );
}

function upgrade(dialogue: Dialogue, options: ResolvedSmtpOptions, signal: AbortSignal): Promise<Duplex | null> {
  return dialogue.commandThen(STARTTLS, 'tls', (reply) => takeOver(dialogue, reply, options, signal));
}

async function takeOver(
  dialogue: Dialogue,
  reply: ServerReply,
  options: ResolvedSmtpOptions,
  signal: AbortSignal,
): Promise<Duplex | null> {
  if (reply.code !== 220) {
    if (options.security === 'opportunistic') return null;
    throw dialogue.refusal('tls', 'tls', 'the server refused STARTTLS, and TLS was asked for', reply);
  }
  if (dialogue.wire.isClosed || dialogue.wire.hasUnreadInput) {
    // Injected into the clear stream, they would be taken for replies of the server over TLS (CVE-2021-38371).
    throw new EmailConnectionError(
      'protocol',
      'bytes came after the reply to STARTTLS: an attack, or a broken server',
      {
        phase: 'tls',
        transcript: dialogue.transcript.lines,
      },
    );
  }
  const upgraded = await startTls(dialogue.detach(), options, signal);
  dialogue.transcript.note('TLS established');
  return upgraded;
}

function insecure(dialogue: Dialogue): EmailConnectionError {
  return new EmailConnectionError(
    'insecure-auth',
    'credentials are not sent without TLS: set useTls, useSsl or allowInsecureAuth',
    {
      phase: 'auth',
      transcript: dialogue.transcript.lines,
    },
  );
}

/** The name of this machine; '' where it may not be known, as in Deno without --allow-sys. */
function machineName(): string {
  try {
    return process.getBuiltinModule('node:os').hostname();
  } catch {
    return '';
  }
}

/** A full domain name where the machine has one, else its address (RFC 5321, section 4.1.4). */
function clientName(socket: Duplex): string {
  const hostname = machineName();
  if (/^(?=.{4,255}$)[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z][A-Za-z0-9-]+$/.test(hostname)) return hostname;
  const address =
    'localAddress' in socket && typeof socket.localAddress === 'string' ? socket.localAddress : '127.0.0.1';
  const v4 = address.replace(/^::ffff:/i, '');
  return v4.includes(':') ? `[IPv6:${v4.replace(/%.*$/, '')}]` : `[${v4}]`;
}

/** Such as `TLSv1.3`; not every runtime reports it. */
function tlsVersion(socket: Duplex): string {
  const version: unknown =
    'getProtocol' in socket && typeof socket.getProtocol === 'function' ? socket.getProtocol() : null;
  return typeof version === 'string' ? version : 'TLS';
}

/** The forms in which a server may echo a password. */
function hideSecret(transcript: Transcript, password: string): void {
  transcript.hide(password);
  transcript.hide(Buffer.from(password, 'utf8').toString('base64'));
}
