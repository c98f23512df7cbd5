import { parseChunkSize, parsePath } from './command-parser.ts';
import { hasBareNewline } from './data-reader.ts';
import { checkMailParameters, checkRcptParameters } from './extensions.ts';
import type { Answer, Awaitable } from './hooks.ts';
import type { InputBuffer } from './input-buffer.ts';
import type { ResolvedSmtpServerOptions } from './options.ts';
import { isList, isPositive } from './reply.ts';
import type { SmtpSession } from './session.ts';
import { Transaction } from './transaction.ts';

export const BAD_SEQUENCE = '503 5.5.1 Bad sequence of commands';
const NO_RECIPIENTS = '554 5.5.1 No valid recipients';

/** What the parts of a session use to reply to the client and to call hooks. */
interface SessionHost {
  say(reply: Answer): void;
  /** Replies and ends the connection. */
  fail(reply: string): void;
  ask<T>(hook: () => Awaitable<T>, next: (answer: T | string) => void): void;
}

/**
 * The part of the dialogue that receives mails: MAIL, RCPT, DATA, BDAT and their content. The method of a command returns the
 * usual reply, or undefined when it replies itself.
 */
export class MailDialogue {
  readonly #session: SmtpSession;
  readonly #options: ResolvedSmtpServerOptions;
  readonly #input: InputBuffer;
  readonly #host: SessionHost;
  #transaction: Transaction | null = null;
  #expects: 'commands' | 'data' | 'chunk' = 'commands';
  #chunk = { left: 0, isLast: false, answer: undefined as Answer };

  constructor(session: SmtpSession, options: ResolvedSmtpServerOptions, input: InputBuffer, host: SessionHost) {
    this.#session = session;
    this.#options = options;
    this.#input = input;
    this.#host = host;
  }

  /** Whether a MAIL was accepted and its mail is still incomplete. */
  get isOpen(): boolean {
    return this.#transaction !== null;
  }

  /** Whether the next bytes are content. */
  get expectsContent(): boolean {
    return this.#expects !== 'commands';
  }

  /** Discards the current mail (RSET, EHLO, STARTTLS). */
  reset(): void {
    this.#transaction = null;
  }

  /** Reads content; false when more is needed. */
  readContent(): boolean {
    return this.#expects === 'data' ? this.#readData() : this.#readChunk();
  }

