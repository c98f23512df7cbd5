import { EmailError, SendError, type ServerReply } from '../errors.ts';
import { END_OF_DATA, RSET } from './commands.ts';
import { ContentWriter } from './content-writer.ts';
import type { Delivery } from './delivery.ts';
import { DotStuffer } from './dot-stuffing.ts';
import type { ResolvedSmtpOptions } from './options.ts';
import { lost } from './refusal.ts';
import type { Session } from './session.ts';
import { INLINE, Transaction } from './transaction.ts';
import type { Failure, Wire, WireOwner } from './wire.ts';

/** A connection that was idle for longer is asked whether it still lives before it gets a message. */
const PROBE_AFTER_MS = 1_000;

/** Where a pipeline gets its work, and whom it tells. */
export interface PipelineHost {
  /** The next delivery to start, or undefined when there is none now. */
  take(): Delivery | undefined;
  /** A delivery that needs a further transaction, here or on another connection: it goes to the front. */
  giveBack(delivery: Delivery): void;
  /** The server is still there after a rest, or will not take mail any more; messages may be handed out again. */
  onProbed(): void;
  /** Nothing is in flight any more. */
  onIdle(pipeline: Pipeline): void;
  /** The connection is over; nothing of it is in flight any more. */
  onClosed(pipeline: Pipeline, failure: Failure): void;
}

/**
 * The transactions of one session, as many at once as the server's extensions allow (RFC 2920, RFC 3030).
 *
 * - CHUNKING and PIPELINING: RSET, MAIL, RCPT and BDAT LAST of up to `maxInFlight` messages, without waiting.
 * - PIPELINING: the content of one message and RSET, MAIL, RCPT, DATA of the next in one group (RFC 2920, section 3.1).
 * - Neither: one command at a time.
 *
 * It is one engine: a transaction may start when the one before it has handed over its content, and how many may be
 * unanswered is all that differs.
 */
export class Pipeline implements WireOwner {
  readonly wire: Wire;
  readonly openedAt: number = performance.now();
  idleSince: number = performance.now();
  readonly #session: Session;
  readonly #options: ResolvedSmtpOptions;
  readonly #host: PipelineHost;
  /** In the order of their commands; the first one is answered next. */
  readonly #flights: Transaction[] = [];
  #writer: ContentWriter | null = null;
  #isProbing = false;
  #served = 0;
  #isRetired = false;
  #needsReset = false;
  #recipientLimit: number;

  constructor(session: Session, options: ResolvedSmtpOptions, host: PipelineHost) {
    this.#session = session;
    this.#options = options;
    this.#host = host;
    this.#recipientLimit = session.capabilities.maxRecipients;
    this.wire = session.wire;
    this.wire.owner = this;
  }

  /** Whether it is about to take messages, once the server has said that it is still there. */
  get isProbing(): boolean {
    return this.#isProbing;
  }

  get inFlight(): number {
    return this.#flights.length;
  }

