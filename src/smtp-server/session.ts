import { reasonOf } from '../util/reason.ts';
import type { AuthAttempt } from './auth.ts';
import { AuthDialogue, type AuthStep } from './auth-dialogue.ts';
import { type Extension, offeredExtensions } from './extensions.ts';
import type { Answer, Awaitable, Reply } from './hooks.ts';
import { InputBuffer, LineFault } from './input-buffer.ts';
import { BAD_SEQUENCE, MailDialogue } from './mail-dialogue.ts';
import type { ResolvedSmtpServerOptions } from './options.ts';
import { formatReply, isPositive } from './reply.ts';

/** Bytes of a line in an AUTH exchange (RFC 4954, section 4). */
const MAX_AUTH_LINE = 12_288;
/** Room for 512 bytes and all parameters (RFC 5321, section 4.5.3.1.4; RFC 6531, section 3.7.5). */
const MAX_COMMAND_LINE = 4096;
const TOO_EARLY = '554 5.5.0 Improper use of command pipelining (RFC 2920)';
/** Commands that end a pipelined group, since the reply decides what may follow (RFC 2920, section 3.1). */
const ENDS_GROUP: ReadonlySet<string> = new Set([
  'EHLO',
  'HELO',
  'LHLO',
  'DATA',
  'AUTH',
  'STARTTLS',
  'QUIT',
  'NOOP',
  'VRFY',
]);

/** What a session requires of its connection; writes are buffered until `flush`. */
export interface SessionWire {
  write(bytes: string | Uint8Array): void;
  flush(): void;
  /** Sends what was written, then starts TLS. */
  startTls(): void;
  /** Sends what was written, then FIN. */
  end(): void;
  /** Sends what was written, then RST. */
  reset(): void;
}

/** The dialogue with one client: bytes in, replies out, decisions by the hooks. */
export class SmtpSession {
  /** The number of the connection at its server, from 1. */
  readonly id: number;
  /** The client's IP address. */
  readonly remoteAddress: string;
  /** Whether the connection is encrypted. */
  secure = false;
  /** The name given with EHLO, HELO or LHLO; null before. */
  clientName: string | null = null;
  /** The name of the authenticated user, or null. */
  user: string | null = null;

  readonly #options: ResolvedSmtpServerOptions;
  readonly #wire: SessionWire;
  readonly #input = new InputBuffer();
  #hasInputEnded = false;
  #isWaiting = false;
  #hasEnded = false;
  #isGreeted = false;
  #endAfterReply: 'fin' | 'rst' | null = null;
  #auth: AuthDialogue | null = null;
  readonly #mail: MailDialogue;

