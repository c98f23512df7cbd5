import type { Job } from '../backend/job.ts';
import { ratesOf } from '../options/rate-options.ts';
import type { Rates } from '../util/rates.ts';
import type { TracedMail } from '../wrappers/trace-try.ts';
import type { Limits } from './limits.ts';
import type { OpenMail } from './open-mail.ts';
import type { LaneOptions } from './outbox-options.ts';
import { storeWaitMs } from './store-wait.ts';

/** What a trace tells of a mail. */
export function tracedMail(mail: OpenMail | undefined): TracedMail | null {
  if (mail === undefined) return null;
  const { id, lane } = mail.claimed;
  return { id, lane, traceparent: mail.facts.traceparent };
}

/** What a queue needs of its worker. */
export interface QueueOwner {
  /** Writes down that a mail may leave; false when it may not. */
  commit(mail: OpenMail, request?: string): Promise<boolean>;
  /** Whether the connection asks by itself before a mail leaves. */
  readonly awaitsCommit: boolean;
  readonly limits: Limits;
  /** The store has failed again and again to say whether a mail may go: who waits for the end would wait for ever. */
  failed(error: unknown): void;
  /** Takes back the mails of a lane that nothing lets through for long, and brings no more of it meanwhile. */
  rest(lane: string, ms: number): void;
}

/** How many mails are committed ahead for a connection that does not ask. */
const AHEAD = 32;

/** The lanes of which more mails wait for their rate than go in a second. */
export interface HeldBack {
  readonly lanes: ReadonlySet<string>;
  /** How many mails of them wait. */
  readonly count: number;
  /** How soon one of them may go, in milliseconds; Infinity where there are none. */
  readonly nextMs: number;
}

/** For longer than this no mail is held that its rate keeps back: its place is another one's. */
const LONGEST_HELD_MS = 2_000;
/** What would take longer than this to go at its rate is more than is held without taking the places of others. */
const HELD_BACK_MS = 1_000;
/** How often the store is asked before it is told that it fails. */
const MOST_FAILURES = 3;
/** After this time it is told that a mail waits, so that those of other workers that need less are not always before it. */
const OVERDUE_MS = 1_000;
/** After this time it is asked again, as rates may have changed. */
const LONGEST_REST_MS = 300_000;

const DONE: IteratorReturnResult<undefined> = /* @__PURE__ */ Object.freeze({ done: true, value: undefined });

/** The mails that a worker has claimed, as the jobs of one long call: lanes of more weight first, each within its rate. */
export class MailQueue implements AsyncIterableIterator<Job> {
  readonly #owner: QueueOwner;
  readonly #lanes: ReadonlyMap<string, LaneQueue>;
  /** Committed, and not asked for yet. */
  readonly #ready: OpenMail[] = [];
  #wake: (() => void) | null = null;
  /** A mail came since the lanes were looked at. */
  #isStale = false;
  #isClosed = false;

