import type { SmtpSession } from '../smtp-server/session.ts';

/** Where a connection is cut: after so many octets the server sent or received, with FIN, RST, or by falling silent. */
export interface Cut {
  /** Whose octets are counted, seen from the server. */
  readonly after: 'sent' | 'received';
  /** How many octets go before. */
  readonly bytes: number;
  /** How the connection ends. */
  readonly how: 'fin' | 'rst' | 'stall';
  /** How many connections are cut, the next ones; all when it is left out. */
  readonly connections?: number;
}

/** What was said on one connection of a scripted server. */
export interface ScriptedConnection {
  /** Counts the connections, from 1. */
  readonly id: number;
  /** Octets the server sent, not counting TLS. */
  readonly sent: number;
  /** Octets the client sent, not counting TLS. */
  readonly received: number;
  /** Whether the connection is encrypted. */
  readonly secure: boolean;
  /** Who authenticated, or null. */
  readonly user: string | null;
  /** The commands, as they were given. */
  readonly commands: readonly string[];
  /** The whole dialogue, secrets and contents included: `S: 220 localhost ESMTP`, `C: EHLO x`, ... */
  readonly transcript: readonly string[];
}

/** Keeps the record of one connection, and cuts it. */
export class ConnectionRecord implements ScriptedConnection {
  readonly id: number;
  readonly #session: SmtpSession;
  readonly #cut: Cut | null;
  readonly #commands: string[] = [];
  readonly #said: { readonly who: 'C' | 'S'; readonly bytes: Uint8Array }[] = [];
  #sent = 0;
  #received = 0;
  #isCut = false;

  constructor(session: SmtpSession, cut: Cut | null) {
    this.id = session.id;
    this.#session = session;
    this.#cut = cut;
  }

  get sent(): number {
    return this.#sent;
  }

  get received(): number {
    return this.#received;
  }

  get secure(): boolean {
    return this.#session.secure;
  }

  get user(): string | null {
    return this.#session.user;
  }

  get commands(): readonly string[] {
    return this.#commands;
  }

  get transcript(): readonly string[] {
    const lines: string[] = [];
    let who = '';
    let text = '';
    const flush = (): void => {
      if (text !== '')
        lines.push(
          ...text
            .replace(/\r?\n$/, '')
            .split(/\r?\n/)
            .map((line) => `${who}: ${line}`),
        );
      text = '';
    };
    for (const said of this.#said) {
      if (said.who !== who) flush();
      who = said.who;
      text += Buffer.from(said.bytes).toString();
    }
    flush();
    return lines;
  }

  /** Notes a command. */
  recordCommand(verb: string, argument: string): void {
    this.#commands.push(argument === '' ? verb : `${verb} ${argument}`);
  }

  /** Lets octets of the client through up to the cut. */
  receive(bytes: Uint8Array): Uint8Array {
    const passed = this.#pass('received', bytes, this.#received);
    this.#received += passed.length;
    if (passed.length > 0) this.#said.push({ who: 'C', bytes: passed });
    return passed;
  }

  /** Lets octets of the server through up to the cut. */
  send(bytes: Uint8Array): Uint8Array {
    const passed = this.#pass('sent', bytes, this.#sent);
    this.#sent += passed.length;
    if (passed.length > 0) this.#said.push({ who: 'S', bytes: passed });
    return passed;
  }

  #pass(way: 'sent' | 'received', bytes: Uint8Array, before: number): Uint8Array {
    const cut = this.#cut;
    if (cut === null || cut.after !== way) return bytes;
    const room = cut.bytes - before;
    if (bytes.length < room) return bytes;
    if (!this.#isCut) {
      this.#isCut = true;
      // When what passes has been obeyed or written.
      if (cut.how !== 'stall') queueMicrotask(() => (cut.how === 'fin' ? this.#session.end() : this.#session.reset()));
    }
    return bytes.subarray(0, Math.max(0, room));
  }
}
