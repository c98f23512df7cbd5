import type { Socket } from 'node:net';
import { CommandReader, type CommandSink } from './command-reader.ts';
import type { Ledger } from './ledger.ts';
import { Random } from './random.ts';
import { ReplyWriter } from './reply-writer.ts';
import type { After421, Fault, ServerPlan, Step } from './server-plan.ts';

/** What is open between MAIL and the end of the content. */
interface OpenTransaction {
  readonly sender: string;
  readonly recipients: string[];
  /** Whether a recipient was named, accepted or not. */
  hasNamed: boolean;
  content: string;
}

/** What the server knows beyond one connection. */
export interface ModelHost {
  readonly plan: ServerPlan;
  readonly ledger: Ledger;
  /** The fault that happens now at this step, if any. */
  faultAt(step: Step, random: Random): Fault | null;
}

const CALLED_OFF = '421 4.3.2 Going down';

/**
 * One connection of a server as RFC 5321, 2033 and 3030 have it, but for the faults of its plan: it reads commands in the
 * order of the bytes, one after the other, and every content goes to the recipients of the transaction that is open.
 */
export class ModelSession implements CommandSink {
  readonly socket: Socket;
  readonly #host: ModelHost;
  readonly #random: Random;
  readonly #replies: ReplyWriter;
  readonly #name: string;
  readonly #reader = new CommandReader(this);
  #transaction: OpenTransaction | null = null;
  /** Takes, and says nothing. */
  #isMute = false;
  /** Reads, and does nothing. */
  #isDeaf = false;
  #isFaultless = false;
  #isLeaving = false;
  #taken = 0;
  #refusals = 0;
  /** Commands that are still answered after 421. */
  #answersLeft = Infinity;

  constructor(socket: Socket, host: ModelHost, seeds: readonly number[], name: string) {
    this.socket = socket;
    this.#host = host;
    this.#random = new Random(...seeds);
    this.#name = name;
    // Numbers of its own: how often it writes depends on time.
    this.#replies = new ReplyWriter(socket, host.plan.replies, new Random(...seeds, 1));
    socket.on('data', (bytes) => this.#onData(bytes.toString('latin1')));
    socket.on('error', () => {});
    this.#perform('connect', () => '220 model.example.com');
    this.#replies.flush();
  }

  #onData(text: string): void {
    if (this.#isDeaf) return;
    this.#reader.push(text);
    this.#replies.flush();
  }

  onCommand(line: string): void {
    this.#note(`C: ${line}`);
    const { extensions } = this.#host.plan;
    if (!extensions.includes('PIPELINING') && this.#reader.hasMore && !/^BDAT/i.test(line))
      this.#host.ledger.breaches.push(`${line}: followed by another before it was answered, without PIPELINING`);
    this.#command(line);
  }

  #command(line: string): void {
    const [verb = '', ...words] = line.split(' ');
    const { plan } = this.#host;
    if (this.#refusals >= plan.errorsTolerated) {
      this.#callOff('close');
      return;
    }
    switch (verb.toUpperCase()) {
      case 'EHLO':
      case 'LHLO':
        this.#hello(verb.toUpperCase() === (plan.isLmtp ? 'LHLO' : 'EHLO'));
        return;
      case 'HELO':
        this.#transaction = null;
        this.#reply('250 model.example.com');
        return;
      case 'MAIL':
        this.#perform('MAIL', () => this.#mail(addressIn(line)));
        return;
      case 'RCPT':
        if (this.#transaction) this.#transaction.hasNamed = true;
        this.#perform('RCPT', () => this.#rcpt(addressIn(line)));
        return;
      case 'DATA':
        this.#checkNamed();
        this.#perform('DATA', () => this.#data());
        return;
      case 'BDAT':
        this.#bdat(Number(words[0]), words[1]?.toUpperCase() === 'LAST');
        return;
      case 'RSET':
        this.#rset();
        return;
      case 'NOOP':
        this.#reply('250 2.0.0 Ok');
        return;
      case 'QUIT':
        // Mute, it would close as if it had taken nothing.
        if (this.#isMute) return;
        this.#reply('221 2.0.0 Bye');
        this.#leave('fin');
        return;
      default:
        this.#reply('500 5.5.1 What');
    }
  }

  #hello(isKnown: boolean): void {
    const { ehlo, extensions } = this.#host.plan;
    if (!isKnown || ehlo !== null) {
      this.#reply(ehlo ?? '500 5.5.1 What');
      return;
    }
    this.#perform('EHLO', () => {
      this.#transaction = null;
      const lines = ['model.example.com', ...extensions, 'ENHANCEDSTATUSCODES'];
      return lines.map((text, index) => `250${index === lines.length - 1 ? ' ' : '-'}${text}`).join('\r\n');
    });
  }