  constructor(id: number, remoteAddress: string, options: ResolvedSmtpServerOptions, wire: SessionWire) {
    this.id = id;
    this.remoteAddress = remoteAddress;
    this.#options = options;
    this.#wire = wire;
    this.#mail = new MailDialogue(this, options, this.#input, {
      say: (reply) => this.#say(reply),
      fail: (reply) => this.#fail(reply),
      ask: (hook, next) => this.#ask(hook, next),
    });
  }

  /** Greets the client. */
  start(): void {
    this.#ask(
      () => this.#options.onConnect?.(this),
      (answer) => {
        if (this.#options.strictPipelining && this.#input.waiting > 0) {
          this.#fail('554 5.5.0 The client spoke before the greeting');
          return;
        }
        this.#isGreeted = isPositive(answer);
        this.#say(answer === undefined ? `220 ${this.#options.name} ${this.#options.lmtp ? 'LMTP' : 'ESMTP'}` : answer);
      },
    );
    this.#run();
  }

  /** Handles the next bytes from the client. */
  receive(bytes: Uint8Array): void {
    if (this.#hasEnded) return;
    this.#input.append(this.#options.onReceive?.(bytes, this) ?? bytes);
    this.#run();
  }

  /** Handles the end of the client's input: replies to what it sent, then ends the connection. */
  receiveEnd(): void {
    this.#hasInputEnded = true;
    this.#run();
  }

  /** Whether a hook's answer is pending, so that more input would only accumulate. */
  get isBusy(): boolean {
    return this.#isWaiting;
  }

  /** Called when TLS is up: discards all earlier knowledge of the client (RFC 3207, section 4.2). */
  secured(): void {
    this.secure = true;
    this.clientName = null;
    this.#mail.reset();
  }

  /** Writes bytes as they are, before the reply to the current command. */
  write(bytes: string | Uint8Array): void {
    this.#wire.write(bytes);
  }

  /** Ends the connection with FIN after what was written; no further command is read. */
  end(): void {
    this.#hasEnded = true;
    this.#wire.end();
  }

  /** Ends the connection with RST after what was written; no further command is read. */
  reset(): void {
    this.#hasEnded = true;
    this.#wire.reset();
  }

  /** Ends the connection, with FIN or RST, after the reply to the current command; no further command is read. */
  endAfterReply(how: 'fin' | 'rst'): void {
    this.#endAfterReply = how;
  }

  #run(): void {
    while (!this.#isWaiting && !this.#hasEnded && this.#step());
    this.#wire.flush();
    if (this.#hasInputEnded && !this.#isWaiting && !this.#hasEnded) this.end();
  }

  /** Handles the next line or piece of content; false when more input is needed. */
  #step(): boolean {
    if (this.#mail.expectsContent) return this.#mail.readContent();
    const first = this.#input.bytes[this.#input.position];
    const isAuth = this.#auth !== null || first === 0x41 || first === 0x61; // a command that begins with A
    const line = this.#input.takeLine(isAuth ? MAX_AUTH_LINE : MAX_COMMAND_LINE);
    if (line === null) return false;
    if (line instanceof LineFault) {
      this.#say(line.reply);
      if (line.isFatal) this.end();
    } else if (this.#auth !== null) this.#command('RESPONSE', line);
    else {
      const space = line.indexOf(' ');
      if (space === -1) this.#command(line.toUpperCase(), '');
      else this.#command(line.slice(0, space).toUpperCase(), line.slice(space + 1));
    }
    return true;
  }

  #command(verb: string, argument: string): void {
    if (this.#isTooEarly(verb)) this.#fail(TOO_EARLY);
    else if (this.#options.onCommand === undefined) this.#execute(verb, argument, undefined);
    else
      this.#ask(
        () => this.#options.onCommand?.(verb, argument, this),
        (answer) => this.#execute(verb, argument, answer),
      );
  }

  #isTooEarly(verb: string): boolean {
    if (!this.#options.strictPipelining || this.#input.waiting === 0 || verb === 'BDAT') return false;
    return ENDS_GROUP.has(verb) || !this.#offers('PIPELINING');
  }

  #execute(verb: string, argument: string, override: Answer): void {
    if (verb === 'BDAT') this.#mail.bdat(argument, override);
    else if (!isPositive(override)) {
      this.#auth = null;
      this.#say(override);
    } else if (!this.#isGreeted && verb !== 'QUIT') this.#say(override ?? BAD_SEQUENCE);
    else {
      const reply = this.#perform(verb, argument, override);
      if (reply !== undefined) this.#say(override ?? reply);
      if (verb === 'QUIT') this.end();
    }
  }

  /** Carries out a command and returns the usual reply, or undefined when it replies itself. */
  #perform(verb: string, argument: string, override: Answer): Reply | undefined {
    switch (verb) {
      case 'MAIL':
        return this.#mail.mail(argument, override);
      case 'RCPT':
        return this.#mail.rcpt(argument, override);
      case 'DATA':
        return this.#mail.data(override);
      case 'RSET':
        this.#mail.reset();
        return '250 2.0.0 Ok';
      case 'EHLO':
      case 'HELO':
      case 'LHLO':
        return this.#hello(verb, argument.trim());
      case 'STARTTLS':
        return this.#startTls(override);
      case 'AUTH':
        return this.#startAuth(argument, override);
      case 'RESPONSE':
        return this.#takeAuthStep(this.#auth?.respond(argument), override);
      case 'NOOP':
        return '250 2.0.0 Ok';
      case 'VRFY':
        return '252 2.5.0 Send a mail and see';
      case 'HELP':
        return '214 2.0.0 See RFC 5321';
      case 'QUIT':
        return '221 2.0.0 Bye';
      default:
        return '500 5.5.1 Unknown command';
    }
  }

  #hello(verb: string, name: string): string {
    const { lmtp } = this.#options;
    if ((verb === 'LHLO') !== lmtp) return `500 5.5.1 Say ${lmtp ? 'LHLO' : 'EHLO'}`;
    if (name === '') return `501 5.5.4 Syntax: ${verb} name`;
    this.clientName = name;
    this.#mail.reset();
    const extensions = verb === 'HELO' ? [] : offeredExtensions(this.#options, this.secure, this.user !== null);
    return [`250 ${this.#options.name}`, ...extensions].join('\n');
  }

  #startTls(override: Answer): string | undefined {
    if (this.secure || !this.#offers('STARTTLS')) return '503 5.5.1 STARTTLS is not available';
    // Pending input arrived in clear, and would be handled as if it had been encrypted (CVE-2011-0411).
    if (this.#input.waiting > 0) this.#fail(TOO_EARLY);
    else {
      this.#say(override ?? '220 2.0.0 Ready to start TLS');
      this.#wire.startTls();
    }
    return undefined;
  }

  #startAuth(argument: string, override: Answer): Reply | undefined {
    const [name = '', initial, extra] = argument.split(' ');
    const mechanism = this.#options.authMechanisms.find((known) => known === name.toUpperCase());
    if (this.clientName === null || this.user !== null || this.#mail.isOpen) return BAD_SEQUENCE;
    if (!this.secure && !this.#options.allowInsecureAuth) return '538 5.7.11 Encryption is required to authenticate';
    if (mechanism === undefined || extra !== undefined) return '504 5.5.4 Unknown mechanism';
    this.#auth = new AuthDialogue(mechanism);
    return this.#takeAuthStep(initial === undefined ? this.#auth.start() : this.#auth.respond(initial), override);
  }

  #takeAuthStep(step: AuthStep | undefined, override: Answer): Reply | undefined {
    if (step === undefined) return BAD_SEQUENCE;
    if ('attempt' in step) {
      this.#ask(
        () => this.#options.onAuth?.(step.attempt, this) ?? false,
        (answer) => this.#judge(step.attempt, override ?? answer),
      );
      return undefined;
    }
    if (step.isLast) this.#auth = null;
    return step.reply;
  }

  #judge(attempt: AuthAttempt, answer: boolean | Reply): void {
    const isAccepted = typeof answer === 'boolean' ? answer : isPositive(answer);
    const usual = isAccepted ? '235 2.7.0 Authentication succeeded' : '535 5.7.8 Authentication credentials invalid';
    if (isAccepted) this.user = attempt.username;
    const step = this.#auth?.conclude(isAccepted, typeof answer === 'boolean' ? usual : answer);
    this.#say(this.#takeAuthStep(step, undefined) ?? null);
  }

  #offers(extension: Extension): boolean {
    return this.#options.extensions.has(extension);
  }

  #say(reply: Answer): void {
    if (typeof reply === 'string') this.#wire.write(formatReply(reply, this.#offers('ENHANCEDSTATUSCODES')));
    else if (reply) this.#wire.write(reply);
    if (this.#endAfterReply === 'rst') this.reset();
    else if (this.#endAfterReply === 'fin' || (typeof reply === 'string' && reply.startsWith('421'))) this.end();
  }

  #fail(reply: string): void {
    this.#say(reply);
    this.end();
  }

  /** Calls a hook and continues with its answer, in the same turn when it is not a promise; a hook that throws answers 451. */
  #ask<T>(hook: () => Awaitable<T>, next: (answer: T | string) => void): void {
    let answer: Awaitable<T> | string;
    try {
      answer = hook();
    } catch (error) {
      answer = failureReply(error);
    }
    if (!isPromiseLike(answer)) {
      next(answer);
      return;
    }
    this.#isWaiting = true;
    void Promise.resolve(answer)
      .catch(failureReply)
      .then((value) => {
        this.#isWaiting = false;
        next(value);
        this.#run();
      });
  }
}

function isPromiseLike<T>(value: Awaitable<T> | string): value is PromiseLike<T> {
  return typeof value === 'object' && value !== null && 'then' in value;
}

function failureReply(error: unknown): string {
  return `451 4.3.0 The receiver's hook failed: ${reasonOf(error).replace(/\s+/g, ' ')}`;
}
