/// <reference lib="esnext.disposable" preserve="true" />
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer, Awaitable, ReceivedMail, Reply, SmtpServerHooks } from '../../smtp-server/hooks.ts';
import type { SmtpServerSettings } from '../../smtp-server/options.ts';
import { isList, isPositive } from '../../smtp-server/reply.ts';
import { SmtpServer } from '../../smtp-server/server.ts';
import type { SmtpSession } from '../../smtp-server/session.ts';
import { ConnectionRecord, type Cut, type ScriptedConnection } from './scripted-connection.ts';

/**
 * A step of the dialogue: `connect` (the greeting), a command's verb in upper case, `RESPONSE` (the response to a 334
 * challenge) or `message` (the reply after the content).
 */
export type Step = 'connect' | 'message' | Uppercase<string>;

/** A misbehaviour of the server at a step, instead of its usual reply. */
export interface Fault {
  /** The reply; bytes are sent as they are (half a line, a flood, two replies). Default: none, the server stays silent. */
  readonly reply?: Reply;
  /** Milliseconds to wait before the reply. */
  readonly delayMs?: number;
  /** Ends the connection after the reply, with FIN or with RST (without TLS only). */
  readonly end?: 'fin' | 'rst';
}

/** A reply, a fault, or for LMTP's `message` a reply for each recipient; undefined is the usual reply. */
export type Act = Reply | Fault | readonly Reply[] | undefined;

/** The circumstances of a step, for a function that decides an act. */
export interface StepContext {
  /** The text after the verb: `TO:<a@x.org>`; '' when the step is not a command. */
  readonly argument: string;
  /** How many times this step has occurred since the start or the last reset, from 1. */
  readonly count: number;
  /** The record of this connection so far. */
  readonly connection: ScriptedConnection;
}

/** How a {@link ScriptedSmtpServer} behaves at steps that its script does not mention. */
export interface ScriptedSmtpServerOptions extends SmtpServerSettings {
  /** The passwords or tokens that users may authenticate with, by user name; default none: AUTH is not offered. */
  readonly users?: Readonly<Record<string, string>>;
  /** Waits for `delayMs`; default a timer. A test can pass its own clock. */
  readonly delay?: (milliseconds: number) => Promise<unknown>;
}

/**
 * An SMTP server for tests that plays a script of replies and faults, and records the dialogue.
 *
 * @example
 * await using server = await ScriptedSmtpServer.start();
 * server.on('RCPT', ({ argument }) => (argument.includes('bob@') ? '550 5.1.1 No such user' : undefined));
 * server.once('message', { reply: '250 2.0', end: 'rst' });
 */
export class ScriptedSmtpServer implements AsyncDisposable {
  readonly #delay: (milliseconds: number) => Promise<unknown>;
  readonly #users: Readonly<Record<string, string>>;
  readonly #always = new Map<Step, (context: StepContext) => Act>();
  readonly #next = new Map<Step, Act[]>();
  readonly #counts = new Map<Step, number>();
  #records = new WeakMap<SmtpSession, ConnectionRecord>();
  #cut: Cut | null = null;
  #connections: ScriptedConnection[] = [];
  #messages: ReceivedMail[] = [];
  #server: SmtpServer | null = null;

  private constructor(options: ScriptedSmtpServerOptions) {
    this.#delay = options.delay ?? ((milliseconds) => sleep(milliseconds, undefined, { ref: false }));
    this.#users = options.users ?? {};
  }

  /** Starts a server, by default on a free port of 127.0.0.1 and with `strictPipelining` (RFC 2920). */
  static async start(options: ScriptedSmtpServerOptions = {}): Promise<ScriptedSmtpServer> {
    const { users, delay, ...settings } = options;
    const scripted = new ScriptedSmtpServer(options);
    await scripted.#open(settings);
    return scripted;
  }

  /** The address the server listens on. */
  get host(): string {
    return this.#running.host;
  }

  /** The port the server listens on. */
  get port(): number {
    return this.#running.port;
  }

  /** The server's certificate, PEM, for a client to trust; null without TLS. */
  get certificate(): string | null {
    return this.#running.certificate;
  }

  /** Every connection since the start or the last reset, in order. */
  get connections(): readonly ScriptedConnection[] {
    return this.#connections;
  }

