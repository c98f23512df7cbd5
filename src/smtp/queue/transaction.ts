import type { EmailError, ErrorPhase, ServerReply } from '../../model/errors.ts';
import type { Capabilities } from '../protocol/capabilities.ts';
import { bdat, DATA, END_OF_DATA, RSET } from '../protocol/commands.ts';
import { checkExtensions, mailLine, rcptLine } from '../protocol/mail-lines.ts';
import { isTooMany, lost, refusal, uncertain } from '../protocol/refusal.ts';
import type { SessionEnd } from '../session/session-end.ts';
import type { Disconnect, Wire } from '../session/wire.ts';
import { fitsInOneWrite } from './content-writer.ts';
import type { Content, Delivery, RecipientOutcome } from './delivery.ts';

/** The reply a transaction waits for; `content` while its content is being sent after DATA. */
export type Step = 'reset' | 'mail' | 'rcpt' | 'data' | 'content' | 'final' | 'done';

/** What the transactions of a session share. */
export interface TransactionContext {
  readonly wire: Wire;
  readonly capabilities: Capabilities;
  readonly end: SessionEnd;
  readonly isLmtp: boolean;
  /** Whether TLS protects the session and the server's certificate was verified. */
  readonly isVerified: boolean;
}

/** How a transaction is conducted. */
export interface TransactionOptions {
  /** Whether RSET goes first: always after another transaction, since a refused one may still be open on the server. */
  readonly reset: boolean;
  /** Whether BDAT may be used, so that the content is sent together with the commands. */
  readonly bdat: boolean;
  /** The most recipients the server is known to take, 0 when it is not known. */
  readonly recipientLimit: number;
}

/**
 * One mail transaction: RSET, MAIL, RCPT, then DATA or BDAT, and the server's reply to each.
 *
 * With PIPELINING the commands are written in one group when it starts, otherwise each when its turn comes; the replies
 * are taken in the order of the commands either way. Recipients without an outcome when it is done are open: the server
 * certainly has no mail for them.
 */
export class Transaction {
  readonly delivery: Delivery;
  readonly content: Content;
  readonly usesBdat: boolean;
  step: Step = 'mail';
  /** Whether the end of the content was handed to the connection: if that is lost now, the outcome is unknown. */
  contentHandedOver = false;
  /** Whether the server accepted the message, for one recipient at least. */
  wasAccepted = false;
  /** Whether a reply decided the outcome of a recipient. */
  hasDecided = false;
  /** Whether the content was replied to; over LMTP, for one recipient at least. */
  hasFinalReply = false;
  /** Whether BDAT was not understood, although a sender and a recipient had been accepted. */
  isBdatRefused = false;
  /** The most recipients a transaction may have, when the server refused more in this one; otherwise 0. */
  recipientLimit = 0;
  readonly #context: TransactionContext;
  readonly #wire: Wire;
  readonly #recipients: readonly number[];
  readonly #lines: { readonly reset: string; readonly mail: string; readonly rcpt: readonly string[] };
  readonly #dialogue: Generator<void, Disconnect | null, number>;
  /** Recipients refused only because the transaction had enough of them. */
  readonly #tooMany: { readonly index: number; readonly reply: ServerReply }[] = [];
  #isContradicted = false;

