import type { Duplex } from 'node:stream';
import type { ConnectionErrorCode, ServerReply } from '../../model/errors.ts';
import { brokenConnection } from '../../net/tls-failure.ts';
import { MIN_QUOTE, withoutQuotes } from '../../util/quoted-content.ts';
import { QUIT } from '../protocol/commands.ts';
import { describe } from '../protocol/refusal.ts';
import { ReplyParser, ReplySyntaxError, toServerReply } from '../protocol/reply.ts';
import { Group } from './group.ts';
import type { Transcript } from './transcript.ts';

/** How long a server may take to close the connection after QUIT. */
const QUIT_GRACE_MS = 1_000;
/** How much of a reply's text is kept, in characters. */
const MAX_TEXT = 4_096;
/** The least bytes of a reply that can quote a mail: its code, and the shortest run that counts. */
const MIN_LINE = 4 + MIN_QUOTE;

/** Why a connection ended: the code and text an error is made of. */
export interface Disconnect {
  readonly code: ConnectionErrorCode;
  readonly message: string;
  readonly cause?: unknown;
  /** The 421 with which the server closed it, if it did. */
  readonly reply?: ServerReply;
  /** Whether the peer closed or reset the connection after all that it sent was read. */
  readonly isByPeer?: boolean;
}

/** What uses a wire: it is notified of every awaited reply, in order, and of the end. */
export interface WireOwner {
  /** A reply arrived; `wire.reply()` reads its text. */
  onReply(code: number): void;
  /** All replies of a chunk have been passed on: the moment to write content and the next group. */
  onRepliesRead(): void;
  /** A reply arrived that was not due; the connection ends right after. */
  onEarlyReply(code: number): void;
  /** What was written has been sent; more may be written. */
  onDrain(): void;
  /** The connection is over; called once. */
  onDisconnect(disconnect: Disconnect): void;
  /** How long the reply that is due next may take, in milliseconds. */
  timeoutMs(): number;
  /** The texts of the mails in flight that a reply with this code may quote. */
  contentTexts(code: number): readonly string[];
}

/**
 * One connection as SMTP sees it: groups of commands out, replies in.
 *
 * Replies are matched by counting: there is no promise, listener or timer for a single command. One lazy timer watches
 * the reply that is due next, from the moment it became due to its last byte.
 */
export class Wire {
  readonly transcript: Transcript;
  readonly socket: Duplex;
  /** Replies that are due: those of commands that were flushed. */
  outstanding = 0;
  /** Whether the socket holds more unsent bytes than its high-water mark. */
  isFull = false;
  #owner: WireOwner;
  readonly #parser: ReplyParser;
  readonly #tickMs: number;
  readonly #group = new Group();
  /** Replies that will be due once the group is flushed. */
  #expected = 0;
  /** Of the reply that is being handled. */
  #lines = '';
  #deadline = Infinity;
  #timer: NodeJS.Timeout | null = null;
  #replies = 0;
  #isClosed = false;

