import { isAscii } from 'node:buffer';
import { type EmailError, type ErrorPhase, MessageError, SendError, type ServerReply } from '../errors.ts';
import type { Capabilities } from './capabilities.ts';
import { bdat, DATA, mail, originalRecipient, parameter, RSET, rcpt, xtext } from './commands.ts';
import type { Content, Delivery, Envelope, RecipientOutcome } from './delivery.ts';
import { isTooMany, lost, refusal, uncertain } from './refusal.ts';
import type { Failure, Wire } from './wire.ts';

/** Content up to this size goes out in one piece, so that it can share a group with commands; more waits for the go-ahead. */
export const INLINE: number = 64 * 1024;

/** The reply a transaction waits for next; `content` while its content is on its way after DATA. */
export type Step = 'reset' | 'mail' | 'rcpt' | 'data' | 'content' | 'final' | 'done';

/**
 * One mail transaction: RSET, MAIL, RCPT..., then DATA or BDAT, and what the server answered to each.
 *
 * It writes its commands in one group or one by one, and takes the replies in the order of the commands; the difference
 * between the two ways is only when `writeNext` is called.
 */
export class Transaction {
  readonly delivery: Delivery;
  readonly content: Content;
  readonly usesBdat: boolean;
  step: Step;
  /** Whether the end of the content was handed to the connection: from here on, its loss leaves the outcome unknown. */
  hasEnded = false;
  /** Whether the server took the message, for one recipient at least. */
  wasTaken = false;
  /** Whether the server refused RSET, so that no further transaction may follow. */
  wasResetRefused = false;
  /** The most recipients a transaction may have, when the server refused more in this one. */
  recipientLimit = 0;
  readonly #wire: Wire;
  readonly #isLmtp: boolean;
  readonly #recipients: readonly number[];
  #mailLine: string;
  #rcptLines: readonly string[];
  #next: Step;
  #written = 0;
  #answered = 0;
  #refused: SendError | null = null;
  readonly #accepted: number[] = [];
  /** Recipients refused only because the transaction had enough of them. */
  readonly #tooMany: { readonly index: number; readonly reply: ServerReply }[] = [];
  #isContradicted = false;

  /** @throws {EmailError} when the server cannot take the message as it is; nothing was written then. */
  constructor(delivery: Delivery, wire: Wire, capabilities: Capabilities, options: TransactionOptions) {
    const { envelope } = delivery.submission;
    this.delivery = delivery;
    this.#wire = wire;
    this.#isLmtp = options.isLmtp;
    if (envelope.requireTls && !(options.isVerified && capabilities.requireTls))
      throw unavailable('requiretls', 'REQUIRETLS');
    if (envelope.smtpUtf8 && !capabilities.smtpUtf8) throw unavailable('smtputf8', 'SMTPUTF8');
    if (!capabilities.dsn && asksForDsn(envelope)) throw unavailable('dsn', 'DSN');
    const { open } = delivery;
    const limit = options.recipientLimit;
    this.#recipients = limit > 0 && open.length > limit ? open.slice(0, limit) : open;
    this.content = delivery.content ?? delivery.submission.compose(capabilities);
    delivery.content = this.content;
    this.#mailLine = mail(envelope.sender, mailParameters(delivery, this.content, capabilities));
    this.#rcptLines = this.#recipients.map((index) => rcptLine(delivery, index));
    this.usesBdat =
      capabilities.chunking &&
      capabilities.pipelining &&
      !this.#isLmtp &&
      this.content instanceof Uint8Array &&
      this.content.length <= INLINE;
    this.step = options.reset ? 'reset' : 'mail';
    this.#next = this.step;
  }

  /** The error phase a lost connection has now. */
  get phase(): ErrorPhase {
    return this.step === 'done' ? 'final' : this.step;
  }

  /** Whether the server refused the message as a whole, before its content. */
  get isRefused(): boolean {
    return this.#refused !== null;
  }

