import type { Duplex } from 'node:stream';
import { EmailConnectionError, type ErrorPhase, type ServerReply } from '../errors.ts';
import { authenticate } from './auth.ts';
import { type Capabilities, NO_CAPABILITIES, parseCapabilities } from './capabilities.ts';
import { type Greeting, hello, QUIT, STARTTLS } from './commands.ts';
import { dial, startTls } from './connect.ts';
import type { ResolvedSmtpOptions } from './options.ts';
import { Transcript } from './transcript.ts';
import { type Failure, Wire, type WireOwner } from './wire.ts';

/** A session that is ready for mail. */
export interface Session {
  readonly wire: Wire;
  readonly capabilities: Capabilities;
  readonly isSecure: boolean;
}

/** How long a server may take to answer QUIT before it is hung up on. */
export const QUIT_GRACE_MS = 1_000;

/**
 * Opens a session: connection, greeting, EHLO, TLS, EHLO again, AUTH (RFC 5321, 3207, 4954).
 *
 * @throws {EmailConnectionError} with the phase that failed; the connection is closed by then.
 */
export async function openSession(options: ResolvedSmtpOptions, signal: AbortSignal): Promise<Session> {
  const transcript = new Transcript(options.debug ?? undefined);
  const { credentials } = options;
  if (credentials?.password) hideSecret(transcript, credentials.password);
  let socket = await dial(options, signal);
  transcript.note('connected');
  let isSecure = options.security === 'implicit';
  if (isSecure) socket = await startTls(socket, options, signal);
  let dialogue = new Dialogue(socket, transcript, options, signal);
  try {
    await greet(dialogue);
    let capabilities = await introduce(dialogue, options);
    if (!isSecure && mayStartTls(dialogue, capabilities, options)) {
      const upgraded = await upgrade(dialogue, options, signal);
      if (upgraded) {
        dialogue = new Dialogue(upgraded, transcript, options, signal);
        isSecure = true;
        // What was said before TLS may have been an attacker's (RFC 3207, section 4.2).
        capabilities = await introduce(dialogue, options);
      }
    }
    if (credentials) {
      if (!isSecure && !options.allowInsecureAuth) throw insecure(dialogue);
      await authenticate(dialogue, capabilities, credentials, options.authMethod);
    }
    return { wire: dialogue.release(), capabilities, isSecure };
  } catch (error) {
    dialogue.close();
    throw error;
  }
}

/** One command at a time, for the part of a session before mail. */
class Dialogue implements WireOwner {
  readonly transcript: Transcript;
  readonly wire: Wire;
  readonly #options: ResolvedSmtpOptions;
  readonly #signal: AbortSignal;
  #phase: ErrorPhase = 'greeting';
  #waiting: { resolve(reply: ServerReply): void; reject(error: EmailConnectionError): void } | null = null;
  #failure: Failure | null = null;

  constructor(socket: Duplex, transcript: Transcript, options: ResolvedSmtpOptions, signal: AbortSignal) {
    this.transcript = transcript;
    this.#options = options;
    this.#signal = signal;
    const { timeouts } = options;
    this.wire = new Wire(socket, this, transcript, Math.min(...Object.values(timeouts)));
    signal.addEventListener('abort', this.#onAbort);
    if (signal.aborted) this.#onAbort();
  }

  command(line: string, phase: ErrorPhase, shown?: string): Promise<ServerReply> {
    this.wire.write(line);
    const reply = this.read(phase);
    this.wire.flush(shown);
    return reply;
  }

  read(phase: ErrorPhase): Promise<ServerReply> {
    this.#phase = phase;
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      if (this.#failure) this.onFailure(this.#failure);
      else this.wire.expect(1);
    });
  }

  refusal(
    phase: ErrorPhase,
    code: 'greeting' | 'protocol' | 'tls',
    what: string,
    reply: ServerReply,
  ): EmailConnectionError {
    return new EmailConnectionError(code, `${what}: ${describe(reply)}`, {
      phase,
      reply,
      retryable: reply.code < 500,
      transcript: this.transcript.lines,
    });
  }

