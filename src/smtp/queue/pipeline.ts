import type { ResolvedSmtpOptions } from '../options.ts';
import type { Capabilities } from '../protocol/capabilities.ts';
import { RSET } from '../protocol/commands.ts';
import { contentFailure, lost } from '../protocol/refusal.ts';
import type { ServerRecord } from '../session/server-record.ts';
import type { Session } from '../session/session.ts';
import { hasHadItsChances, SessionEnd } from '../session/session-end.ts';
import { closedByServer, type Disconnect, type Wire, type WireOwner } from '../session/wire.ts';
import { ContentWriter, fitsInOneWrite, writeAtOnce } from './content-writer.ts';
import type { Delivery } from './delivery.ts';
import type { PipelineHost } from './pipeline-host.ts';
import { Transaction, type TransactionContext } from './transaction.ts';

/** How long mails wait for an unanswered one before another connection is opened for them. */
export const SLOW_MS = 250;
/** A connection that was idle for longer is tested with RSET before it gets a message. */
const PROBE_AFTER_MS = 1_000;
const GIVEN_UP: Disconnect = { code: 'aborted', message: 'all that the server had to answer was given up' };

/**
 * The transactions of one session: as many at once as the server's extensions and record allow (RFC 2920, RFC 3030).
 *
 * - CHUNKING and PIPELINING: RSET, MAIL, RCPT and BDAT LAST of up to `maxInFlight` messages, without waiting.
 * - PIPELINING: the content of one message and RSET, MAIL, RCPT, DATA of the next in one group (RFC 2920, section 3.1).
 * - Neither: one command at a time.
 *
 * A transaction may always start when the one before it has handed over its content; only the number of unanswered ones
 * differs.
 */
export class Pipeline implements WireOwner {
  readonly wire: Wire;
  readonly openedAt: number = performance.now();
  idleSince: number = performance.now();
  /** Whether a recipient got an outcome on this connection. */
  madeProgress = false;
  readonly #capabilities: Capabilities;
  readonly #context: TransactionContext;
  readonly #options: ResolvedSmtpOptions;
  readonly #server: ServerRecord;
  readonly #host: PipelineHost;
  readonly #maxMessages: number;
  /** In the order of their commands: the next reply is for the first one. Their state is for themselves to change. */
  readonly #transactions: Readonly<Transaction>[] = [];
  #writer: ContentWriter | null = null;
  /** Whether a RSET on its own is unanswered; nothing is written after it. */
  #isResetting = false;
  /** Whether RSET was answered with 250 on this connection, so that BDAT need not wait for the reply to the next one. */
  #hasReset = false;
  /** Whether the last transaction may be open on the server: nothing is sent before RSET has been answered with 250. */
  #mayBeOpen = false;
  #needsReset = false;
  #lastTexts: readonly string[] = [];
  #served = 0;
  #startedAt = performance.now();
  /** Mails in a row that were accepted. */
  #goneWell = 0;
  #isRetired = false;
  #recipientLimit: number;
  readonly #end = new SessionEnd();

