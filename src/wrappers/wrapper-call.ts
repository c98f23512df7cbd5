import { ResultQueue } from '../backend/call/result-queue.ts';
import { askingOnce } from '../backend/commit.ts';
import {
  type DeliveryContext,
  type DeliveryResult,
  endedBefore,
  failedDelivery,
  type Job,
  reasonToStop,
  toEmailError,
  unansweredInTime,
} from '../backend/job.ts';
import { admit, answered, type PartJob } from '../backend/part-job.ts';
import { type EmailError, SendError } from '../model/errors.ts';
import type { EmailMessage } from '../model/message.ts';
import { addAbortListener, removeAbortListener } from '../util/abort-listeners.ts';
import { Deadline, DeadlinePassed } from '../util/deadline.ts';
import { IndexMap } from '../util/index-map.ts';
import { sendCopy } from './copies.ts';
import { Lane, type LaneOwner } from './lane.ts';
import { Mail } from './mail.ts';
import { messageFor, sameInEveryTry } from './message-for.ts';
import type { NamedPart } from './parts.ts';
import { tellOfTry } from './tell-of-try.ts';
import { beginTry, endTry } from './trace-try.ts';
import type { WrapperHost } from './wrapper-host.ts';

/** Mails that may wait for one connection while others ask for more. */
const MOST_WAITING = 32;
/** How long a connection may be silent after the deadline, in milliseconds; a wrapper in another one gives up before that one. */
const SILENCE_MS = 5;
/** The call itself gives up a little later. */
const MAX_SILENCE_MS = 20;

/**
 * One call of a wrapper: gives each mail to the connection that the rules choose, and what is left of it to the next one.
 *
 * Every connection has a lane, which begins with its first mail. Written out rather than generated: it is in the way of every mail.
 */
export class WrapperCall implements AsyncIterableIterator<DeliveryResult>, LaneOwner {
  readonly #host: WrapperHost;
  readonly #source: AsyncIterator<Job>;
  readonly #context: DeliveryContext;
  readonly #lanes: (Lane | null)[];
  /** Mails that are not through. */
  readonly #open = new IndexMap<Mail>();
  readonly #results = new ResultQueue<DeliveryResult>();
  #isReading = false;
  #isExhausted = false;
  /** Nobody wants results any more. */
  #isLeft = false;
  #failure: { readonly error: unknown } | null = null;
  #stopWaiting: (() => void) | null = null;

