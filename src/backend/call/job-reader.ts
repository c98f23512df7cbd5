import type { Awaitable } from '../../events/mail-event.ts';
import { SendError } from '../../model/errors.ts';
import type { EmailMessage } from '../../model/message.ts';
import type { MessageResult } from '../../model/status.ts';
import type { breathe } from '../../util/breathe.ts';
import { Leaving } from '../../util/leaving.ts';
import { reasonOf } from '../../util/reason.ts';
import { unlessAborted } from '../../util/unless-aborted.ts';
import type { DeliveryFilter } from '../filter.ts';
import { type Job, reasonToStop } from '../job.ts';
import type { CallAccount } from './call-account.ts';
import type { CallOptions } from './call-options.ts';
import type { MessageSource } from './message-source.ts';
import { jobOf, prepare } from './prepare.ts';
import type { BackendFacts, Prepared, ReadInput, Refused } from './read-input.ts';
import { notTaken } from './settle.ts';

const DONE: IteratorReturnResult<undefined> = /* @__PURE__ */ Object.freeze({ done: true, value: undefined });

/** What jobs are read from, and who is told of what does not become one. */
interface Reading {
  readonly backend: BackendFacts;
  readonly breathe: typeof breathe;
  readonly filters: readonly DeliveryFilter[];
  readonly source: MessageSource;
  readonly signal: AbortSignal | undefined;
  readonly account: CallAccount;
  readonly beforeCommit: CallOptions['beforeCommit'];
  /** Takes the result of what is not delivered; gives what to wait for before more is read, if anything. */
  readonly refuse: (message: EmailMessage | null, result: MessageResult) => Promise<void> | null;
}

/**
 * The jobs of one call. The backend drives it: when it asks for a job, messages are read and prepared until one is fit to be
 * sent, and those that are not are refused on the way.
 *
 * Written out rather than generated, so that several jobs can be asked for at once and a silent source can be left.
 */
export class JobReader implements AsyncIterableIterator<Job> {
  readonly #reading: Reading;
  /** Read, and with the listeners of BeforeSend; few at a time. */
  readonly #inHand: ReadInput[] = [];
  readonly #leaving = new Leaving();
  /** No further message is read. */
  #isClosed = false;
  /** The call is over: nobody wants what is being read. */
  #isLeft = false;

  constructor(reading: Reading) {
    this.#reading = reading;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Job>> {
    const { backend, breathe, filters, signal, account, beforeCommit, refuse } = this.#reading;
    for (;;) {
      const turn = breathe();
      if (turn !== null) await turn;
      if (this.#isClosed || signal?.aborted) return DONE;
      const reading = this.#read();
      const read = reading instanceof Promise ? await reading : reading;
      if (read === null || this.#isLeft) return DONE;
      const preparing = prepare(backend, filters, read, false);
      const prepared = preparing instanceof Promise ? await this.#waitInHand(read, preparing) : preparing;
      if (prepared === null) return DONE;
      if (prepared.kind === 'prepared' && !signal?.aborted) {
        account.take(prepared);
        return { done: false, value: jobOf(prepared, signal, beforeCommit) };
      }
      const isRefused = prepared.kind === 'refused';
      const result = isRefused ? prepared.result : notTaken(prepared, reasonToStop(undefined, signal));
      const wanted = refuse(prepared.message, result);
      if (wanted !== null) await this.#unlessEnded(wanted, () => undefined);
    }
  }

  /** The backend wants no more. */
  return(): Promise<IteratorResult<Job>> {
    this.#isClosed = true;
    return Promise.resolve(DONE);
  }

  /** Gives up what was read and is no job yet. */
  takeInHand(): readonly ReadInput[] {
    return this.#inHand.splice(0);
  }

  /** The call is over: whatever is waited for here is waited for no more. */
  leave(): void {
    this.#isClosed = true;
    this.#isLeft = true;
    this.#inHand.length = 0;
    this.#leaving.leave();
  }

  #read(): Awaitable<ReadInput | null> {
    const { source, account } = this.#reading;
    const fail = (cause: unknown): null => this.#onSourceFailed(cause);
    try {
      const read = source.read();
      return read instanceof Promise ? account.outside(this.#unlessEnded(read, fail)) : read;
    } catch (cause) {
      return fail(cause);
    }
  }

  #onSourceFailed(cause: unknown): null {
    const { source, account, signal } = this.#reading;
    if (signal?.aborted) return null;
    const text = `reading message ${source.index} failed, no further one was sent: ${reasonOf(cause)}`;
    account.fail(new SendError('source', text, { phase: 'queue', cause }));
    source.close();
    return null;
  }

  /** What the listeners made of it; null when the call has ended meanwhile, which gave it its result or told nobody. */
  async #waitInHand(read: ReadInput, preparing: Promise<Prepared | Refused>): Promise<ReadInput | Prepared | null> {
    this.#inHand.push(read);
    // A message that no listener has let go yet is not sent once the call is ended.
    const decided: Promise<ReadInput | Prepared | null> = this.#unlessEnded(preparing, () => read);
    const prepared = await this.#reading.account.outside(decided);
    const place = this.#inHand.indexOf(read);
    if (prepared === null || place < 0) return null;
    this.#inHand.splice(place, 1);
    return prepared;
  }

  /** Settles as `promise` does, with what `otherwise` makes of a failure or an abort, or with null when the call is over. */
  #unlessEnded<T, U>(promise: Promise<T>, otherwise: (cause: unknown) => U): Promise<T | U | null> {
    return this.#leaving.unlessLeft<T | U>(unlessAborted(promise, this.#reading.signal).catch(otherwise));
  }
}