  /** Whether a message could be started now. */
  get hasRoom(): boolean {
    if (!this.isUsable || this.wire.isFull || this.#writer || this.#isProbing) return false;
    const last = this.#flights.at(-1);
    if (!last) return true;
    return this.#flights.length < this.#window && last.hasEnded;
  }

  /** Whether further messages may go over this connection. */
  get isUsable(): boolean {
    if (this.#isRetired || this.wire.isClosed) return false;
    const { maxMessages, maxAgeMs } = this.#options;
    return this.#served < maxMessages && (maxAgeMs === Infinity || performance.now() - this.openedAt < maxAgeMs);
  }

  /** Starts what may start, in one group. */
  pump(): void {
    while (this.hasRoom) {
      const delivery = this.#host.take();
      if (!delivery) break;
      this.#start(delivery);
    }
    this.wire.flush();
  }

  /**
   * Goes back to work after a rest. A server that may have gone in the meantime is asked first, with RSET, which also
   * clears what might be left of a transaction; no message is risked on it.
   */
  wake(): void {
    this.ref(true);
    this.#isProbing = performance.now() - this.idleSince > PROBE_AFTER_MS;
    if (this.#isProbing) {
      this.wire.expect(1);
      this.wire.write(RSET);
      this.wire.flush();
      return;
    }
    this.pump();
    if (this.#flights.length === 0 && !this.wire.isClosed) this.#host.onIdle(this);
  }

  /** No further messages; those in flight are finished. */
  retire(): void {
    this.#isRetired = true;
  }

  /** Says QUIT and hangs up without waiting. */
  hangUp(): void {
    this.wire.hangUp();
  }

  /** Says QUIT and waits for the server to hang up, for a moment. */
  quit(): Promise<void> {
    this.#isRetired = true;
    return this.wire.quit();
  }

  /** Keeps the process alive, or lets it end. */
  ref(isBusy: boolean): void {
    const { socket } = this.wire;
    // Sockets of the caller's need not have them.
    const handle = socket as { ref?(): unknown; unref?(): unknown };
    if (isBusy) handle.ref?.();
    else handle.unref?.();
  }

  /** Gives a delivery up: it is settled at once; the connection ends when it cannot go on without sending its content. */
  abort(delivery: Delivery, failure: Failure): void {
    const flight = this.#flights.find((candidate) => candidate.delivery === delivery);
    if (!flight) return;
    const isWriting = this.#writer !== null && flight === this.#flights.at(-1);
    flight.giveUp(failure);
    this.#settleLost(delivery, failure);
    if (isWriting || this.#flights.every((other) => other.delivery.isSettled)) this.wire.fail(failure);
  }

  onReply(code: number): void {
    const flight = this.#flights[0];
    if (!flight) {
      this.#isProbing = false;
      if (code !== 250) this.#isRetired = true;
      this.#host.onProbed();
      return;
    }
    // The server hangs up: what has kept its content may go over another connection.
    if (code === 421 && !flight.hasContentLeft) {
      this.wire.fail(hungUp(this.wire.reply()));
      return;
    }
    const failure = flight.receive(code);
    if (failure) {
      this.wire.fail(failure);
      return;
    }
    if (code === 421) {
      this.wire.fail(hungUp(this.wire.reply()));
      return;
    }
    if (flight.wasResetRefused && flight.step === 'mail') {
      this.#isRetired = true;
      // An earlier transaction may be open: this one is safe to send over another connection as long as it kept its content.
      if (!flight.hasContentLeft) this.wire.fail({ code: 'closed', message: 'the server refused RSET' });
      return;
    }
    if (flight.step === 'done') this.#finish(flight);
    else if (flight.step === 'content' && flight.delivery.isSettled) {
      this.wire.fail({ code: 'aborted', message: 'the message was given up before its content' });
    } else if (flight.step === 'content') this.#writeContent(flight);
    else if (!this.#session.capabilities.pipelining && this.wire.outstanding === 0 && flight.step !== 'final')
      flight.writeNext();
  }

  onPause(): void {
    this.pump();
    if (this.#flights.length === 0 && !this.wire.isClosed) this.#host.onIdle(this);
  }

  onDrain(): void {
    if (this.#writer) this.#writer.resume();
    else this.pump();
  }

  onEarlyReply(code: number): void {
    const flight = this.#flights[0];
    if (flight?.step === 'content' && code >= 400) flight.refuseContent();
  }

  onFailure(failure: Failure): void {
    this.#writer?.stop();
    this.#writer = null;
    const flights = this.#flights.splice(0);
    const returned: Delivery[] = [];
    for (const flight of flights) {
      const { delivery } = flight;
      if (flight.step !== 'done' && !delivery.isSettled) {
        if (this.#mayResend(flight, failure)) {
          delivery.wasResent = true;
          returned.unshift(delivery);
          continue;
        }
        flight.lose(failure);
      }
      this.#settleLost(delivery, failure);
    }
    for (const delivery of returned) this.#host.giveBack(delivery);
    this.#host.onClosed(this, failure);
  }

  timeoutMs(): number {
    const { timeouts } = this.#options;
    if (this.#writer) return timeouts.data;
    return this.#flights[0]?.step === 'final' ? timeouts.final : timeouts.reply;
  }

  get #window(): number {
    return this.#session.capabilities.pipelining ? this.#options.maxInFlight : 1;
  }

  #start(delivery: Delivery): void {
    const { capabilities, isVerified } = this.#session;
    let flight: Transaction;
    try {
      flight = new Transaction(delivery, this.wire, capabilities, {
        isLmtp: this.#options.lmtp,
        isVerified,
        reset: this.#flights.length > 0 || this.#needsReset,
        recipientLimit: this.#recipientLimit,
      });
    } catch (error) {
      delivery.settle({ reply: null, error: asEmailError(error) });
      return;
    }
    this.#served++;
    this.#needsReset = false;
    this.#flights.push(flight);
    if (capabilities.pipelining) flight.writeGroup();
    else flight.writeNext();
  }

  /** The content after DATA: what is small in one piece, so that the next message's commands can join it. */
  #writeContent(flight: Transaction): void {
    const { content } = flight;
    if (content instanceof Uint8Array && content.length <= INLINE) {
      const stuffer = new DotStuffer((bytes) => this.wire.writeContent(bytes));
      stuffer.push(content);
      stuffer.end();
      this.#endContent(flight);
      return;
    }
    this.#writer = new ContentWriter(content, this.wire, {
      isEightBit: this.#session.capabilities.eightBitMime,
      timeoutMs: this.#options.timeouts.data,
      onEnd: () => {
        this.#writer = null;
        this.#endContent(flight);
        this.pump();
      },
      onError: (error) => {
        this.#writer = null;
        flight.abandon({ reply: null, error: asEmailError(error) });
        this.wire.fail({ code: 'aborted', message: 'the content of a message could not be read', cause: error });
      },
    });
    this.#writer.resume();
  }

  #endContent(flight: Transaction): void {
    this.wire.write(END_OF_DATA);
    flight.step = 'final';
    flight.hasEnded = true;
    this.wire.expect(1);
  }

  #finish(flight: Transaction): void {
    this.#flights.shift();
    if (flight.recipientLimit > 0) this.#recipientLimit = flight.recipientLimit;
    // A refused transaction may still be open on the server.
    this.#needsReset = !flight.wasTaken;
    const { delivery } = flight;
    if (delivery.isSettled) return;
    if (delivery.isComplete) delivery.settle();
    else this.#host.giveBack(delivery);
  }

  /** Recipients that still have no outcome were left for a further transaction: the server has not heard of them. */
  #settleLost(delivery: Delivery, failure: Failure): void {
    if (delivery.isComplete) delivery.settle();
    else delivery.settle({ reply: null, error: lost(failure, this.wire.transcript.lines, 'queue') });
  }

  #mayResend(flight: Transaction, failure: Failure): boolean {
    const { delivery } = flight;
    return failure.code === 'closed' && !flight.hasContentLeft && !flight.isRefused && !delivery.wasResent;
  }
}

function asEmailError(error: unknown): EmailError {
  if (error instanceof EmailError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new SendError('provider', `the content of the message could not be made: ${reason}`, {
    phase: 'content',
    cause: error,
  });
}

/** Why a connection ends that the server closes with a last word. */
function hungUp(reply: ServerReply): Failure {
  return { code: 'closed', message: `the server closed the connection: 421 ${reply.text}`, reply };
}