  #mail(sender: string): string {
    const { leavesAfter } = this.#host.plan;
    if (leavesAfter?.how === '421 at the next' && this.#taken >= leavesAfter.mails) {
      this.#callOff(leavesAfter.afterwards);
      return '';
    }
    if (this.#transaction) return '503 5.5.1 Nested MAIL';
    this.#transaction = { sender, recipients: [], hasNamed: false, content: '' };
    return '250 2.1.0 Ok';
  }

  #rcpt(address: string): string {
    if (!this.#transaction) return '503 5.5.1 MAIL first';
    if (this.#transaction.recipients.length >= this.#host.plan.maxRecipients) return '452 4.5.3 Too many recipients';
    this.#transaction.recipients.push(address);
    return '250 2.1.5 Ok';
  }

  #data(): string {
    if (!this.#transaction) return '503 5.5.1 MAIL first';
    const hasRecipients = this.#transaction.recipients.length > 0;
    if (!hasRecipients && !this.#host.plan.asksForContentAlways) return '554 5.5.1 No valid recipients';
    this.#reader.readData((content) => {
      this.#note(`C: (${content.length} octets and a dot)`);
      this.#finish(content, false);
    });
    return '354 Go on';
  }

  #bdat(octets: number, isLast: boolean): void {
    const { plan } = this.#host;
    this.#checkNamed();
    const isReady = this.#transaction !== null && this.#transaction.recipients.length > 0;
    const refusal = !plan.extensions.includes('CHUNKING')
      ? '500 5.5.1 What'
      : (plan.bdat ?? (isReady ? null : '503 5.5.1 No valid recipients'));
    if (refusal !== null && !plan.swallowsRefusedChunks) {
      this.#reply(refusal);
      return;
    }
    this.#reader.readChunk(octets, (chunk) => {
      this.#note(`C: (${octets} octets)`);
      if (refusal !== null) this.#reply(refusal);
      else if (isLast) this.#finish((this.#transaction?.content ?? '') + chunk, plan.keepsRefusedBdat);
      else {
        if (this.#transaction) this.#transaction.content += chunk;
        this.#reply(`250 2.0.0 ${octets} octets`);
      }
    });
  }

  #checkNamed(): void {
    if (this.#transaction?.hasNamed === false)
      this.#host.ledger.breaches.push('a content without a recipient, accepted or not');
  }

  #rset(): void {
    const { rset } = this.#host.plan;
    if (rset && this.#random.chance(rset.share)) {
      this.#reply(rset.reply);
      return;
    }
    this.#perform('RSET', () => {
      this.#transaction = null;
      return '250 2.0.0 Ok';
    });
  }

  /** The end of the content: it is taken for the recipients, one by one over LMTP (RFC 2033, section 4.2). */
  #finish(content: string, staysOpen: boolean): void {
    const { plan } = this.#host;
    const transaction = this.#transaction;
    if (!transaction || transaction.recipients.length === 0) {
      this.#reply('554 5.5.1 No valid recipients');
      this.#transaction = null;
      return;
    }
    const { sender, recipients } = transaction;
    const groups = plan.isLmtp ? recipients.map((recipient) => [recipient]) : [recipients];
    const before = this.#host.ledger.taken.length;
    for (const group of groups) {
      const take = () => this.#take(sender, group, content);
      if (!this.#isDeaf) this.#perform('final', take);
      else if (plan.deliversBeforeReplies) this.#silently(take);
    }
    const isTaken = this.#host.ledger.taken.length > before;
    if (isTaken || !staysOpen) this.#transaction = null;
    if (isTaken) this.#taken++;
    if (!this.#isDeaf && !this.#isMute) this.#afterMail();
  }

  #take(sender: string, recipients: readonly string[], content: string): string {
    const taken = this.#host.ledger.take(sender, [...recipients], content);
    taken.isConfirmed = !this.#isMute;
    this.#note(`taken: ${taken.messageId} for ${recipients.join(', ')}`);
    return '250 2.0.0 Taken';
  }

  #afterMail(): void {
    const { leavesAfter } = this.#host.plan;
    if (leavesAfter && leavesAfter.how !== '421 at the next' && this.#taken >= leavesAfter.mails) {
      if (leavesAfter.how === '421 at once') this.#callOff(leavesAfter.afterwards);
      else this.#leave(leavesAfter.how);
      return;
    }
    const fault = this.#isFaultless ? null : this.#host.faultAt('after', this.#random);
    if (fault?.kind === '421') this.#callOff(fault.afterwards);
  }

  /** Does what a command asks for and answers it, unless a fault comes instead. */
  #perform(step: Step, carryOut: () => string): void {
    const fault = this.#isFaultless ? null : this.#host.faultAt(step, this.#random);
    if (fault) this.#note(`${step}: ${JSON.stringify(fault)}`);
    switch (fault?.kind) {
      case undefined:
        this.#reply(carryOut());
        return;
      case 'refuse':
        this.#reply(fault.reply);
        return;
      case 'leave':
        if (fault.isAfter) this.#silently(carryOut);
        this.#leave(fault.end);
        return;
      case 'stall':
        if (fault.takes) this.#silently(carryOut);
        this.#isMute = true;
        this.#isFaultless = true;
        if (!fault.takes) this.#stopReading();
        if (!fault.reads) this.socket.pause();
        return;
      case '421':
        if (isCarriedOut(step, fault.afterwards)) this.#silently(carryOut);
        this.#callOff(fault.afterwards);
        return;
      case 'early':
        this.#answerEarly(carryOut(), fault.replies);
        if (!fault.goesOn) this.#stopReading();
        return;
      case 'extra':
        this.#reply(carryOut());
        this.#reply('250 2.0.0 Ok');
        return;
      case 'missing':
        this.#silently(carryOut);
    }
  }

  #answerEarly(reply: string, more: string): void {
    if (!/^[23]/.test(reply)) this.#reply(reply);
    else {
      this.#note(`S: ${reply} | ${more.trimEnd()}`);
      this.#replies.add(`${reply}\r\n${more}`, true);
    }
  }

  /** Says 421, which takes nothing of what it answers. */
  #callOff(afterwards: After421): void {
    this.#reply(CALLED_OFF);
    this.#isFaultless = true;
    switch (afterwards) {
      case 'close':
        this.#leave('fin');
        return;
      case 'reset':
        this.#leave('rst');
        return;
      case 'close later':
        this.#stopReading();
        setTimeout(() => this.#leave('fin'), this.#random.integer(5, 40));
        return;
      case 'keep still':
        this.#stopReading();
        return;
      case 'answer on':
        return;
      case 'answer some':
        this.#answersLeft = this.#random.integer(1, 6);
        return;
      case 'take on':
        this.#isMute = true;
        return;
      case 'take and close':
        this.#takeAndClose();
    }
  }

  #takeAndClose(): void {
    this.#isMute = true;
    setTimeout(() => this.#leave('fin'), this.#random.integer(1, 10));
  }

  /** Hangs up behind what it has said, and takes nothing more; what still comes is read away before FIN becomes a RST. */
  #leave(end: 'fin' | 'rst'): void {
    this.#stopReading();
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    this.#note(end === 'fin' ? '(closes)' : '(resets)');
    this.#replies.finish(() => {
      if (end === 'fin') this.socket.end();
      else this.socket.resetAndDestroy();
    });
  }

  #stopReading(): void {
    this.#isDeaf = true;
    this.#reader.stop();
  }

  #silently(carryOut: () => string): void {
    const wasMute = this.#isMute;
    this.#isMute = true;
    carryOut();
    this.#isMute = wasMute;
  }

  #reply(text: string): void {
    if (text === '' || this.#isMute) return;
    this.#note(`S: ${text}`);
    if (text.startsWith('5')) this.#refusals++;
    this.#replies.add(`${text}\r\n`);
    if (--this.#answersLeft === 0) this.#takeAndClose();
  }

  #note(text: string): void {
    this.#host.ledger.journal.push(`${this.#name} ${text}`);
  }
}

/**
 * Whether a command is carried out although its answer is 421. RSET always is where there is BDAT: content has left before
 * the reply is known. A recipient or a content whose answer is 421 is not taken by a server whose other answers count.
 */
function isCarriedOut(step: Step, afterwards: After421): boolean {
  if (step === 'final') return false;
  return step === 'RSET' || afterwards.startsWith('take') || (step === 'MAIL' && afterwards.startsWith('answer'));
}

function addressIn(line: string): string {
  return /<([^>]*)>/.exec(line)?.[1] ?? '';
}