  /** @param tickMs no timeout is shorter than this */
  constructor(socket: Duplex, owner: WireOwner, transcript: Transcript, tickMs: number) {
    this.socket = socket;
    this.transcript = transcript;
    this.#owner = owner;
    this.#tickMs = tickMs;
    this.#parser = new ReplyParser(() => this.#onReply());
    socket.on('data', this.#onData);
    socket.on('drain', this.#onDrain);
    socket.on('error', this.#onError);
    socket.on('end', this.#onEnd);
    socket.on('close', this.#onClose);
  }

  /** Hands the connection to another owner. */
  set owner(owner: WireOwner) {
    this.#owner = owner;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Adds command lines to the group; `shown` stands in for those that hold a secret. */
  write(lines: string, shown: string = lines): void {
    this.#group.addText(lines);
    this.transcript.sent(shown);
  }

  /** Adds content to the group; the bytes must not change until they have been sent. */
  writeContent(bytes: Uint8Array): void {
    this.#group.addBytes(bytes);
    this.transcript.sentContent(bytes.length);
  }

  /** Adds to the replies that become due with the next flush: no reply before it can be to a command of the group. */
  expect(count: number): void {
    this.#expected += count;
  }

  /** Writes the group, with one system call. */
  flush(): void {
    if (this.#isClosed) return;
    if (this.#expected > 0) {
      if (this.outstanding === 0) this.arm(this.#owner.timeoutMs());
      this.outstanding += this.#expected;
      this.#expected = 0;
    }
    if (this.#group.isEmpty) return;
    const parts = this.#group.take();
    if (parts.length > 1) this.socket.cork();
    for (const part of parts) if (!this.socket.write(part)) this.isFull = true;
    if (parts.length > 1) this.socket.uncork();
  }

  /** The reply `onReply` was called for, without secrets and without what it quotes of a mail. */
  reply(): ServerReply {
    const { code, enhancedCode, text } = toServerReply(this.#lines);
    const whole = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
    return { code, enhancedCode, text: this.transcript.redact(whole) };
  }

  /** Sets the time within which the next reply or drain must come, in milliseconds. */
  arm(timeoutMs: number): void {
    this.#deadline = performance.now() + timeoutMs;
    if (this.#timer === null) this.#watch(Math.min(timeoutMs, this.#tickMs));
  }

  /** Nothing is due. */
  disarm(): void {
    this.#deadline = Infinity;
  }

  /** Ends the connection at once and notifies the owner. */
  disconnect(disconnect: Disconnect): void {
    if (this.#isClosed) return;
    this.#stop();
    this.#group.take();
    this.transcript.note(disconnect.message);
    this.socket.destroy();
    this.#owner.onDisconnect(disconnect);
  }

  /** Gives the socket up for STARTTLS: no byte may have come after the reply to it (RFC 3207, section 6). */
  detach(): Duplex {
    this.#stop();
    this.socket.off('data', this.#onData);
    this.socket.off('drain', this.#onDrain);
    this.socket.off('end', this.#onEnd);
    this.socket.off('close', this.#onClose);
    return this.socket;
  }

  /** Whether bytes of a further reply have already arrived. */
  get hasUnreadInput(): boolean {
    return this.#parser.isPartial || this.socket.readableLength > 0;
  }

  /**
   * Says QUIT and closes the connection at once; what was not flushed yet is not sent.
   *
   * @param isPipelined whether QUIT may follow a command that is not answered yet (RFC 2920); else it is left out there
   */
  hangUp(isPipelined = true): void {
    if (this.#isClosed) return;
    this.#group.take();
    this.#sayQuit(isPipelined);
    this.#stop();
    const { socket } = this;
    const timer = setTimeout(() => socket.destroy(), QUIT_GRACE_MS);
    timer.unref();
    socket.end(() => {
      clearTimeout(timer);
      socket.destroy();
    });
  }

  /** Says QUIT and closes the connection; the reply is awaited for a second at most (RFC 5321, section 4.1.1.10). */
  quit(isPipelined: boolean): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    this.#sayQuit(isPipelined);
    this.#stop();
    const { socket } = this;
    return new Promise((resolve) => {
      const timer = setTimeout(() => socket.destroy(), QUIT_GRACE_MS);
      socket.on('close', () => {
        clearTimeout(timer);
        resolve();
      });
      socket.end();
      socket.resume();
    });
  }

  #sayQuit(isPipelined: boolean): void {
    if (isPipelined || this.outstanding === 0) this.write(QUIT);
    this.flush();
  }

  #stop(): void {
    this.#isClosed = true;
    this.#parser.stop();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#isClosed) return;
    this.#replies = 0;
    try {
      this.#parser.push(chunk);
    } catch (error) {
      if (!(error instanceof ReplySyntaxError)) throw error;
      this.transcript.received(`(${this.#parser.unread} octets that are no reply)`);
      this.disconnect({ code: 'protocol', message: error.message });
    }
    if (this.#isClosed) return;
    if (this.#replies > 0) {
      if (this.outstanding > 0) this.arm(this.#owner.timeoutMs());
      this.#owner.onRepliesRead();
    }
  };

  #onReply(): void {
    this.#replies++;
    const { code } = this.#parser;
    this.#lines = this.#read(code);
    this.transcript.received(this.#lines);
    if (this.outstanding === 0) {
      this.#onUnexpected(code);
      return;
    }
    // Before the owner goes on: it may begin with content, which has a time limit of its own.
    if (--this.outstanding === 0) this.disarm();
    this.#owner.onReply(code);
  }

  /** The lines of the reply without what they quote of a mail, which is searched for where there is room for it. */
  #read(code: number): string {
    const lines = this.#parser.read();
    if (this.#parser.size < MIN_LINE) return lines;
    const texts = this.#owner.contentTexts(code);
    if (texts.length === 0) return lines;
    return lines
      .split('\n')
      .map((line) => withoutQuotes(line, texts))
      .join('\n');
  }

  /** A reply to no command: 421 says why the server closes; any other could be taken for the next one (RFC 5321, 3.8). */
  #onUnexpected(code: number): void {
    const reply = this.reply();
    this.#owner.onEarlyReply(code);
    this.disconnect(
      code === 421
        ? closedByServer(reply)
        : { code: 'protocol', message: `the server sent a reply nobody asked for: ${describe(reply)}`, reply },
    );
  }

  readonly #onDrain = (): void => {
    this.isFull = false;
    if (this.#isClosed) return;
    if (this.outstanding > 0) this.arm(this.#owner.timeoutMs());
    else this.disarm();
    this.#owner.onDrain();
  };

  readonly #onError = (error: Error & { readonly syscall?: unknown }): void => {
    // An error in reading comes after all that was sent has been read; one in writing may leave replies unread.
    const isByPeer = error.syscall === 'read' && !this.#parser.isPartial;
    this.disconnect({ ...brokenConnection(error), isByPeer });
  };

  readonly #onEnd = (): void => {
    this.disconnect({ code: 'closed', message: 'the server closed the connection', isByPeer: !this.#parser.isPartial });
  };

  /** Closed without an end from the server: which side closed it is not known. */
  readonly #onClose = (): void => {
    this.disconnect({ code: 'closed', message: 'the connection was closed' });
  };

  #watch(ms: number): void {
    this.#timer = setTimeout(this.#onTick, ms);
    // The socket keeps the process alive while something is due; an idle one must not.
    this.#timer.unref();
  }

  readonly #onTick = (): void => {
    this.#timer = null;
    const left = this.#deadline - performance.now();
    // This process may be the late one: what has arrived by now is read first.
    if (left <= 0) setImmediate(this.#onLate);
    else if (left < Infinity) this.#watch(Math.min(Math.ceil(left), this.#tickMs));
  };

  /** Nothing was read in the meantime that would have moved the deadline. */
  readonly #onLate = (): void => {
    if (this.#isClosed || this.#timer !== null || this.#deadline === Infinity) return;
    this.disconnect({ code: 'timeout', message: 'the server did not answer in time' });
  };
}

/** The end of a connection that the server announced with 421 (RFC 5321, section 3.8). */
export function closedByServer(reply: ServerReply): Disconnect {
  return { code: 'closed', message: `the server closed the connection: ${describe(reply)}`, reply };
}
