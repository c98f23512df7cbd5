import type { DeliveryContext, DeliveryResult, Job } from '../../delivery.ts';
import { SendError } from '../../errors.ts';
import { composeMessage } from '../../mime/compose.ts';
import type { ComposeOptions } from '../../mime/composition.ts';
import { generateMessageId } from '../../mime/message-id.ts';
import type { Delivery, Envelope, RecipientOutcome } from '../../smtp/delivery.ts';
import type { ResolvedSmtpOptions } from '../../smtp/options.ts';
import type { Pool } from '../../smtp/pool.ts';
import { envelopeOf, resultOf } from './mail.ts';

const DONE: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined });

interface Waiter {
  resolve(step: IteratorResult<DeliveryResult>): void;
  reject(error: unknown): void;
}

/**
 * One call of the backend: takes jobs as fast as the pool can use them, and yields their results as they come.
 *
 * The iterator is written out rather than generated: this is the hot path of bulk mail.
 */
export class SmtpCall implements AsyncIterableIterator<DeliveryResult> {
  readonly #pool: Pool;
  readonly #options: ResolvedSmtpOptions;
  readonly #compose: ComposeOptions;
  readonly #source: AsyncIterator<Job>;
  readonly #signal: AbortSignal | undefined;
  /** How many jobs are taken and not handed out as results: enough to fill every pipeline, and as much again in reserve. */
  readonly #limit: number;
  readonly #active = new Set<Mail>();
  #ready: DeliveryResult[] = [];
  #handedOut = 0;
  #waiter: Waiter | null = null;
  #isReading = false;
  #isExhausted = false;
  #failure: SendError | null = null;
  readonly #timer: NodeJS.Timeout | null = null;

  constructor(
    pool: Pool,
    options: ResolvedSmtpOptions,
    compose: ComposeOptions,
    jobs: AsyncIterable<Job>,
    context: DeliveryContext,
  ) {
    this.#pool = pool;
    this.#options = options;
    this.#compose = compose;
    this.#source = jobs[Symbol.asyncIterator]();
    this.#signal = context.signal;
    this.#limit = 2 * options.maxConnections * options.maxInFlight;
    context.signal?.addEventListener('abort', this.#onAbort, { once: true });
    const { deadlineMs } = options;
    if (deadlineMs !== null) this.#timer = setTimeout(() => this.#onDeadline(deadlineMs), deadlineMs);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<DeliveryResult>> {
    this.#read();
    const result = this.#ready[this.#handedOut];
    if (result) {
      this.#handedOut++;
      if (this.#handedOut === this.#ready.length || this.#handedOut > 256) {
        this.#ready = this.#ready.slice(this.#handedOut);
        this.#handedOut = 0;
      }
      return Promise.resolve({ done: false, value: result });
    }
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
      this.#endIfDone();
    });
  }

  /** The caller wants no more: what was taken is let finish, nothing further is. */
  async return(): Promise<IteratorResult<DeliveryResult>> {
    this.#isExhausted = true;
    this.#release();
    await this.#source.return?.();
    return DONE;
  }

  #read(): void {
    if (this.#isReading || this.#isExhausted) return;
    if (this.#active.size + this.#ready.length - this.#handedOut >= this.#limit) return;
    this.#isReading = true;
    this.#source.next().then(this.#onJob, this.#onSourceFailed);
  }

  readonly #onJob = (step: IteratorResult<Job>): void => {
    this.#isReading = false;
    if (step.done === true) {
      this.#isExhausted = true;
      this.#endIfDone();
      return;
    }
    const mail = new Mail(step.value, this.#pool, this.#options, this.#compose, this.#onResult);
    this.#active.add(mail);
    mail.submit();
    if (this.#signal?.aborted) this.#onAbort();
    this.#read();
  };

  readonly #onSourceFailed = (error: unknown): void => {
    this.#isReading = false;
    this.#isExhausted = true;
    this.#waiter?.reject(error);
    this.#waiter = null;
  };

  readonly #onResult = (mail: Mail, result: DeliveryResult): void => {
    this.#active.delete(mail);
    const waiter = this.#waiter;
    if (waiter) {
      this.#waiter = null;
      waiter.resolve({ done: false, value: result });
    } else this.#ready.push(result);
    this.#read();
  };

  #endIfDone(): void {
    if (!this.#isExhausted || this.#active.size > 0 || this.#isReading || !this.#waiter) return;
    const waiter = this.#waiter;
    this.#waiter = null;
    this.#release();
    if (this.#failure) waiter.reject(this.#failure);
    else waiter.resolve(DONE);
  }

  readonly #onAbort = (): void => {
    this.#giveUp({ code: 'aborted', message: 'the call was aborted', cause: this.#signal?.reason });
  };

  #onDeadline(deadlineMs: number): void {
    const message = `the call took longer than ${deadlineMs} ms`;
    this.#failure = new SendError('timeout', message, { phase: 'queue', retryable: true });
    this.#giveUp({ code: 'timeout', message });
  }

  #giveUp(failure: { readonly code: 'aborted' | 'timeout'; readonly message: string; readonly cause?: unknown }): void {
    this.#isExhausted = true;
    for (const mail of [...this.#active]) mail.abort(failure);
    this.#endIfDone();
  }

  #release(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#signal?.removeEventListener('abort', this.#onAbort);
  }
}