  /** Whether a byte of the content may have left. */
  get hasContentLeft(): boolean {
    return this.hasEnded || this.step === 'content';
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
      this.hasEnded = true;
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
   * `done` when all is known. Returns a failure when the reply makes no sense, so that the connection must end.
   */
  receive(code: number): Failure | null {
    const isPositive = code >= 200 && code < 300;
    if (code >= 300 && code < 400 && this.step !== 'data') return this.#desync(code);
    switch (this.step) {
      case 'reset':
        this.wasResetRefused = !isPositive;
        this.step = 'mail';
        return null;
      case 'mail':
        if (!isPositive) this.#refused = this.#refusal('mail', 'the sender');
        this.step = 'rcpt';
        if (this.#refused && this.#next === 'rcpt' && this.#written === 0) this.#finish(outcomeOf(this.#refused));
        return null;
      case 'rcpt':
        this.#onRecipient(isPositive);
        return null;
      case 'data':
        return this.#onData(code);
      case 'final':
        return this.#onFinal(isPositive, code);
      default:
        return this.#desync(code);
    }
  }

  /** The server refused while content was still on its way; the rest of it cannot be sent any more. */
  refuseContent(): void {
    this.#finish(outcomeOf(this.#refusal('content', 'the content')));
  }

  /** The connection ended: decides every recipient by what had left until then. */
  lose(failure: Failure): void {
    const outcome = this.outcomeIfLost(failure);
    if (this.#isContradicted) for (const index of this.#recipients) this.delivery.outcomes[index] = outcome;
    this.#finish(outcome);
  }

  /** Decides its own recipients by what has left until now, without waiting for the server. */
  giveUp(failure: Failure): void {
    const outcome = this.outcomeIfLost(failure);
    for (const index of this.#recipients) this.delivery.outcomes[index] ??= outcome;
  }

  /** What a lost connection means for the recipients of which nothing else is known. */
  outcomeIfLost(failure: Failure): RecipientOutcome {
    const transcript = this.#wire.transcript.lines;
    if (this.#isContradicted) return outcomeOf(uncertain(failure, transcript));
    return outcomeOf(
      this.#refused ?? (this.hasEnded ? uncertain(failure, transcript) : lost(failure, transcript, this.phase)),
    );
  }

  /** Ends the transaction with an outcome of the caller's for every recipient that has none. */
  abandon(outcome: RecipientOutcome): void {
    this.#finish(outcome);
  }

  #onRecipient(isPositive: boolean): void {
    const index = this.#recipients[this.#answered++] ?? -1;
    if (this.#refused === null) {
      if (isPositive) this.#accepted.push(index);
      else this.#refuseRecipient(index);
    }
    if (this.#answered < this.#recipients.length) return;
    if (this.#tooMany.length > 0 && this.#accepted.length > 0) this.recipientLimit = this.#accepted.length;
    this.step = this.usesBdat ? 'final' : 'data';
    // One by one, there is nothing more to say when nobody was accepted; in a group, the rest is answered first.
    if (this.#accepted.length === 0 && this.#next === 'data') this.#finish(null);
  }

  #refuseRecipient(index: number): void {
    const reply = this.#wire.reply();
    if (isTooMany(reply)) {
      this.#tooMany.push({ index, reply });
      return;
    }
    this.#setRefused(index, reply);
  }

  #setRefused(index: number, reply: ServerReply): void {
    const address = this.delivery.submission.envelope.recipients[index]?.address ?? '';
    const error = refusal(reply, 'rcpt', `the recipient ${address}`, this.#wire.transcript.lines);
    this.delivery.outcomes[index] = { reply, error };
  }

  #onData(code: number): Failure | null {
    if (code >= 200 && code < 300) return this.#desync(code);
    if (code >= 400) {
      if (this.#accepted.length > 0) this.#refused ??= this.#refusal('data', 'the message');
      this.#finish(this.#refused && outcomeOf(this.#refused));
      return null;
    }
    // The server waits for content of a transaction it refused: whose is it? It gets none (RFC 2920, section 3.1).
    if (this.#refused || this.#accepted.length === 0) {
      this.#finish(this.#refused && outcomeOf(this.#refused));
      return { code: 'protocol', message: `the server answered ${code} to DATA without a sender or recipient` };
    }
    this.step = 'content';
    return null;
  }

  #onFinal(isPositive: boolean, code: number): Failure | null {
    if (isPositive && this.#accepted.length === 0) {
      // Taken, but for whom? An earlier transaction may have been open still.
      this.#isContradicted = true;
      return this.#desync(code);
    }
    if (this.#accepted.length === 0) {
      this.#finish(this.#refused && outcomeOf(this.#refused));
      return null;
    }
    const reply = this.#wire.reply();
    const error = isPositive ? null : refusal(reply, 'final', 'the message', this.#wire.transcript.lines);
    const outcome = { reply, error };
    this.wasTaken ||= isPositive;
    // LMTP answers once for every recipient it accepted (RFC 2033, section 4.2).
    const answered = this.#isLmtp ? this.#accepted.splice(0, 1) : this.#accepted.splice(0);
    for (const index of answered) this.delivery.outcomes[index] = outcome;
    if (this.#accepted.length > 0) this.#wire.expect(1);
    else this.#finish(null);
    return null;
  }

  /** Ends the transaction; recipients one too many stay open for a further one when this one was taken. */
  #finish(outcome: RecipientOutcome | null): void {
    if (!this.wasTaken) for (const { index, reply } of this.#tooMany) this.#setRefused(index, reply);
    if (outcome) for (const index of this.#recipients) this.delivery.outcomes[index] ??= outcome;
    this.step = 'done';
  }

  #refusal(phase: ErrorPhase, what: string): SendError {
    return refusal(this.#wire.reply(), phase, what, this.#wire.transcript.lines);
  }

  #desync(code: number): Failure {
    return {
      code: 'protocol',
      message: `the server answered ${code} where ${this.step.toUpperCase()} was to be answered`,
    };
  }
}

/** What a session knows that a transaction needs. */
export interface TransactionOptions {
  readonly isLmtp: boolean;
  /** Whether TLS protects the session, verified: what REQUIRETLS needs (RFC 8689, section 4.2.1). */
  readonly isVerified: boolean;
  /** Whether RSET goes first: always behind another transaction, since a refused one may still be open on the server. */
  readonly reset: boolean;
  /** The most recipients the server is known to take, 0 when it is not known. */
  readonly recipientLimit: number;
}

function asksForDsn({ ret, envid, recipients }: Envelope): boolean {
  return (ret ?? envid) !== undefined || recipients.some(({ notify, orcpt }) => (notify ?? orcpt) !== undefined);
}

function outcomeOf(error: EmailError): RecipientOutcome {
  return { reply: error.reply, error };
}

function mailParameters(delivery: Delivery, content: Content, capabilities: Capabilities): string {
  const { envelope } = delivery.submission;
  const size = content instanceof Uint8Array ? content.length : content.size;
  let parameters = '';
  if (capabilities.size && size !== null) {
    if (capabilities.maxSize > 0 && size > capabilities.maxSize) throw tooLarge(size, capabilities.maxSize);
    parameters += ` SIZE=${size}`;
  }
  const isEightBit = content instanceof Uint8Array ? !isAscii(content) : capabilities.eightBitMime;
  if (isEightBit && !capabilities.eightBitMime) throw unavailable('eight-bit', '8BITMIME');
  if (isEightBit) parameters += ' BODY=8BITMIME';
  if (envelope.smtpUtf8) parameters += ' SMTPUTF8';
  if (envelope.requireTls) parameters += ' REQUIRETLS';
  if (envelope.ret) parameters += parameter('RET', envelope.ret);
  if (envelope.envid !== undefined) parameters += parameter('ENVID', xtext(envelope.envid));
  return parameters;
}

function rcptLine(delivery: Delivery, index: number): string {
  const recipient = delivery.submission.envelope.recipients[index];
  if (!recipient) throw new MessageError([{ path: 'to', code: 'required', message: 'a recipient is missing' }]);
  const { address, notify, orcpt } = recipient;
  if (notify === undefined && orcpt === undefined) return rcpt(address, '');
  return rcpt(
    address,
    (notify === undefined ? '' : parameter('NOTIFY', notify)) +
      (orcpt === undefined ? '' : parameter('ORCPT', originalRecipient(orcpt))),
  );
}

function tooLarge(size: number, limit: number): EmailError {
  return new SendError('too-large', `the message has ${size} octets, the server takes ${limit}: make it smaller`, {
    phase: 'mail',
  });
}

function unavailable(feature: 'requiretls' | 'smtputf8' | 'dsn' | 'eight-bit', keyword: string): EmailError {
  return new SendError(`${feature}-unavailable`, `the message needs ${keyword}, which the server does not offer`, {
    phase: 'mail',
  });
}