  /** @param lanes those of more weight first */
  constructor(owner: QueueOwner, lanes: readonly string[], options: Readonly<Record<string, LaneOptions>>) {
    this.#owner = owner;
    this.#lanes = new Map(lanes.map((lane) => [lane, new LaneQueue(lane, options[lane] ?? {})]));
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  add(mail: OpenMail): void {
    this.#lanes.get(mail.claimed.lane)?.mails.push(mail);
    this.#isStale = true;
    this.#wake?.();
  }

  /** Takes out the mails that the connection has not asked for: of a lane, or all. */
  removeWaiting(lane?: string): readonly OpenMail[] {
    const queues = [...this.#lanes.values()].filter(({ name }) => lane === undefined || name === lane);
    return queues.flatMap(({ mails }) => mails.splice(0));
  }

  /** What takes no place that mails of other lanes could have. */
  get heldBack(): HeldBack {
    const now = performance.now();
    const queues = [...this.#lanes.values()].filter((queue) => queue.isHeldBack(now));
    return {
      lanes: new Set(queues.map(({ name }) => name)),
      count: queues.reduce((sum, { mails }) => sum + mails.length, 0),
      nextMs: Math.min(...queues.map((queue) => queue.waitsUntil - now)),
    };
  }

  /** No further mail is given. */
  close(): void {
    this.#isClosed = true;
    this.#wake?.();
  }

  async next(): Promise<IteratorResult<Job>> {
    for (;;) {
      const ready = this.#ready.shift();
      if (ready !== undefined) return { done: false, value: this.#jobOf(ready) };
      if (this.#isClosed) return DONE;
      const { mail, waitMs } = await this.#pick();
      if (mail === null) await this.#wait(waitMs);
      else if (this.#owner.awaitsCommit) this.#ready.push(mail);
      else await this.#commitWithOthers(mail);
    }
  }

  async return(): Promise<IteratorResult<Job>> {
    this.close();
    return DONE;
  }

  /** The next mail whose lane may go on; without one, how long until one may, null for until one comes. */
  async #pick(): Promise<{ readonly mail: OpenMail | null; readonly waitMs: number | null }> {
    this.#isStale = false;
    let waitMs: number | null = null;
    for (const queue of this.#lanes.values()) {
      const [mail] = queue.mails;
      if (mail === undefined) continue;
      const laneMs = await queue.take(mail, this.#owner);
      if (laneMs === 0) {
        // Its lane may have been given up meanwhile.
        const place = queue.mails.indexOf(mail);
        if (place < 0) continue;
        queue.mails.splice(place, 1);
        mail.isGiven = true;
        return { mail, waitMs: null };
      }
      if (laneMs > LONGEST_HELD_MS) this.#owner.rest(queue.name, laneMs);
      else waitMs = Math.min(waitMs ?? laneMs, laneMs);
    }
    return { mail: null, waitMs };
  }

  async #commitWithOthers(first: OpenMail): Promise<void> {
    const mails = [first];
    while (mails.length < AHEAD) {
      const { mail } = await this.#pick();
      if (mail === null) break;
      mails.push(mail);
    }
    const committed = await Promise.all(mails.map((mail) => this.#owner.commit(mail)));
    this.#ready.push(...mails.filter((_, place) => committed[place]));
  }

  #wait(ms: number | null): Promise<void> {
    return new Promise((resolve) => {
      const timer = ms === null ? null : setTimeout(() => this.#wake?.(), ms);
      this.#wake = () => {
        if (timer !== null) clearTimeout(timer);
        this.#wake = null;
        resolve();
      };
      if (this.#isClosed || this.#isStale) this.#wake();
    });
  }

  #jobOf(mail: OpenMail): Job {
    const { index, message, key } = mail;
    const own = { ...(key !== null && { key }) };
    if (!this.#owner.awaitsCommit) return { index, message, signal: undefined, isTriedOnce: true, ...own };
    let asked: Promise<boolean> | null = null;
    const beforeCommit = (request?: string) => {
      asked ??= this.#owner.commit(mail, request);
      return asked;
    };
    return { index, message, signal: undefined, isTriedOnce: true, beforeCommit, ...own };
  }
}

class LaneQueue {
  readonly name: string;
  readonly mails: OpenMail[] = [];
  readonly #rates: Rates | null;
  /** Before then nothing goes. */
  waitsUntil = 0;
  /** How long that was when it was asked for, in milliseconds. */
  #waitMs = 0;
  /** Since when its first mail waits. */
  #waitsSince = Number.POSITIVE_INFINITY;
  #failures = 0;

  constructor(name: string, options: LaneOptions) {
    this.name = name;
    this.#rates = ratesOf(`lane ${name}`, options);
  }

  isHeldBack(now: number): boolean {
    return now < this.waitsUntil && this.mails.length * this.#waitMs >= HELD_BACK_MS;
  }

  /** Takes the places of a mail; else how long to wait, in milliseconds. */
  async take({ message }: OpenMail, owner: QueueOwner): Promise<number> {
    const now = performance.now();
    if (now < this.waitsUntil) return this.waitsUntil - now;
    const isOverdue = now - this.#waitsSince >= OVERDUE_MS;
    const ms = Math.min(LONGEST_REST_MS, await this.#ask(message.recipients.length, isOverdue, owner));
    this.#waitsSince = ms === 0 ? Number.POSITIVE_INFINITY : Math.min(this.#waitsSince, now);
    this.#waitMs = ms;
    this.waitsUntil = ms === 0 ? 0 : performance.now() + ms;
    return ms;
  }

  async #ask(count: number, isOverdue: boolean, owner: QueueOwner): Promise<number> {
    try {
      const ms = await owner.limits.take(this.name, this.#rates, count, isOverdue);
      this.#failures = 0;
      return ms;
    } catch (error) {
      // It is asked again: the one call of the connection goes on.
      const ms = storeWaitMs(this.#failures++);
      if (this.#failures >= MOST_FAILURES) owner.failed(error);
      return Math.min(LONGEST_HELD_MS, ms);
    }
  }
}