  /** How many connections are open now. */
  get openConnections(): number {
    return this.#running.connections;
  }

  /** The accepted mails: those with a positive final reply, whether or not the client received that. */
  get messages(): readonly ReceivedMail[] {
    return this.#messages;
  }

  /** All commands, such as `MAIL FROM:<a@x.org>`, connection by connection. */
  get commands(): readonly string[] {
    return this.#connections.flatMap((connection) => connection.commands);
  }

  /** Acts at every occurrence of a step; a function decides each time. */
  on(step: Step, act: Act | ((context: StepContext) => Act)): this {
    this.#always.set(step, typeof act === 'function' ? act : () => act);
    return this;
  }

  /** Acts at the next occurrence of a step only, instead of what `on` set; further calls apply to later occurrences. */
  once(step: Step, act: Act): this {
    this.#next.set(step, [...(this.#next.get(step) ?? []), act]);
    return this;
  }

  /** Cuts connections from now on, after exactly that many bytes; under TLS, of cleartext. */
  cut(cut: Cut): this {
    this.#cut = cut;
    return this;
  }

  /** Discards the script and the records, and closes all connections; the port remains open. */
  reset(): void {
    this.#cut = null;
    for (const map of [this.#always, this.#next, this.#counts]) map.clear();
    this.#records = new WeakMap();
    this.#connections = [];
    this.#messages = [];
    this.#running.closeConnections();
  }

  /** Closes all connections and stops listening. */
  close(): Promise<void> {
    return this.#running.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #running(): SmtpServer {
    if (this.#server === null) throw new Error('the server was not started');
    return this.#server;
  }

  async #open(settings: SmtpServerSettings): Promise<void> {
    this.#server = await SmtpServer.start({ strictPipelining: true, ...settings, ...this.#hooks() });
  }

  #hooks(): SmtpServerHooks {
    return {
      onConnect: (session) => this.#play('connect', '', session, first),
      onCommand: (verb, argument, session) => {
        this.#records.get(session)?.recordCommand(verb, argument);
        // Any verb is a step; the session passes it in upper case.
        return this.#play(verb as Uppercase<string>, argument, session, first);
      },
      onMessage: (mail, session) => {
        const messages = this.#messages; // not those of a reset during the delay
        return this.#play('message', '', session, (answers) => {
          if (isList(answers) ? answers.some(isPositive) : isPositive(answers)) messages.push(mail);
          return answers;
        });
      },
      ...(Object.keys(this.#users).length > 0 && {
        onAuth: (attempt) => {
          const secret = Object.hasOwn(this.#users, attempt.username) ? this.#users[attempt.username] : undefined;
          return secret !== undefined && attempt.matches(secret);
        },
      }),
      onReceive: (bytes, session) => this.#connectionOf(session).receive(bytes),
      onSend: (bytes, session) => this.#connectionOf(session).send(bytes),
    };
  }

  #connectionOf(session: SmtpSession): ConnectionRecord {
    const known = this.#records.get(session);
    if (known !== undefined) return known;
    const cut = this.#cut;
    if (cut?.connections !== undefined) {
      this.#cut = cut.connections > 1 ? { ...cut, connections: cut.connections - 1 } : null;
    }
    const connection = new ConnectionRecord(session, cut);
    this.#records.set(session, connection);
    this.#connections.push(connection);
    return connection;
  }

  #play<T>(
    step: Step,
    argument: string,
    session: SmtpSession,
    use: (answers: Answer | readonly Answer[]) => T,
  ): Awaitable<T> {
    const count = (this.#counts.get(step) ?? 0) + 1;
    this.#counts.set(step, count);
    const connection = this.#connectionOf(session);
    const queue = this.#next.get(step);
    const act = queue?.length ? queue.shift() : this.#always.get(step)?.({ argument, count, connection });
    if (!isFault(act)) return use(act);
    const answer = (): T => {
      if (act.end !== undefined) session.endAfterReply(act.end);
      return use(act.reply ?? null);
    };
    return act.delayMs === undefined ? answer() : this.#delay(act.delayMs).then(answer);
  }
}

function isFault(act: Act): act is Fault {
  return typeof act === 'object' && !(act instanceof Uint8Array) && !Array.isArray(act);
}

function first(answers: Answer | readonly Answer[]): Answer {
  return isList(answers) ? answers[0] : answers;
}