  constructor(session: Session, options: ResolvedSmtpOptions, server: ServerRecord, host: PipelineHost) {
    const { capabilities } = session;
    const pipelining = capabilities.pipelining && options.pipelining;
    this.#capabilities = { ...capabilities, pipelining, chunking: pipelining && capabilities.chunking };
    this.#options = options;
    this.#server = server;
    this.#host = host;
    this.#maxMessages = Math.min(options.maxMessages, capabilities.maxMails || Infinity);
    this.#recipientLimit = capabilities.maxRecipients;
    this.wire = session.wire;
    this.wire.owner = this;
    this.#context = {
      wire: session.wire,
      capabilities: this.#capabilities,
      end: this.#end,
      isLmtp: options.lmtp,
      isVerified: session.isVerified,
    };
  }

  /** Whether it waits for the reply to a RSET, and will take messages after it. */
  get isResetting(): boolean {
    return this.#isResetting;
  }

  get inFlight(): number {
    return this.#transactions.length;
  }

  /** How many further messages it is likely to take soon: none while it is full, and only its window while the server is slow. */
  get prospects(): number {
    if (!this.isUsable || this.#writer || this.wire.isFull) return 0;
    const most = this.#isSlow || this.#server.isCautious ? this.#window : this.#options.maxInFlight;
    return (this.#capabilities.pipelining ? most : 1) - this.#transactions.length;
  }

  /** Whether a message need not wait long for those before it: the server has answered here before, and lately. */
  get isPrompt(): boolean {
    return this.#transactions.length === 0 || (this.madeProgress && !this.#isSlow);
  }

  get #isSlow(): boolean {
    return this.#transactions.length > 0 && performance.now() - this.#startedAt > SLOW_MS;
  }

  /** Whether a message could be started now; none is put behind unanswered ones while another connection answers. */
  get hasRoom(): boolean {
    if (!this.isUsable || this.wire.isFull || this.#writer || this.#isResetting) return false;
    const last = this.#transactions.at(-1);
    if (!last) return true;
    if (!last.contentHandedOver || this.#transactions.length >= this.#window) return false;
    return this.isPrompt || !this.#host.hasPromptPipeline;
  }

  /** Whether further messages may go over this connection. */
  get isUsable(): boolean {
    if (this.#isRetired || this.wire.isClosed) return false;
    const { maxAgeMs } = this.#options;
    return this.#served < this.#maxMessages && (maxAgeMs === Infinity || performance.now() - this.openedAt < maxAgeMs);
  }

  /** Starts the deliveries that may start, in one group. */
  pump(): void {
    while (this.hasRoom && this.#host.canStart) {
      if (this.#mayBeOpen) this.#reset();
      else {
        const delivery = this.#host.take();
        if (delivery) this.#start(delivery);
      }
    }
    this.wire.flush();
    this.#host.onPumped();
  }

  /** Whether it was idle for so long that RSET must show first whether the server is still there. */
  get needsProbe(): boolean {
    return performance.now() - this.idleSince > PROBE_AFTER_MS;
  }

  /** Takes messages again after an idle time; after a long one the answer to RSET comes first, so that no message is risked. */
  wake(): void {
    this.ref(true);
    if (this.needsProbe) this.#reset();
    this.pump();
    this.#tellIfIdle();
  }

  /** Says QUIT without waiting for the reply. */
  hangUp(): void {
    this.wire.hangUp(this.#capabilities.pipelining);
  }

  /** Says QUIT and waits a moment for the server to close the connection. */
  quit(): Promise<void> {
    this.#isRetired = true;
    return this.wire.quit(this.#capabilities.pipelining);
  }

  /** Keeps the process alive, or lets it end. */
  ref(isBusy: boolean): void {
    // A socket made by the caller may lack them.
    const handle = this.wire.socket as { ref?(): unknown; unref?(): unknown };
    if (isBusy) handle.ref?.();
    else handle.unref?.();
  }

  /** Gives a delivery up: it is settled at once. The connection ends if it could only go on by sending the rest of it. */
  abort(delivery: Delivery, disconnect: Disconnect): void {
    const transaction = this.#transactions.find((candidate) => candidate.delivery === delivery);
    if (!transaction) return;
    const isWriting = this.#writer !== null && transaction === this.#transactions.at(-1);
    this.#isRetired = true; // a server that did not answer this one in time gets no other
    transaction.giveUp(disconnect);
    this.#settleLost(delivery, disconnect);
    if (isWriting || this.#transactions.every((other) => other.delivery.isSettled)) this.wire.disconnect(disconnect);
  }

  onReply(code: number): void {
    this.#end.isLastReply = code === 421;
    const [transaction] = this.#transactions;
    if (!transaction) {
      this.#onResetReply(code);
      return;
    }
    const { step } = transaction;
    // 421 to a command is about the session, to content about this mail as well.
    if (code === 421 && step !== 'final') this.#endAfter(transaction);
    const disconnect = transaction.receive(code);
    if (code === 421) this.#endAfter(transaction);
    if (step === 'reset') this.#onReset(code);
    if (transaction.isBdatRefused) {
      this.#server.takesBdat = false;
      this.madeProgress = true; // the next connection, where it goes by DATA, need not wait
    }
    if (disconnect) this.wire.disconnect(disconnect);
    else if (transaction.step === 'done') this.#finish(transaction);
    else if (transaction.step === 'content') this.#onGoAhead(transaction);
  }

  onRepliesRead(): void {
    if (this.#end.shutdown) {
      if (this.wire.outstanding > 0) return;
      this.wire.hangUp();
      this.onDisconnect(this.#end.shutdown);
      return;
    }
    const [transaction] = this.#transactions;
    // They would keep the connection, which others may be waiting for, until the server answers.
    if (transaction && this.#transactions.every(({ delivery }) => delivery.isSettled)) this.wire.disconnect(GIVEN_UP);
    else if (transaction?.step === 'content' && !this.#writer) this.#writeContent(transaction);
    this.pump();
    this.#tellIfIdle();
  }

  onDrain(): void {
    if (this.#writer) this.#writer.resume();
    else {
      this.pump();
      this.#tellIfIdle();
    }
  }

  onEarlyReply(code: number): void {
    this.#end.isLastReply = code === 421;
    const [transaction] = this.#transactions;
    if (code === 421) this.#end.blame(transaction?.delivery);
    else if (transaction?.step === 'content' && code >= 400) transaction.refuseContent();
  }

  onDisconnect(disconnect: Disconnect): void {
    this.#writer?.stop();
    this.#writer = null;
    const transactions = this.#transactions.splice(0);
    const hasLost = transactions.some(({ step }) => step !== 'done');
    if (hasLost && disconnect.code !== 'aborted') this.#server.onLoss();
    const isHeadLost = disconnect.code !== 'closed' && !this.#end.isOver;
    const returned: Delivery[] = [];
    for (const [place, transaction] of transactions.entries()) {
      const { delivery } = transaction;
      const isOpen = transaction.step === 'done' || this.#end.provesUnsent(transaction, disconnect);
      if (!isOpen || (place === 0 && isHeadLost && transaction.step !== 'done')) transaction.lose(disconnect);
      this.madeProgress ||= transaction.hasDecided;
      if (delivery.isSettled) continue;
      if (!delivery.isComplete && isOpen) returned.push(delivery);
      else this.#settleLost(delivery, disconnect);
    }
    if (!this.madeProgress) this.#end.blame(transactions[0]?.delivery);
    for (const delivery of returned.reverse()) this.#giveBack(delivery, this.#end.shutdown ?? disconnect);
    this.#host.onClosed(this, this.#end.shutdown ?? disconnect);
  }

  timeoutMs(): number {
    const { timeouts } = this.#options;
    if (this.#end.isOver) return this.#end.timeLeftMs;
    if (this.#writer) return timeouts.data;
    return this.#transactions[0]?.step === 'final' ? timeouts.final : timeouts.reply;
  }

  contentTexts(code: number): readonly string[] {
    const [first] = this.#transactions;
    if (code < 400 && first) return first.delivery.submission.contentTexts();
    // The reply may be out of step, and about any mail.
    return this.#transactions.flatMap(({ delivery }) => delivery.submission.contentTexts()).concat(this.#lastTexts);
  }

  get #window(): number {
    return this.#capabilities.pipelining ? Math.min(this.#options.maxInFlight, this.#server.window) : 1;
  }

  #start(delivery: Delivery): void {
    const isFirst = this.#transactions.length === 0;
    let transaction: Readonly<Transaction>;
    try {
      transaction = new Transaction(delivery, this.#context, {
        reset: !isFirst || this.#needsReset,
        bdat: this.#mayUseBdat(isFirst),
        recipientLimit: this.#recipientLimit,
      });
    } catch (error) {
      delivery.settle({ reply: null, error: contentFailure(error) });
      return;
    }
    this.#served++;
    this.#startedAt = performance.now();
    this.#needsReset = false;
    this.#transactions.push(transaction);
    transaction.start();
    if (transaction.usesBdat && this.#options.maxInFlight > 1 && !this.#hasReset && !this.#server.refusesReset) {
      // After this mail, where a refusal of RSET leaves no mail in doubt; once it works, further mails need not wait for it.
      this.#reset();
    }
  }

  #mayUseBdat(isFirst: boolean): boolean {
    if (!this.#capabilities.chunking || !this.#options.chunking || this.#options.lmtp) return false;
    return isFirst ? this.#server.mayUseBdat : this.#server.mayUseBdatUnseen && this.#hasReset;
  }

  #reset(): void {
    this.wire.expect(1);
    this.wire.write(RSET);
    this.#isResetting = true;
  }

  /** The reply to a RSET on its own. */
  #onResetReply(code: number): void {
    this.#isResetting = false;
    this.#onReset(code);
    if (code === 250) this.#mayBeOpen = false;
    else if (code === 421) this.#endAfter(undefined);
    else this.wire.disconnect({ code: 'closed', message: `the server answered ${code} to RSET` });
    this.#host.onReset();
  }

  #onReset(code: number): void {
    if (code === 250) {
      this.#hasReset = true;
      this.#server.mayMisreadBdat = false;
    } else if (code !== 421 && !this.#end.isOver) this.#server.refusesReset = true;
  }

  /** The server waits for content. It is sent once all replies read so far are handled, as no reply may come before it. */
  #onGoAhead(transaction: Readonly<Transaction>): void {
    if (transaction.delivery.isSettled) this.wire.disconnect(GIVEN_UP);
    else if (this.#end.isOver) {
      transaction.abandon();
      this.#finish(transaction);
    }
  }

  /** The content after DATA. A small one is written at once, so that the next message's commands can join it. */
  #writeContent(transaction: Readonly<Transaction>): void {
    const { content } = transaction;
    if (fitsInOneWrite(content)) {
      writeAtOnce(content, this.wire);
      transaction.endContent();
      return;
    }
    this.#writer = new ContentWriter(content, this.wire, {
      isEightBit: this.#capabilities.eightBitMime,
      timeoutMs: this.#options.timeouts.data,
      onEnd: () => {
        this.#writer = null;
        transaction.endContent();
        this.pump();
      },
      onError: (error) => {
        this.#writer = null;
        transaction.abandon({ reply: null, error: contentFailure(error) });
        this.wire.disconnect({ code: 'aborted', message: 'the content of a message could not be read', cause: error });
      },
    });
    this.#writer.resume();
  }

  #finish(transaction: Readonly<Transaction>): void {
    this.#transactions.shift();
    this.#lastTexts = transaction.delivery.submission.contentTexts();
    const { delivery, wasAccepted, usesBdat, recipientLimit } = transaction;
    this.madeProgress ||= transaction.hasDecided;
    if (recipientLimit > 0) this.#recipientLimit = recipientLimit;
    this.#goneWell = wasAccepted ? this.#goneWell + 1 : 0;
    if (transaction.hasFinalReply) this.#server.onFinalReply(this.#goneWell);
    if (usesBdat && !wasAccepted) this.#server.mayMisreadBdat = true;
    this.#mayBeOpen = transaction.mayBeOpen && this.#transactions.length === 0 && !this.#isResetting;
    this.#needsReset = !wasAccepted;
    if (delivery.isSettled) return;
    if (delivery.isComplete) delivery.settle();
    else this.#giveBack(delivery, this.#end.shutdown ?? null);
  }

  /** Puts a delivery back in the queue, unless too many sessions seem to have ended because of it. */
  #giveBack(delivery: Delivery, disconnect: Disconnect | null): void {
    if (disconnect === null || !hasHadItsChances(delivery)) this.#host.giveBack(delivery);
    else this.#settleLost(delivery, disconnect);
  }

  /** The server said 421: the replies still due are read, and nothing but QUIT is written (RFC 5321, section 3.8). */
  #endAfter(transaction: Readonly<Transaction> | undefined): void {
    if (this.#end.isOver) return;
    this.#isRetired = true;
    this.#server.onLoss();
    this.#end.begin(closedByServer(this.wire.reply()), this.#options.timeouts.reply);
    if (!transaction?.hasFinalReply) this.#end.blame(transaction?.delivery);
  }

  /** Recipients without an outcome were left for a further transaction: the server knows nothing of them. */
  #settleLost(delivery: Delivery, disconnect: Disconnect): void {
    if (delivery.isComplete) delivery.settle();
    else delivery.settle({ reply: null, error: lost(disconnect, this.wire.transcript.lines, 'queue') });
  }

  #tellIfIdle(): void {
    if (this.#transactions.length > 0 || this.#isResetting || this.wire.isClosed) return;
    if (this.wire.isFull)
      this.wire.arm(this.#options.timeouts.data); // what was written must be sent first
    else this.#host.onIdle(this);
  }
}