  mail(argument: string, override: Answer): string | undefined {
    if (this.#session.clientName === null || this.#transaction !== null) return BAD_SEQUENCE;
    const path = /^FROM:/i.test(argument) ? parsePath(argument.slice(5).trimStart()) : null;
    if (path === null) return '501 5.5.4 Syntax: MAIL FROM:<address> [parameters]';
    const { address, parameters } = path;
    const fault = checkMailParameters(address, parameters, this.#options, this.#session.secure);
    if (fault !== null) return fault;
    this.#decide(
      () => this.#options.onMail?.(address, parameters, this.#session),
      '250 2.1.0 Ok',
      override,
      () => {
        this.#transaction = new Transaction(address, parameters, this.#options.maxSize);
      },
    );
    return undefined;
  }

  rcpt(argument: string, override: Answer): string | undefined {
    const transaction = this.#transaction;
    if (transaction === null || transaction.isChunked) return BAD_SEQUENCE;
    const path = /^TO:/i.test(argument) ? parsePath(argument.slice(3).trimStart()) : null;
    if (path === null || path.address === '') return '501 5.5.4 Syntax: RCPT TO:<address> [parameters]';
    const { address, parameters } = path;
    const fault = checkRcptParameters(address, parameters, this.#options, transaction.isUtf8);
    if (fault !== null) return fault;
    if (transaction.recipients >= this.#options.maxRecipients) return '452 4.5.3 Too many recipients';
    this.#decide(
      () => this.#options.onRcpt?.(address, parameters, this.#session),
      '250 2.1.5 Ok',
      override,
      () => transaction.addRecipient(address, parameters),
    );
    return undefined;
  }

  data(override: Answer): string | undefined {
    const transaction = this.#transaction;
    if (transaction === null || transaction.isChunked) return BAD_SEQUENCE;
    if (transaction.recipients === 0 && override === undefined) return NO_RECIPIENTS;
    if (transaction.isBinary) return '503 5.5.1 BINARYMIME needs BDAT';
    this.#expects = 'data';
    return '354 End with CRLF dot CRLF';
  }

  #readData(): boolean {
    const transaction = this.#transaction;
    if (transaction === null) return false;
    const { next, isDone } = transaction.content.readStuffed(this.#input.bytes, this.#input.position);
    this.#input.position = next;
    if (isDone) {
      this.#expects = 'commands';
      this.#finish(transaction, undefined);
    }
    return isDone;
  }

  bdat(argument: string, override: Answer): void {
    const chunk = this.#options.extensions.has('CHUNKING') ? parseChunkSize(argument) : null;
    if (chunk === null) {
      // Without a size, the chunk cannot be distinguished from commands.
      this.#host.fail(
        this.#options.extensions.has('CHUNKING') ? '501 5.5.4 Syntax: BDAT size [LAST]' : '500 5.5.1 Unknown command',
      );
      return;
    }
    const transaction = this.#transaction;
    let answer = override;
    if (transaction === null || transaction.hasFailed) answer ??= BAD_SEQUENCE;
    else if (transaction.recipients === 0) answer ??= NO_RECIPIENTS;
    if (transaction !== null) {
      transaction.isChunked = true;
      if (!isPositive(answer)) transaction.hasFailed = true;
    }
    this.#chunk = { left: chunk.size, isLast: chunk.last, answer };
    this.#expects = 'chunk';
  }

  #readChunk(): boolean {
    const { bytes, position, waiting } = this.#input;
    const chunk = this.#chunk;
    const transaction = this.#transaction;
    const length = Math.min(waiting, chunk.left);
    chunk.left -= length;
    this.#input.position = position + length;
    if (transaction?.hasFailed === false) transaction.content.append(bytes, position, position + length);
    if (chunk.left > 0) return false;
    this.#expects = 'commands';
    if (transaction?.hasFailed === false && chunk.isLast) this.#finish(transaction, chunk.answer);
    else this.#host.say(chunk.answer === undefined ? '250 2.0.0 Ok' : chunk.answer);
    return true;
  }

  /** Passes the mail to `onMessage`. The transaction ends here, whatever the answer (RFC 5321, section 4.1.1.4). */
  #finish(transaction: Transaction, override: Answer): void {
    this.#transaction = null;
    const { maxSize, bareNewlines, lmtp } = this.#options;
    const answerAll = (answers: Answer | readonly Answer[]): void => {
      for (let i = 0; i < (lmtp ? transaction.recipients : 1); i++) {
        const answer = isList(answers) ? answers[i] : answers;
        this.#host.say(override ?? (answer === undefined ? '250 2.0.0 Ok: received' : answer));
      }
    };
    const bytes = transaction.content.take();
    if (transaction.recipients === 0) answerAll(NO_RECIPIENTS);
    else if (transaction.content.size > maxSize) answerAll(`552 5.3.4 A mail may have ${maxSize} octets`);
    else if (bareNewlines === 'refuse' && !transaction.isBinary && hasBareNewline(bytes))
      answerAll('550 5.6.11 A CR or LF stands alone in the content (RFC 5321, section 2.3.8)');
    else
      this.#host.ask<Answer | readonly Answer[]>(
        () => this.#options.onMessage?.({ envelope: transaction.envelope(), bytes }, this.#session),
        answerAll,
      );
  }

  #decide(hook: () => Awaitable<Answer>, usual: string, override: Answer, accept: () => void): void {
    this.#host.ask(hook, (answer) => {
      if (isPositive(answer)) accept();
      this.#host.say(override ?? (answer === undefined ? usual : answer));
    });
  }
}
