/// <reference lib="esnext.disposable" preserve="true" />
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer, Awaitable, ReceivedMail, Reply, SmtpServerHooks } from '../smtp-server/hooks.ts';
import type { SmtpServerSettings } from '../smtp-server/options.ts';
import { isPositive } from '../smtp-server/reply.ts';
import { SmtpServer } from '../smtp-server/server.ts';
import type { SmtpSession } from '../smtp-server/session.ts';
import { ConnectionRecord, type Cut, type ScriptedConnection } from './scripted-connection.ts';

/**
 * A place in the dialogue: `connect` (the greeting), a command's verb in upper case, `RESPONSE` (a line that answers a
 * 334 challenge) or `message` (the reply after the content).
 */
export type Step = 'connect' | 'message' | Uppercase<string>;

/** What the server does at a step instead of its usual reply. */
export interface Fault {
  /** The reply; octets are sent as they are (half a line, a flood, two replies). Without it the server says nothing. */
  readonly reply?: Reply;
  /** Milliseconds to wait before. */
  readonly delayMs?: number;
  /** Ends the connection after the reply, with FIN or with RST (without TLS only). */
  readonly end?: 'fin' | 'rst';
}

/** A reply, a fault, or for LMTP's `message` a reply for each recipient; nothing is the usual reply. */
export type Act = Reply | Fault | readonly Reply[] | undefined;

/** What an act can be decided by. */
export interface StepContext {
  /** What follows the verb: `TO:<a@x.org>`; '' where there is no command. */
  readonly argument: string;
  /** How often this step came since the script began or was reset, from 1. */
  readonly count: number;
  /** What was said on this connection so far. */
  readonly connection: ScriptedConnection;
}

/** How a {@link ScriptedSmtpServer} behaves where its script says nothing. */
export interface ScriptedSmtpServerOptions extends SmtpServerSettings {
  /** Who may authenticate: passwords or tokens by user name. Without it AUTH is not offered. */
  readonly users?: Readonly<Record<string, string>>;
  /** Waits for `delayMs`; a test can give its own clock. */
  readonly delay?: (milliseconds: number) => Promise<unknown>;
}

/**
 * An SMTP server for tests that plays a script of replies and faults and records all that was said.
 *
 * @example
 * await using server = await ScriptedSmtpServer.start();
 * server.on('RCPT', ({ argument }) => (argument.includes('bob@') ? '550 5.1.1 No such user' : undefined));
 * server.once('message', { reply: '250 2.0', end: 'rst' });
 */
export class ScriptedSmtpServer implements AsyncDisposable {
  readonly #delay: (milliseconds: number) => Promise<unknown>;
  readonly #users: Readonly<Record<string, string>>;
  readonly #every = new Map<Step, (context: StepContext) => Act>();
  readonly #next = new Map<Step, Act[]>();
  readonly #counts = new Map<Step, number>();
  #live = new WeakMap<SmtpSession, ConnectionRecord>();
  #cut: Cut | null = null;
  #connections: ScriptedConnection[] = [];
  #messages: ReceivedMail[] = [];
  #server: SmtpServer | null = null;

  private constructor(options: ScriptedSmtpServerOptions) {
    this.#delay = options.delay ?? ((milliseconds) => sleep(milliseconds, undefined, { ref: false }));
    this.#users = options.users ?? {};
  }

  /** Starts a server on a free port of 127.0.0.1; it holds clients to RFC 2920 (`strictPipelining`) unless told otherwise. */
  static async start(options: ScriptedSmtpServerOptions = {}): Promise<ScriptedSmtpServer> {
    const { users, delay, ...settings } = options;
    const scripted = new ScriptedSmtpServer(options);
    await scripted.#open(settings);
    return scripted;
  }

  /** The address it listens on. */
  get host(): string {
    return this.#running.host;
  }

  /** The port it listens on. */
  get port(): number {
    return this.#running.port;
  }

  /** The certificate to trust, PEM; null without TLS. */
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

  /** The mails the server took: those whose final reply was decided to be positive, whether or not it was delivered. */
  get messages(): readonly ReceivedMail[] {
    return this.#messages;
  }

  /** Every command of every connection, in order of arrival within a connection: `MAIL FROM:<a@x.org>`. */
  get commands(): readonly string[] {
    return this.#connections.flatMap((connection) => connection.commands);
  }

  /** Acts at every occurrence of a step; a function may decide by what was said. */
  on(step: Step, act: Act | ((context: StepContext) => Act)): this {
    this.#every.set(step, typeof act === 'function' ? act : () => act);
    return this;
  }

  /** Acts at the next occurrence of a step only; several wait in line. They come before what `on` says. */
  once(step: Step, act: Act): this {
    this.#next.set(step, [...(this.#next.get(step) ?? []), act]);
    return this;
  }

  /** Cuts connections from now on after exactly so many octets; under TLS octets are counted as they are in clear. */
  cut(cut: Cut): this {
    this.#cut = cut;
    return this;
  }

  /** Forgets the script and the record, and ends all connections; the port stays. */
  reset(): void {
    this.#cut = null;
    for (const map of [this.#every, this.#next, this.#counts]) map.clear();
    this.#live = new WeakMap();
    this.#connections = [];
    this.#messages = [];
    this.#running.closeConnections();
  }

  /** Ends all connections and stops listening. */
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
        this.#live.get(session)?.recordCommand(verb, argument);
        // Any verb is a step: TypeScript cannot see that it is in upper case.
        return this.#play(verb as Uppercase<string>, argument, session, first);
      },
      onMessage: (mail, session) => {
        const messages = this.#messages; // a reset during the delay begins another record
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
    const known = this.#live.get(session);
    if (known !== undefined) return known;
    const cut = this.#cut;
    if (cut?.connections !== undefined) {
      this.#cut = cut.connections > 1 ? { ...cut, connections: cut.connections - 1 } : null;
    }
    const connection = new ConnectionRecord(session, cut);
    this.#live.set(session, connection);
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
    const act = queue?.length ? queue.shift() : this.#every.get(step)?.({ argument, count, connection });
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

function isList(answers: Answer | readonly Answer[]): answers is readonly Answer[] {
  return Array.isArray(answers);
}

function first(answers: Answer | readonly Answer[]): Answer {
  return isList(answers) ? answers[0] : answers;
}