  /** Hands the wire over to the pipeline, which sets itself as its owner; it must be alive, or nobody would be told. */
  release(): Wire {
    if (this.#failure) throw this.#error(this.#failure);
    this.#signal.removeEventListener('abort', this.#onAbort);
    return this.wire;
  }

  detach(): Duplex {
    this.#signal.removeEventListener('abort', this.#onAbort);
    return this.wire.detach();
  }

  close(): void {
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.wire.hangUp(QUIT);
  }

  onReply(): void {
    const reply = this.wire.reply();
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.resolve(reply);
  }

  onPause(): void {}

  onEarlyReply(): void {}

  onDrain(): void {}

  timeoutMs(): number {
    return this.#phase === 'greeting' ? this.#options.timeouts.greeting : this.#options.timeouts.reply;
  }

  onFailure(failure: Failure): void {
    this.#failure = failure;
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.reject(this.#error(failure));
  }

  #error(failure: Failure): EmailConnectionError {
    return new EmailConnectionError(failure.code, failure.message, {
      phase: this.#phase,
      retryable: failure.code !== 'aborted' && failure.code !== 'protocol',
      ...(failure.reply && { reply: failure.reply }),
      transcript: this.transcript.lines,
      cause: failure.cause,
    });
  }

  readonly #onAbort = (): void => {
    this.wire.fail({ code: 'aborted', message: 'the call was aborted', cause: this.#signal.reason });
  };
}

/** Waits for the whole greeting: who talks earlier is taken for a spammer (RFC 5321, section 3.1). */
async function greet(dialogue: Dialogue): Promise<void> {
  const reply = await dialogue.read('greeting');
  if (reply.code !== 220)
    throw dialogue.refusal('greeting', 'greeting', 'the server does not take mail from here', reply);
}

async function introduce(dialogue: Dialogue, options: ResolvedSmtpOptions): Promise<Capabilities> {
  const name = options.name ?? clientName(dialogue.wire.socket);
  const verb: Greeting = options.lmtp ? 'LHLO' : 'EHLO';
  const reply = await dialogue.command(hello(verb, name), 'ehlo');
  if (reply.code === 250) return parseCapabilities(reply.text);
  const isOld = reply.code === 500 || reply.code === 502 || reply.code === 504;
  if (!isOld || options.lmtp) throw dialogue.refusal('ehlo', 'protocol', `the server refused ${verb}`, reply);
  const second = await dialogue.command(hello('HELO', name), 'ehlo');
  if (second.code !== 250) throw dialogue.refusal('ehlo', 'protocol', 'the server refused EHLO and HELO', second);
  return NO_CAPABILITIES;
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

async function upgrade(dialogue: Dialogue, options: ResolvedSmtpOptions, signal: AbortSignal): Promise<Duplex | null> {
  const reply = await dialogue.command(STARTTLS, 'tls');
  if (reply.code !== 220) {
    if (options.security === 'opportunistic') return null;
    throw dialogue.refusal('tls', 'tls', 'the server refused STARTTLS, and TLS was asked for', reply);
  }
  if (dialogue.wire.isClosed || dialogue.wire.hasUnreadInput) {
    // Somebody put these bytes into the clear stream to have them taken for the server's secured words (CVE-2021-38371 and kin).
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

/** A full domain name where the machine has one, else its address (RFC 5321, section 4.1.4). */
function clientName(socket: Duplex): string {
  const hostname = process.getBuiltinModule('node:os').hostname();
  if (/^(?=.{4,255}$)[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z][A-Za-z0-9-]+$/.test(hostname)) return hostname;
  const address =
    'localAddress' in socket && typeof socket.localAddress === 'string' ? socket.localAddress : '127.0.0.1';
  const v4 = address.replace(/^::ffff:/i, '');
  return v4.includes(':') ? `[IPv6:${v4.replace(/%.*$/, '')}]` : `[${v4}]`;
}

/** The forms in which a server may echo a password. */
function hideSecret(transcript: Transcript, password: string): void {
  transcript.hide(password);
  transcript.hide(Buffer.from(password, 'utf8').toString('base64'));
}

/** A reply as it is quoted in an error's message. */
export function describe({ code, enhancedCode, text }: ServerReply): string {
  return [code, enhancedCode, text.replaceAll('\n', ' ')].filter((part) => part !== null && part !== '').join(' ');
}