/** One message of a call, over as many tries as `retry` allows. */
class Mail {
  readonly #job: Job;
  readonly #pool: Pool;
  readonly #options: ResolvedSmtpOptions;
  readonly #compose: ComposeOptions;
  readonly #done: (mail: Mail, result: DeliveryResult) => void;
  readonly #envelope: Envelope;
  readonly #messageId: string;
  #outcomes: RecipientOutcome[] | null = null;
  #delivery: Delivery | null = null;
  #tries = 0;
  #timer: NodeJS.Timeout | null = null;
  #isGivenUp = false;

  constructor(
    job: Job,
    pool: Pool,
    options: ResolvedSmtpOptions,
    compose: ComposeOptions,
    done: (mail: Mail, result: DeliveryResult) => void,
  ) {
    this.#job = job;
    this.#pool = pool;
    this.#options = options;
    this.#compose = compose;
    this.#done = done;
    this.#envelope = envelopeOf(job.message);
    this.#messageId = job.message.messageId ?? generateMessageId(job.message);
  }

  submit(): void {
    this.#submit(this.#envelope, (outcomes) => this.#onOutcomes(outcomes));
  }

  abort(failure: { readonly code: 'aborted' | 'timeout'; readonly message: string; readonly cause?: unknown }): void {
    this.#isGivenUp = true;
    if (this.#timer !== null) {
      // Between two tries everything is known, as the last try left it.
      clearTimeout(this.#timer);
      this.#finish();
    } else if (this.#delivery) this.#pool.abort(this.#delivery, failure);
  }

  #submit(envelope: Envelope, settle: (outcomes: readonly RecipientOutcome[]) => void): void {
    this.#tries++;
    const { message } = this.#job;
    this.#delivery = this.#pool.submit({
      envelope,
      compose: (capabilities) =>
        composeMessage(message, {
          ...this.#compose,
          messageId: this.#messageId,
          allow8bit: capabilities.eightBitMime,
        }),
      settle,
    });
  }

  #onOutcomes(outcomes: readonly RecipientOutcome[]): void {
    this.#outcomes = [...outcomes];
    this.#retryOrFinish();
  }

  #retryOrFinish(): void {
    const outcomes = this.#outcomes ?? [];
    const again = outcomes.flatMap(({ error }, index) => (error?.retryable ? [index] : []));
    const { attempts, baseMs, maxMs } = this.#options.retry;
    if (again.length === 0 || this.#tries > attempts || this.#isGivenUp) {
      this.#finish();
      return;
    }
    const wait = Math.min(maxMs, baseMs * 2 ** (this.#tries - 1)) * (1 + Math.random() / 4);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      const { recipients } = this.#envelope;
      const rest = { ...this.#envelope, recipients: again.flatMap((index) => recipients[index] ?? []) };
      this.#submit(rest, (later) => {
        for (const [place, index] of again.entries()) {
          const outcome = later[place];
          if (outcome) outcomes[index] = outcome;
        }
        this.#retryOrFinish();
      });
    }, wait);
  }

  #finish(): void {
    const { index, message } = this.#job;
    this.#done(this, resultOf(index, message, this.#messageId, this.#outcomes ?? []));
  }
}