  /** @throws {EmailError} when the server cannot take the message as it is. */
  constructor(delivery: Delivery, context: TransactionContext, options: TransactionOptions) {
    const { submission, open } = delivery;
    const { capabilities } = context;
    checkExtensions(submission.envelope, capabilities, context.isVerified);
    this.delivery = delivery;
    this.#context = context;
    this.#wire = context.wire;
    const limit = delivery.recipientLimit || options.recipientLimit;
    this.#recipients = limit > 0 && open.length > limit ? open.slice(0, limit) : open;
    this.content = delivery.contentFor(capabilities);
    this.usesBdat = options.bdat && fitsInOneWrite(this.content);
    this.#lines = {
      reset: options.reset ? RSET : '',
      mail: mailLine(delivery, this.content, capabilities),
      rcpt: this.#recipients.map((index) => rcptLine(delivery, index)),
    };
    this.#dialogue = this.#conduct();
  }

  /** Whether the server may still hold the transaction open, so that RSET must be answered before the next one begins. */
  get mayBeOpen(): boolean {
    return !this.wasAccepted && (this.usesBdat || !this.hasFinalReply);
  }

  /** Writes the first command, or with PIPELINING the whole group. */
  start(): void {
    if (this.#isPipelined) this.#writeGroup();
    this.#dialogue.next(0);
  }

  /**
   * Takes the reply that was due, and writes the next command where it waits for its turn. Afterwards `step` is `content`
   * when the server waits for the content, and `done` when the transaction is over. Returns a disconnect when the
   * connection must end at once, because the reply makes no sense or the ones after it would not.
   */
  receive(code: number): Disconnect | null {
    if (this.step === 'content' || this.step === 'done') return this.#outOfStep(code);
    const isGoAhead = code >= 300 && code < 400;
    if (this.step === 'data' ? code < 300 : isGoAhead) return this.#outOfStep(code);
    return this.#dialogue.next(code).value ?? null;
  }

  /** Goes on after the content, which has been written but for its end. */
  endContent(): void {
    this.#dialogue.next(0);
  }

  /** The transaction from its first command to its last reply (RFC 5321, section 3.3); `yield` waits for a reply's code. */
  *#conduct(): Generator<void, Disconnect | null, number> {
    const lines = this.#lines;
    if (lines.reset !== '') {
      const code = yield this.#send('reset', lines.reset);
      // RSET is always answered with 250 (RFC 5321, section 4.1.1.5): this reply is to something else.
      if (code !== 250 && !this.#isAboutSession(code)) return closed(`the server answered ${code} to RSET`);
    }

    const mailCode = yield this.#send('mail', lines.mail);
    const isSenderRefused = !isPositive(mailCode) && !this.#isAboutSession(mailCode);
    if (isSenderRefused) {
      this.#decideAll(this.#refusal('mail', 'the sender'));
      if (!this.#isPipelined) return this.#finish();
    }

    const accepted: number[] = [];
    let written = 0;
    for (const index of this.#recipients) {
      const code = yield this.#send('rcpt', lines.rcpt[written++] ?? '');
      if (isSenderRefused) continue;
      if (isPositive(code)) accepted.push(index);
      else this.#onRecipientRefused(index, code, accepted.length);
    }
    if (this.#tooMany.length > 0) this.recipientLimit = accepted.length;
    if (accepted.length === 0 && !this.#isPipelined) return this.#finish();

    if (!this.usesBdat) {
      const code = yield this.#send('data', DATA);
      if (code >= 400) {
        if (accepted.length === 0 || this.#isAboutSession(code)) return this.#finish();
        return this.#finish(this.#refusal('data', 'the message'));
      }
      if (accepted.length === 0) {
        // The server waits for content of a transaction it refused: whose is it? It gets none (RFC 2920, section 3.1).
        this.#finish();
        return outOfStep(`the server answered ${code} to DATA without a sender or recipient`);
      }
      this.step = 'content';
      yield; // until the content has been written
      this.#wire.write(END_OF_DATA);
      this.#wire.expect(this.#context.isLmtp ? accepted.length : 1);
      this.contentHandedOver = true;
    }

    this.step = 'final';
    // SMTP has one final reply for all, LMTP one for each recipient that was accepted (RFC 2033, section 4.2).
    for (const recipients of this.#context.isLmtp ? accepted.map((index) => [index]) : [accepted]) {
      const code = yield;
      this.hasFinalReply = true;
      if (recipients.length === 0) {
        // The message was accepted, but for whom? An earlier transaction may still have been open.
        this.#isContradicted = isPositive(code);
        return this.#isContradicted ? this.#outOfStep(code) : this.#finish();
      }
      // Over LMTP a refusal is of one recipient; the others may have the mail.
      if (!this.#context.isLmtp && this.#isAboutSession(code)) return this.#finish();
      if (this.usesBdat && isMisunderstood(code)) {
        this.isBdatRefused = true;
        this.#finish();
        return closed(`the server answered ${code} to BDAT: it goes on with DATA`);
      }
      if (isPositive(code)) this.wasAccepted = true;
      const reply = this.#wire.reply();
      const error = isPositive(code) ? null : refusal(reply, 'final', 'the message', this.#wire.transcript.lines);
      for (const index of recipients) this.#decide(index, { reply, error });
    }
    return this.#finish();
  }

  /** The server refused while the content was being sent; the rest of it cannot be sent any more. */
  refuseContent(): void {
    this.#finish(this.#refusal('content', 'the content'));
  }

  /** Ends the transaction before its content has been sent, with an outcome for every recipient that has none. */
  abandon(outcome?: RecipientOutcome): void {
    this.#finish(outcome);
  }

  /** The connection ended: decides every recipient by what had been sent until then. */
  lose(disconnect: Disconnect): void {
    if (this.#isContradicted) this.#decideAll(outcomeOf(uncertain(disconnect, this.#wire.transcript.lines)));
    else this.giveUp(disconnect);
    this.step = 'done';
  }

  /** Decides every recipient by what has been sent until now, without waiting for the server. */
  giveUp(disconnect: Disconnect): void {
    const transcript = this.#wire.transcript.lines;
    const phase = this.step === 'done' ? 'final' : this.step;
    this.#refuseTooMany();
    this.#decideRest(
      outcomeOf(this.contentHandedOver ? uncertain(disconnect, transcript) : lost(disconnect, transcript, phase)),
    );
  }

  get #isPipelined(): boolean {
    return this.#context.capabilities.pipelining;
  }

  /** With PIPELINING all commands up to DATA, or BDAT with the content, go together (RFC 2920, RFC 3030). */
  #writeGroup(): void {
    const { reset, mail, rcpt } = this.#lines;
    const lines = reset + mail + rcpt.join('');
    this.#wire.expect(rcpt.length + (reset === '' ? 2 : 3));
    if (this.content instanceof Uint8Array && this.usesBdat) {
      this.#wire.write(lines + bdat(this.content.length, true));
      this.#wire.writeContent(this.content);
      this.contentHandedOver = true;
    } else this.#wire.write(lines + DATA);
  }

  /** Writes a command, unless it went with the group; nothing is written to a server that is shutting down. */
  #send(step: Step, line: string): void {
    this.step = step;
    if (this.#isPipelined || this.#context.end.isOver) return;
    this.#wire.expect(1);
    this.#wire.write(line);
  }

  #onRecipientRefused(index: number, code: number, accepted: number): void {
    const reply = this.#wire.reply();
    const isEnough = isTooMany(reply);
    if (code === 421 && (isEnough || this.#tooMany.length > 0)) this.delivery.recipientLimit = accepted;
    if (this.#isAboutSession(code)) return;
    if (isEnough) this.#tooMany.push({ index, reply });
    else this.#refuseRecipient(index, reply);
  }

  /** There will be no further transaction for the recipients that were one too many. */
  #refuseTooMany(): void {
    for (const { index, reply } of this.#tooMany) this.#refuseRecipient(index, reply);
  }

  #refuseRecipient(index: number, reply: ServerReply): void {
    const address = this.delivery.submission.envelope.recipients[index]?.address ?? '';
    const error = refusal(reply, 'rcpt', `the recipient ${address}`, this.#wire.transcript.lines);
    this.#decide(index, { reply, error });
  }

  #refusal(phase: ErrorPhase, what: string): RecipientOutcome {
    this.hasDecided = true;
    return outcomeOf(refusal(this.#wire.reply(), phase, what, this.#wire.transcript.lines));
  }

  #decide(index: number, outcome: RecipientOutcome): void {
    this.hasDecided = true;
    this.delivery.outcomes[index] = outcome;
  }

  #decideAll(outcome: RecipientOutcome): void {
    for (const index of this.#recipients) this.delivery.outcomes[index] = outcome;
  }

  #decideRest(outcome: RecipientOutcome): void {
    for (const index of this.#recipients) this.delivery.outcomes[index] ??= outcome;
  }

  /** Ends it; recipients one too many stay open for a further transaction if this one was accepted, or not tried. */
  #finish(outcome?: RecipientOutcome): null {
    if (!this.wasAccepted && !this.#context.end.isOver && !this.isBdatRefused) this.#refuseTooMany();
    if (outcome) this.#decideRest(outcome);
    this.step = 'done';
    return null;
  }

  /** Whether a refusal is the 421 that ends the session, or only follows from it, and so says nothing about the mail. */
  #isAboutSession(code: number): boolean {
    return this.#context.end.isOver && (code === 421 || isMisunderstood(code));
  }

  #outOfStep(code: number): Disconnect {
    return outOfStep(`the server answered ${code} where ${this.step.toUpperCase()} was to be answered`);
  }
}

function closed(message: string): Disconnect {
  return { code: 'closed', message };
}

function outOfStep(message: string): Disconnect {
  return { code: 'protocol', message };
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
