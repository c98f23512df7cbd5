import type { DeliveryContext, DeliveryResult, Job } from '../backend/job.ts';
import type { Part } from '../backend/part.ts';
import type { PartJob } from '../backend/part-job.ts';
import { Queue } from '../util/queue.ts';
import type { Mail } from './mail.ts';

const DONE: IteratorReturnResult<undefined> = /* @__PURE__ */ Object.freeze({ done: true, value: undefined });

/** A mail that waits for a connection, and the number of its try. */
interface Given {
  readonly mail: Mail;
  readonly tries: number;
}

/** Who is told what a connection asks and answers. */
export interface LaneOwner {
  /** The connection has room for another job. */
  onDemand(): void;
  onAnswer(lane: Lane, answer: DeliveryResult): void;
  /** The connection answers no more; `failure` has what it threw, if it did. */
  onEnd(lane: Lane, failure: { readonly error: unknown } | null): void;
}

/** What one connection delivers of one call: it takes its jobs here, and is asked for its answers from here. */
export class Lane implements AsyncIterableIterator<Job> {
  /** The place of the connection. */
  readonly place: number;
  readonly #part: Part;
  readonly #owner: LaneOwner;
  readonly #mails = new Queue<Given>();
  readonly #takers = new Queue<(step: IteratorResult<Job>) => void>();
  #answers: AsyncIterator<DeliveryResult> | null = null;
  /** Mails given to it that it has not answered. */
  #open = 0;
  #isAsking = false;
  #isClosed = false;
  #isSilent = false;
  #isOver = false;

  constructor(place: number, part: Part, owner: LaneOwner) {
    this.place = place;
    this.#part = part;
    this.#owner = owner;
  }

  start(context: DeliveryContext): void {
    try {
      this.#answers = this.#part.deliver(this, context);
    } catch (error) {
      this.#answers = { next: () => Promise.reject(error) };
    }
  }

  /** Whether the connection waits for a job. */
  get hasDemand(): boolean {
    return this.#takers.size > 0;
  }

  /** Mails that the connection has not asked for yet. */
  get waiting(): number {
    return this.#mails.size;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The connection's next job. */
  next(): Promise<IteratorResult<Job>> {
    const mail = this.#nextMail();
    if (mail !== null) {
      const step = this.#taken(mail);
      this.#owner.onDemand();
      return Promise.resolve(step);
    }
    if (this.#isClosed) return Promise.resolve(DONE);
    return new Promise((resolve) => {
      this.#takers.push(resolve);
      this.#owner.onDemand();
    });
  }

  /** The connection wants no more jobs. */
  return(): Promise<IteratorResult<Job>> {
    this.close();
    return Promise.resolve(DONE);
  }

  give(mail: Mail): void {
    this.#open++;
    mail.isTaken = false;
    const take = this.#takers.shift();
    if (take === undefined) this.#mails.push({ mail, tries: mail.places.length });
    else take(this.#taken(mail));
  }

  /** Asks for an answer if one is due and not asked for. */
  ask(): void {
    if (this.#open === 0 || this.#isAsking || this.#answers === null) return;
    this.#isAsking = true;
    this.#answers.next().then(this.#onStep, this.#onFailure);
  }

  /** A mail that was given has its answer, from the connection or otherwise. */
  settled({ isTaken }: Mail): void {
    this.#open--;
    if (isTaken) this.#part.answered();
  }

  /** It did not answer in time: nobody waits for it any more. */
  giveUp(): void {
    this.#isSilent = true;
  }

  /** There are no further jobs. */
  close(): void {
    this.#isClosed = true;
    while (this.#mails.size > 0) this.#mails.shift();
    for (let take = this.#takers.shift(); take !== undefined; take = this.#takers.shift()) take(DONE);
  }

  /** Lets the connection go: nobody takes its answers any more. */
  async leave(): Promise<void> {
    const left = this.#letGo();
    if (left === null) return;
    try {
      if (this.#isSilent) left.catch(() => {});
      else await left;
    } finally {
      this.#end();
    }
  }

  /** {@link leave}, where all is answered: nobody waits for it. */
  finish(): void {
    const end = () => this.#end();
    this.#letGo()?.then(end, end);
    if (this.#isSilent) end();
  }

  #letGo(): Promise<unknown> | null {
    this.close();
    const answers = this.#answers;
    if (answers === null) return null;
    this.#answers = null;
    try {
      return Promise.resolve(answers.return?.());
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** The next mail that still waits for this connection: of some the deadline has passed meanwhile. */
  #nextMail(): Mail | null {
    for (let given = this.#mails.shift(); given !== undefined; given = this.#mails.shift()) {
      const { mail, tries } = given;
      if (mail.lane === this && mail.places.length === tries) return mail;
    }
    return null;
  }

  #taken(mail: Mail): IteratorResult<Job> {
    mail.isTaken = true;
    this.#part.taken();
    return { done: false, value: (mail.given as PartJob).job }; // it was admitted before it came here
  }

  readonly #onStep = (step: IteratorResult<DeliveryResult>): void => {
    this.#isAsking = false;
    if (step.done !== true) {
      if (this.#answers !== null) this.#owner.onAnswer(this, step.value);
    } else this.#fail(null);
  };

  readonly #onFailure = (error: unknown): void => this.#fail({ error });

  #fail(failure: { readonly error: unknown } | null): void {
    if (this.#answers === null) return;
    this.#answers = null;
    this.#end();
    this.#owner.onEnd(this, failure);
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#part.ended();
  }
}