  constructor(host: WrapperHost, jobs: AsyncIterable<Job>, context: DeliveryContext) {
    this.#host = host;
    this.#source = jobs[Symbol.asyncIterator]();
    this.#context = context;
    this.#lanes = new Array(host.parts.length).fill(null);
    addAbortListener(context.signal, this.#onAbort);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<DeliveryResult>> {
    const step = this.#results.next();
    this.#ask();
    this.#read();
    return step;
  }

  /** Nobody wants the results any more: no further mail is taken, and what the connections have they let finish. */
  async return(): Promise<IteratorResult<DeliveryResult>> {
    this.#isExhausted = true;
    this.#isLeft = true;
    this.#end();
    for (const mail of this.#open.values()) {
      this.#open.delete(mail.job.index);
      mail.stopListening?.();
      this.#breakOff(mail, brokenOff(mail));
    }
    await this.#source.return?.();
    await Promise.all(this.#lanes.map((lane) => lane?.leave()));
    return this.#results.return();
  }

  onDemand(): void {
    this.#read();
  }

  onAnswer(lane: Lane, answer: DeliveryResult): void {
    const mail = this.#open.get(answer.index);
    // A second answer, or one to what was not asked, says nothing.
    if (mail === undefined || mail.lane !== lane) lane.ask();
    else {
      const given = mail.given as PartJob; // it was given to the lane
      this.#onTried(mail, answered(given, answer));
      if (this.#results.hasDemand) lane.ask();
    }
  }

  onEnd(lane: Lane, failure: { readonly error: unknown } | null): void {
    this.#lanes[lane.place] = null;
    const { signal } = this.#context;
    for (const mail of this.#open.values()) {
      if (mail.lane !== lane) continue;
      const error = !mail.isTaken
        ? reasonToStop(failure?.error, signal)
        : failure === null
          ? new SendError('uncertain', 'the backend ended without telling whether the mail was sent', {
              outcome: 'unknown',
            })
          : toEmailError(failure.error);
      this.#onTried(mail, failedDelivery({ index: mail.job.index, message: mail.tried }, error));
    }
  }

  /** Asks every connection that has mails for an answer, while one is wanted. */
  #ask(): void {
    if (!this.#results.hasDemand) return;
    for (const lane of this.#lanes) lane?.ask();
  }

  #read(): void {
    if (this.#isReading || this.#isExhausted || !this.#wantsJob()) return;
    this.#isReading = true;
    this.#source.next().then(this.#onJob, this.#onSourceFailed);
  }

  /** Whether a connection has room, and none is far behind the others; the first mail is read for whichever it will be. */
  #wantsJob(): boolean {
    if (this.#open.size === 0) return this.#results.hasDemand;
    let wants = false;
    for (const lane of this.#lanes) {
      if (lane === null) continue;
      if (lane.waiting >= MOST_WAITING) return false;
      wants ||= lane.hasDemand;
    }
    return wants;
  }

  readonly #onJob = (step: IteratorResult<Job>): void => {
    if (this.#isLeft) return;
    if (step.done === true) {
      this.#isReading = false;
      this.#isExhausted = true;
      this.#endIfDone();
      return;
    }
    const mail = new Mail(step.value);
    this.#open.set(mail.job.index, mail);
    this.#watch(mail, mail.job.signal);
    // Whoever comes later waits, too: turns are taken in order.
    const turn = this.#turnOf(mail.job);
    if (turn === null) this.#take(mail);
    else turn.then(() => this.#take(mail), this.#notBegun(mail));
  };

  /** A wrapper around this one may bound the try of a single mail. */
  #watch(mail: Mail, signal: AbortSignal | undefined): void {
    if (signal === undefined || signal === this.#context.signal) return;
    const onAbort = () => this.#onMailAbort(mail, signal);
    addAbortListener(signal, onAbort);
    mail.stopListening = () => removeAbortListener(signal, onAbort);
  }

  #turnOf({ message, signal }: Job): Promise<void> | null {
    try {
      return this.#host.rules.turn?.(message.recipients.length, signal) ?? null;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  readonly #onSourceFailed = (error: unknown): void => {
    this.#isReading = false;
    this.#isExhausted = true;
    this.#failure = { error };
    this.#endIfDone();
  };

  #notBegun(mail: Mail): (error: unknown) => void {
    return (error) => {
      this.#isReading = false;
      const { job } = mail;
      const cause = job.signal?.aborted ? endedBefore('its turn came', job.signal) : toEmailError(error);
      if (this.#isOpen(mail)) this.#settle(mail, failedDelivery(job, cause));
      else this.#endIfDone();
      this.#read();
    };
  }

  #isOpen(mail: Mail): boolean {
    return this.#open.get(mail.job.index) === mail;
  }

  #take(mail: Mail): void {
    this.#isReading = false;
    const ready = this.#host.rules.triesAgain ? sameInEveryTry(mail.job) : mail.job;
    if (ready instanceof Promise) ready.then((job) => this.#begin(mail, job), this.#notBegun(mail));
    else this.#begin(mail, ready);
    this.#read();
    this.#endIfDone();
  }

  #begin(mail: Mail, job: Job): void {
    if (!this.#isOpen(mail)) return; // the call ended meanwhile
    if (job.signal?.aborted) {
      this.#settle(mail, failedDelivery(job, endedBefore('this message was taken', job.signal)));
      return;
    }
    mail.job = job.beforeCommit === undefined ? job : askingOnce(job, () => this.#withhold(mail));
    let place: number;
    try {
      place = this.#host.rules.first(job.message);
    } catch (error) {
      this.#settle(mail, failedDelivery(job, toEmailError(error)));
      return;
    }
    this.#give(mail, place, job.message);
  }

  #withhold(mail: Mail): void {
    mail.isWithheld = true;
  }

  /** Hands a message, or what is left of it, to a connection. */
  #give(mail: Mail, place: number, message: EmailMessage): void {
    const { rules, name } = this.#host;
    const { part, name: via } = this.#partAt(place);
    const job = jobFor(mail.job, message, rules.isTriedOnce);
    mail.tried = message;
    mail.given = null;
    mail.begin(place);
    rules.begun?.(place);
    mail.trace = beginTry(name, via, this.#host.mailOf?.(job.index));
    const admitted = admit(part, job);
    if (!('job' in admitted)) {
      this.#onTried(mail, admitted);
      return;
    }
    mail.given = this.#withinTime(mail, admitted, part.facts.options.deadlineMs);
    const lane = this.#laneAt(place);
    mail.lane = lane;
    lane.give(mail);
    if (this.#results.hasDemand) lane.ask();
  }

  #partAt(place: number): NamedPart {
    return this.#host.parts[place] as NamedPart; // rules name none but those that there are
  }

  /** A connection's own deadline is for each try. */
  #withinTime(mail: Mail, given: PartJob, deadlineMs: number | undefined): PartJob {
    if (deadlineMs === undefined) return given;
    const deadline = new Deadline(deadlineMs, given.job.signal);
    mail.deadline = deadline;
    addAbortListener(deadline.signal, () => {
      if (!deadline.isOver) return;
      mail.stopWaiting = this.#host.clock.wakeAfter(this.#silenceMs, () => {
        if (mail.deadline === deadline) this.#onSilent(mail, deadline.signal);
      });
    });
    return { ...given, job: { ...given.job, signal: deadline.signal } };
  }

  #laneAt(place: number): Lane {
    const running = this.#lanes[place];
    if (running) return running;
    const lane = new Lane(place, this.#partAt(place).part, this);
    this.#lanes[place] = lane;
    lane.start(this.#context);
    return lane;
  }

  /** A try has ended: what is left of the message goes on, or the message is through. */
  #onTried(mail: Mail, answer: DeliveryResult): void {
    const { rules, name } = this.#host;
    const place = mail.places.at(-1) ?? 0;
    const { part, name: via } = this.#partAt(place);
    const isLate = mail.deadline?.isOver === true;
    mail.leaveLane();
    part.count(answer);
    rules.ended?.(place, answer, isLate);
    mail.note(via, answer);
    if (mail.trace !== null) endTry(mail.trace, answer);
    tellOfTry(name, via, mail.tried, answer);
    const { places, job } = mail;
    const isEnded = mail.isWithheld || this.#context.signal?.aborted || job.signal?.aborted;
    const left = rules.goesOn === undefined || isEnded ? [] : mail.left(rules.goesOn);
    const next =
      left.length === 0 ? null : (rules.next?.({ places, left, isTriedOnce: job.isTriedOnce === true }) ?? null);
    if (next === null) {
      this.#settle(mail, mail.result());
      return;
    }
    const message = messageFor(job.message, left);
    const goOn = () => this.#give(mail, next.place, message);
    if (next.afterMs > 0) mail.stopWaiting = this.#host.clock.wakeAfter(next.afterMs, goOn);
    else goOn();
  }

  /** Ends the try under way, or the wait for one, without an answer: it says nothing of the connection. */
  #breakOff(mail: Mail, error: EmailError): void {
    const { lane, trace } = mail;
    mail.leaveLane();
    if (lane === null) return;
    this.#host.rules.ended?.(lane.place, null, false);
    if (trace !== null) endTry(trace, failedDelivery({ index: mail.job.index, message: mail.tried }, error));
  }

