import type { SmtpSession } from '../../smtp-server/session.ts';

/** Cuts a connection after a number of bytes that the server sent or received, with FIN, RST or silence. */
export interface Cut {
  /** Which bytes to count, as seen from the server. */
  readonly after: 'sent' | 'received';
  /** The number of bytes before the cut. */
  readonly bytes: number;
  /** How the connection ends. */
  readonly how: 'fin' | 'rst' | 'stall';
  /** How many of the next connections to cut; default all. */
  readonly connections?: number;
}

/** The record of one connection to a scripted server. */
export interface ScriptedConnection {
  /** The number of the connection at its server, from 1. */
  readonly id: number;
  /** Bytes the server sent, not counting TLS. */
  readonly sent: number;
  /** Bytes the client sent, not counting TLS. */
  readonly received: number;
  /** Whether the connection is encrypted. */
  readonly secure: boolean;
  /** The name of the authenticated user, or null. */
  readonly user: string | null;
  /** The commands as received. */
  readonly commands: readonly string[];
  /** The whole dialogue, secrets and contents included: `S: 220 localhost ESMTP`, `C: EHLO x`, ... */
  readonly transcript: readonly string[];
}

/** Records one connection, and cuts it. */
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

  recordCommand(verb: string, argument: string): void {
    this.#commands.push(argument === '' ? verb : `${verb} ${argument}`);
  }

  /** Passes the client's bytes up to the cut. */
  receive(bytes: Uint8Array): Uint8Array {
    const passed = this.#pass('received', bytes, this.#received);
    this.#received += passed.length;
    if (passed.length > 0) this.#said.push({ who: 'C', bytes: passed });
    return passed;
  }

  /** Passes the server's bytes up to the cut. */
  send(bytes: Uint8Array): Uint8Array {
    const passed = this.#pass('sent', bytes, this.#sent);
    this.#sent += passed.length;
    if (passed.length > 0) this.#said.push({ who: 'S', bytes: passed });
    return passed;
  }

  #pass(direction: 'sent' | 'received', bytes: Uint8Array, before: number): Uint8Array {
    const cut = this.#cut;
    if (cut === null || cut.after !== direction) return bytes;
    const room = cut.bytes - before;
    if (bytes.length < room) return bytes;
    if (!this.#isCut) {
      this.#isCut = true;
      // Once the bytes before the cut have been handled or written.
      if (cut.how !== 'stall') queueMicrotask(() => (cut.how === 'fin' ? this.#session.end() : this.#session.reset()));
    }
    return bytes.subarray(0, Math.max(0, room));
  }
}
