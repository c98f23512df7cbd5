import type { EmailError, ErrorPhase, ServerReply } from '../errors.ts';
import type { Capabilities } from './capabilities.ts';
import { bdat, DATA, RSET } from './commands.ts';
import type { Content, Delivery, RecipientOutcome } from './delivery.ts';
import { checkExtensions, mailLine, rcptLine } from './mail-lines.ts';
import { isTooMany, lost, refusal, uncertain } from './refusal.ts';
import type { Disconnect, Wire } from './wire.ts';

/** Content up to this size goes out in one piece, so that it can share a group with commands; more waits for the go-ahead. */
export const INLINE: number = 64 * 1024;

/** The reply a transaction waits for next; `content` while its content is on its way after DATA. */
export type Step = 'reset' | 'mail' | 'rcpt' | 'data' | 'content' | 'final' | 'done';

/** What a session knows that a transaction needs. */
export interface TransactionOptions {
  readonly isLmtp: boolean;
  /** Whether TLS protects the session, verified. */
  readonly isVerified: boolean;
  /** Whether RSET goes first: always behind another transaction, since a refused one may still be open on the server. */
  readonly reset: boolean;
  /** Whether BDAT may be used, so that the content leaves with the commands. */
  readonly bdat: boolean;
  /** The most recipients the server is known to take, 0 when it is not known. */
  readonly recipientLimit: number;
}

/**
 * One mail transaction: RSET, MAIL, RCPT..., then DATA or BDAT, and what the server answered to each.
 *
 * It writes its commands in one group or one by one, and takes the replies in the order of the commands; the difference
 * between the two ways is only when `writeNext` is called. Recipients without an outcome when it is done are open: the
 * server certainly has no mail for them.
 */
export class Transaction {
  readonly delivery: Delivery;
  readonly content: Content;
  readonly usesBdat: boolean;
  step: Step;
  /** Whether the end of the content was handed to the connection: from here on, its loss leaves the outcome unknown. */
  contentHandedOver = false;
  /** Whether the server took the message, for one recipient at least. */
  wasAccepted = false;
  /** Whether a reply decided about a recipient. */
  hasDecided = false;
  /** Whether the last reply of the transaction came, the one to its content. */
  hasFinalReply = false;
  /** Whether BDAT was not understood, although a sender and a recipient had been accepted. */
  isBdatRefused = false;
  /** Whether the server has said 421 on this connection: refusals of the commands behind it say nothing about the mail. */
  isSessionOver = false;
  /** The most recipients a transaction may have, when the server refused more in this one. */
  recipientLimit = 0;
  readonly #wire: Wire;
  readonly #isLmtp: boolean;
  readonly #recipients: readonly number[];
  #mailLine: string;
  #rcptLines: readonly string[];
  #next: Step;
  #written = 0;
  #refused: EmailError | null = null;
  readonly #accepted: number[] = [];
  /** Recipients refused only because the transaction had enough of them. */
  readonly #tooMany: { readonly index: number; readonly reply: ServerReply }[] = [];
  #isContradicted = false;
  readonly #replies: Generator<null, Disconnect | null, number>;

  /** @throws {EmailError} when the server cannot take the message as it is; nothing was written then. */
  constructor(delivery: Delivery, wire: Wire, capabilities: Capabilities, options: TransactionOptions) {
    const { submission, open } = delivery;
    checkExtensions(submission.envelope, capabilities, options.isVerified);
    this.delivery = delivery;
    this.#wire = wire;
    this.#isLmtp = options.isLmtp;
    const limit = delivery.recipientLimit || options.recipientLimit;
    this.#recipients = limit > 0 && open.length > limit ? open.slice(0, limit) : open;
    this.content = delivery.contentFor(capabilities);
    this.#mailLine = mailLine(delivery, this.content, capabilities);
    this.#rcptLines = this.#recipients.map((index) => rcptLine(delivery, index));
    this.usesBdat = options.bdat && this.content instanceof Uint8Array && this.content.length <= INLINE;
    this.step = options.reset ? 'reset' : 'mail';
    this.#next = this.step;
    this.#replies = this.#dialogue();
    this.#replies.next(0);
  }

  /** The error phase a lost connection has now. */
  get phase(): ErrorPhase {
    return this.step === 'done' ? 'final' : this.step;
  }

  /** Whether the server may still hold the transaction open, so that RSET must be answered before the next one begins. */
  get mayBeOpen(): boolean {
    return !this.wasAccepted && (this.usesBdat || !this.hasFinalReply);
  }