  #settle(mail: Mail, result: DeliveryResult): void {
    this.#open.delete(mail.job.index);
    mail.stopListening?.();
    const { copies } = this.#host.rules;
    if (copies) sendCopy(copies, mail.job, result);
    this.#results.push(result);
    this.#endIfDone();
  }

  #endIfDone(): void {
    if (!this.#isExhausted || this.#isReading || this.#open.size > 0) return;
    this.#end();
    for (const lane of this.#lanes) lane?.finish();
    if (this.#failure === null) this.#results.end();
    else this.#results.fail(this.#failure.error);
  }

  #end(): void {
    removeAbortListener(this.#context.signal, this.#onAbort);
    this.#stopWaiting?.();
  }

  /** What no connection has is not sent; of the others the connections tell. */
  readonly #onAbort = (): void => {
    const { signal } = this.#context;
    this.#isExhausted = true;
    for (const lane of this.#lanes) lane?.close();
    for (const mail of this.#open.values()) if (!mail.isTaken) this.#giveUp(mail, signal);
    if (!(signal?.reason instanceof DeadlinePassed)) return;
    this.#stopWaiting = this.#host.clock.wakeAfter(this.#silenceMs, () => {
      for (const mail of this.#open.values()) this.#onSilent(mail, signal);
    });
  };

  #onMailAbort(mail: Mail, signal: AbortSignal): void {
    if (!this.#isOpen(mail)) return;
    if (!mail.isTaken) this.#giveUp(mail, signal);
    else if (signal.reason instanceof DeadlinePassed) {
      mail.stopWaiting?.();
      mail.stopWaiting = this.#host.clock.wakeAfter(this.#silenceMs, () => this.#onSilent(mail, signal));
    }
  }

  /** No connection has it: it is not sent, or as far as earlier tries tell. */
  #giveUp(mail: Mail, signal: AbortSignal | undefined): void {
    const error = endedBefore('this message was taken', signal);
    this.#breakOff(mail, error);
    this.#settle(mail, mail.hasAnswer ? mail.result() : failedDelivery(mail.job, error));
  }

  get #silenceMs(): number {
    return Math.min(MAX_SILENCE_MS, SILENCE_MS * this.#host.depth);
  }

  /** A connection may have sent what it has taken. */
  #onSilent(mail: Mail, signal: AbortSignal): void {
    if (!this.#isOpen(mail)) return;
    const job = { index: mail.job.index, message: mail.tried };
    const isTaken = mail.isTaken && mail.lane !== null;
    if (isTaken) mail.lane?.giveUp();
    const error = isTaken ? unansweredInTime(signal.reason) : endedBefore('the connection took this message', signal);
    this.#onTried(mail, failedDelivery(job, error));
  }
}

/** What a trace tells of a try that nobody waits for any more. */
function brokenOff({ isTaken }: Mail): SendError {
  return new SendError('aborted', 'nobody waits for the result any more', {
    outcome: isTaken ? 'unknown' : 'not-sent',
  });
}

/** The job for a try. */
export function jobFor(job: Job, message: EmailMessage, isTriedOnce: true | undefined = job.isTriedOnce): Job {
  if (message === job.message && isTriedOnce === job.isTriedOnce) return job;
  const { index, signal, beforeCommit } = job;
  const once = isTriedOnce && { isTriedOnce };
  return { index, message, signal, ...once, ...(beforeCommit && { beforeCommit }) };
}
