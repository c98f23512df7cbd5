import type { Duplex } from 'node:stream';
import { EmailConnectionError, type ErrorPhase, type ServerReply } from '../../model/errors.ts';
import { addAbortListener, removeAbortListener } from '../../util/abort-listeners.ts';
import type { ResolvedSmtpOptions } from '../options.ts';
import { describe } from '../protocol/refusal.ts';
import type { Transcript } from './transcript.ts';
import { type Disconnect, Wire, type WireOwner } from './wire.ts';

interface Waiting {
  resolve(reply: ServerReply): void;
  reject(error: EmailConnectionError): void;
}

/** One command at a time, for the part of a session before mail. */
export class Dialogue implements WireOwner {
  readonly transcript: Transcript;
  readonly wire: Wire;
  readonly #options: ResolvedSmtpOptions;
  readonly #signal: AbortSignal;
  #phase: ErrorPhase = 'greeting';
  #waiting: Waiting | null = null;
  /** Called when everything that came with the reply has been read. */
  #goOn: (() => void) | null = null;
  #disconnect: Disconnect | null = null;

  constructor(socket: Duplex, transcript: Transcript, options: ResolvedSmtpOptions, signal: AbortSignal) {
    this.transcript = transcript;
    this.#options = options;
    this.#signal = signal;
    const { timeouts } = options;
    this.wire = new Wire(socket, this, transcript, Math.min(...Object.values(timeouts)));
    addAbortListener(signal, this.#onAbort);
    if (signal.aborted) this.#onAbort();
  }

  command(line: string, phase: ErrorPhase, shown?: string): Promise<ServerReply> {
    this.wire.write(line, shown);
    return this.read(phase);
  }

  /**
   * Sends a command and calls `next` right after its reply has been read and before anything more is: only there do some
   * runtimes let TLS take a socket over.
   */
  commandThen<T>(line: string, phase: ErrorPhase, next: (reply: ServerReply) => Promise<T>): Promise<T> {
    this.wire.write(line);
    return new Promise((resolve, reject) => {
      const goOn = (reply: ServerReply): void => {
        this.#goOn = () => void next(reply).then(resolve, reject);
      };
      this.#await({ resolve: goOn, reject }, phase);
    });
  }

  read(phase: ErrorPhase): Promise<ServerReply> {
    return new Promise((resolve, reject) => {
      this.#await({ resolve, reject }, phase);
    });
  }

  #await(waiting: Waiting, phase: ErrorPhase): void {
    this.#phase = phase;
    this.#waiting = waiting;
    if (this.#disconnect) this.onDisconnect(this.#disconnect);
    else {
      this.wire.expect(1);
      this.wire.flush();
    }
  }

  /** Waits for something other than the server, unless the connection ends or the signal aborts first. */
  waitFor<T>(outside: Promise<T>, phase: ErrorPhase): Promise<T> {
    this.#phase = phase;
    return new Promise<T>((resolve, reject) => {
      this.#waiting = { resolve: () => {}, reject };
      if (this.#disconnect) this.onDisconnect(this.#disconnect);
      outside
        .finally(() => {
          this.#waiting = null;
        })
        .then(resolve, reject);
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

  /** Hands the wire over to the pipeline, which becomes its owner. @throws {EmailConnectionError} if it has ended already */
  release(): Wire {
    if (this.#disconnect) throw this.#error(this.#disconnect);
    removeAbortListener(this.#signal, this.#onAbort);
    return this.wire;
  }

  detach(): Duplex {
    removeAbortListener(this.#signal, this.#onAbort);
    return this.wire.detach();
  }

  close(): void {
    removeAbortListener(this.#signal, this.#onAbort);
    this.wire.hangUp();
  }

  onReply(): void {
    const reply = this.wire.reply();
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.resolve(reply);
  }

  onRepliesRead(): void {
    const goOn = this.#goOn;
    this.#goOn = null;
    goOn?.();
  }

  onEarlyReply(): void {}

  onDrain(): void {}

  contentTexts(): readonly string[] {
    return []; // no mail is in flight yet
  }

  timeoutMs(): number {
    return this.#phase === 'greeting' ? this.#options.timeouts.greeting : this.#options.timeouts.reply;
  }

  onDisconnect(disconnect: Disconnect): void {
    this.#disconnect = disconnect;
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.reject(this.#error(disconnect));
    this.onRepliesRead(); // what follows a reply is done on a broken connection, too, and finds it so
  }

  #error(disconnect: Disconnect): EmailConnectionError {
    return new EmailConnectionError(disconnect.code, disconnect.message, {
      phase: disconnect.code === 'tls' ? 'tls' : this.#phase,
      retryable: disconnect.code === 'closed' || disconnect.code === 'timeout',
      ...(disconnect.reply && { reply: disconnect.reply }),
      transcript: this.transcript.lines,
      cause: disconnect.cause,
    });
  }

  readonly #onAbort = (): void => {
    this.wire.disconnect({ code: 'aborted', message: 'the call was aborted', cause: this.#signal.reason });
  };
}