  /** Writes the commands that go together: with PIPELINING all up to DATA, or BDAT with the content. */
  writeGroup(): void {
    const wire = this.#wire;
    const lines = (this.step === 'reset' ? RSET : '') + this.#mailLine + this.#rcptLines.join('');
    wire.expect(this.#rcptLines.length + (this.step === 'reset' ? 3 : 2));
    this.#mailLine = '';
    this.#rcptLines = [];
    if (this.usesBdat) {
      const content = this.content as Uint8Array; // usesBdat says so
      wire.write(lines + bdat(content.length, true));
      wire.writeContent(content);
      this.contentHandedOver = true;
    } else wire.write(lines + DATA);
    this.#next = 'content';
  }

  /** Writes the next command. */
  writeNext(): void {
    const wire = this.#wire;
    wire.expect(1);
    switch (this.#next) {
      case 'reset':
        wire.write(RSET);
        this.#next = 'mail';
        break;
      case 'mail':
        wire.write(this.#mailLine);
        this.#next = 'rcpt';
        break;
      case 'rcpt':
        wire.write(this.#rcptLines[this.#written++] ?? '');
        if (this.#written === this.#rcptLines.length) this.#next = 'data';
        break;
      default:
        wire.write(DATA);
        this.#next = 'content';
    }
  }

  /**
   * Takes the reply that was due. Afterwards `step` is what is due next: `content` when the server waits for the content,
   * `done` when all is known. Returns a disconnect when the connection must end at once: the reply makes no sense, or what
   * follows would.
   */
  receive(code: number): Disconnect | null {
    if (this.step === 'content' || this.step === 'done') return this.#desync(code);
    const isGoAhead = code >= 300 && code < 400;
    if (this.step === 'data' ? code < 300 : isGoAhead) return this.#desync(code);
    return this.#replies.next(code).value;
  }

  /** The dialogue from its first reply to its last (RFC 5321, section 3.3); each `yield` waits for the code of a reply. */
  *#dialogue(): Generator<null, Disconnect | null, number> {
    if (this.step === 'reset') {
      const code = yield null;
      if (code === 421) this.isSessionOver = true;
      // RSET is always answered with 250 (RFC 5321, section 4.1.1.5): this is an answer to something else.
      if (code !== 250 && !this.#isFollowing(code))
        return { code: 'closed', message: `the server answered ${code} to RSET` };
      this.step = 'mail';
    }

    const mailCode = yield null;
    if (mailCode === 421) this.isSessionOver = true;
    if (!isPositive(mailCode) && !this.#isFollowing(mailCode)) this.#refuseSender();
    this.step = 'rcpt';
    if (this.#refused && this.#next === 'rcpt' && this.#written === 0) return this.#finish(outcomeOf(this.#refused));

    for (const index of this.#recipients) {
      const code = yield null;
      if (this.#refused !== null) continue;
      if (isPositive(code)) this.#accepted.push(index);
      else this.#onRecipientRefused(index, code);
    }
    const accepted = this.#accepted;
    if (this.#tooMany.length > 0 && accepted.length > 0) this.recipientLimit = accepted.length;
    this.step = this.usesBdat ? 'final' : 'data';
    // One by one, there is nothing more to say when nobody was accepted; in a group, the rest is answered first.
    if (accepted.length === 0 && this.#next === 'data') return this.#finish(null);

    if (!this.usesBdat) {
      const code = yield null;
      const isWanted = this.#refused === null && accepted.length > 0;
      if (code === 421) this.isSessionOver = true;
      if (code >= 400) {
        if (isWanted && !this.#isFollowing(code)) this.#refused = this.#refusal('data', 'the message');
        return this.#finish(this.#refused && outcomeOf(this.#refused));
      }
      if (!isWanted) {
        // The server waits for content of a transaction it refused: whose is it? It gets none (RFC 2920, section 3.1).
        this.#finish(this.#refused && outcomeOf(this.#refused));
        return { code: 'protocol', message: `the server answered ${code} to DATA without a sender or recipient` };
      }
      this.step = 'content';
    }

    // LMTP answers once for every recipient it accepted (RFC 2033, section 4.2).
    do {
      const code = yield null;
      this.hasFinalReply = true;
      if (accepted.length === 0) {
        // Taken, but for whom? An earlier transaction may have been open still.
        this.#isContradicted = isPositive(code);
        return this.#isContradicted ? this.#desync(code) : this.#finish(this.#refused && outcomeOf(this.#refused));
      }
      // Over LMTP a refusal is of one recipient; the others may have the mail.
      if (!this.#isLmtp && this.#isFollowing(code)) return this.#finish(null);
      if (this.usesBdat && isMisunderstood(code)) {
        this.isBdatRefused = true;
        this.#finish(null);
        return { code: 'closed', message: `the server answered ${code} to BDAT: it goes on with DATA` };
      }
      const reply = this.#wire.reply();
      const error = isPositive(code) ? null : refusal(reply, 'final', 'the message', this.#wire.transcript.lines);
      this.wasAccepted ||= error === null;
      for (const index of accepted.splice(0, this.#isLmtp ? 1 : accepted.length)) this.#decide(index, { reply, error });
      if (accepted.length > 0) {
        this.#wire.expect(1);
        this.#wire.flush();
      }
    } while (accepted.length > 0);
    return this.#finish(null);
  }

  /** The server refused while content was still on its way; the rest of it cannot be sent any more. */
  refuseContent(): void {
    this.#finish(outcomeOf(this.#refusal('content', 'the content')));
  }

  /** The content stays here, although the server waits for it: the session is over. */
  withholdContent(): void {
    this.#finish(null);
  }

  /** The connection ended: decides every recipient by what had left until then. */
  lose(disconnect: Disconnect): void {
    const outcome = this.outcomeIfLost(disconnect);
    if (this.#isContradicted) for (const index of this.#recipients) this.delivery.outcomes[index] = outcome;
    else this.#refuseTooMany();
    this.#finish(outcome);
  }

  /** Decides its own recipients by what has left until now, without waiting for the server. */
  giveUp(disconnect: Disconnect): void {
    const outcome = this.outcomeIfLost(disconnect);
    this.#refuseTooMany();
    for (const index of this.#recipients) this.delivery.outcomes[index] ??= outcome;
  }

  /** What a lost connection means for the recipients of which nothing else is known. */
  outcomeIfLost(disconnect: Disconnect): RecipientOutcome {
    const transcript = this.#wire.transcript.lines;
    if (this.#isContradicted) return outcomeOf(uncertain(disconnect, transcript));
    return outcomeOf(
      this.#refused ??
        (this.contentHandedOver ? uncertain(disconnect, transcript) : lost(disconnect, transcript, this.phase)),
    );
  }

  /** Ends the transaction with an outcome of the caller's for every recipient that has none. */
  abandon(outcome: RecipientOutcome): void {
    this.#finish(outcome);
  }

  /** Whatever becomes of the rest of the group, it is decided. */
  #refuseSender(): void {
    this.#refused = this.#refusal('mail', 'the sender');
    for (const index of this.#recipients) this.#decide(index, outcomeOf(this.#refused));
  }

  #onRecipientRefused(index: number, code: number): void {
    const reply = this.#wire.reply();
    const isEnough = isTooMany(reply);
    if (code === 421) {
      this.isSessionOver = true; // it is about the session, and decides about nobody
      if (isEnough || this.#tooMany.length > 0) this.delivery.recipientLimit = this.#accepted.length;
    }
    if (this.#isFollowing(code)) return;
    if (isEnough) this.#tooMany.push({ index, reply });
    else this.#setRefused(index, reply);
  }

  /** There will be no further transaction for the recipients one too many. */
  #refuseTooMany(): void {
    for (const { index, reply } of this.#tooMany) this.#setRefused(index, reply);
  }

  #setRefused(index: number, reply: ServerReply): void {
    const address = this.delivery.submission.envelope.recipients[index]?.address ?? '';
    const error = refusal(reply, 'rcpt', `the recipient ${address}`, this.#wire.transcript.lines);
    this.#decide(index, { reply, error });
  }

  #decide(index: number, outcome: RecipientOutcome): void {
    this.hasDecided = true;
    this.delivery.outcomes[index] = outcome;
  }

  /** Ends the transaction; recipients one too many stay open for a further one when this one was taken, or not tried. */
  #finish(outcome: RecipientOutcome | null): null {
    if (!this.wasAccepted && !this.isSessionOver && !this.isBdatRefused) this.#refuseTooMany();
    if (outcome) for (const index of this.#recipients) this.delivery.outcomes[index] ??= outcome;
    this.step = 'done';
    return null;
  }

  /** Whether a refusal is the 421 that ends the session, or only follows from it, and so says nothing about the mail. */
  #isFollowing(code: number): boolean {
    return this.isSessionOver && (code === 421 || isMisunderstood(code));
  }

  #refusal(phase: ErrorPhase, what: string): EmailError {
    this.hasDecided = true;
    return refusal(this.#wire.reply(), phase, what, this.#wire.transcript.lines);
  }

  #desync(code: number): Disconnect {
    return {
      code: 'protocol',
      message: `the server answered ${code} where ${this.step.toUpperCase()} was to be answered`,
    };
  }
}

function isPositive(code: number): boolean {
  return code >= 200 && code < 300;
}

/** Whether a reply is about the command and its place, not about the mail (RFC 5321, section 4.2.2). */
function isMisunderstood(code: number): boolean {
  return code >= 500 && code <= 504;
}

function outcomeOf(error: EmailError): RecipientOutcome {
  return { reply: error.reply, error };
}
