import { askingOnce, whyWithheld } from '../../backend/commit.ts';
import { type DeliveryResult, type Job, stopCode, unreadableContent } from '../../backend/job.ts';
import { composeMessage } from '../../mime/compose/compose.ts';
import { composeForms } from '../../mime/compose/compose-stream.ts';
import type { ComposeOptions } from '../../mime/compose/composition.ts';
import { generateMessageId } from '../../mime/compose/message-id.ts';
import { type EmailError, SendError } from '../../model/errors.ts';
import type { ResolvedSmtpOptions } from '../../smtp/options.ts';
import type { Capabilities } from '../../smtp/protocol/capabilities.ts';
import type { Content, Delivery, Envelope, RecipientOutcome, Submission } from '../../smtp/queue/delivery.ts';
import type { Pool } from '../../smtp/queue/pool.ts';
import { addAbortListener, removeAbortListener } from '../../util/abort-listeners.ts';
import { backoffMs } from '../../util/backoff.ts';
import { envelopeOf } from './envelope.ts';
import { resultOf } from './result.ts';

/** Why a message is given up before its outcome is known. */
export interface GivenUp {
  readonly code: 'aborted' | 'timeout';
  readonly message: string;
  readonly cause?: unknown;
}

/** Why what a signal belongs to was ended. */
export function givenUpBy(signal: AbortSignal | undefined): GivenUp {
  const code = stopCode(signal);
  const message = code === 'timeout' ? 'the deadline of the call passed' : 'the call was aborted';
  return { code, message, cause: signal?.reason };
}

/** One message of a call, over as many tries as `retry` allows. */
export class Mail {
  /** Its index in the call's list. */
  place = 0;
  readonly #job: Job;
  readonly #pool: Pool;
  readonly #options: ResolvedSmtpOptions;
  readonly #compose: ComposeOptions;
  readonly #done: (mail: Mail, result: DeliveryResult) => void;
  readonly #envelope: Envelope;
  readonly #messageId: string;
  /** What is known of each recipient, by its index in the envelope. */
  readonly #outcomes = new Map<number, RecipientOutcome>();
  #delivery: Delivery | null = null;
  #tries = 0;
  #timer: NodeJS.Timeout | null = null;
  #givenUp: GivenUp | null = null;
  /** Whoever gave the job did not let it go. */
  #isWithheld = false;
  #isFinished = false;

  constructor(
    job: Job,
    pool: Pool,
    options: ResolvedSmtpOptions,
    compose: ComposeOptions,
    done: (mail: Mail, result: DeliveryResult) => void,
  ) {
    this.#job = job.beforeCommit === undefined ? job : askingOnce(job, () => this.#withhold());
    this.#pool = pool;
    this.#options = options;
    this.#compose = compose;
    this.#done = done;
    this.#envelope = envelopeOf(job.message);
    this.#messageId = job.message.messageId ?? generateMessageId(job.message);
    pool.enter();
  }

  /** Hands the message to the pool; `done` is called once, when no further try is made. */
  submit(): void {
    const { message, signal } = this.#job;
    if (message.attachments.every(({ isInMemory }) => isInMemory)) {
      this.#try((capabilities) => composeMessage(message, this.#composeOptions(capabilities)));
      return;
    }
    // MAIL declares the size first, and a stream that can be read only once must be kept for a second try.
    composeForms(message, { ...this.#compose, messageId: this.#messageId }, signal).then(
      (contentFor) =>
        this.#givenUp ? this.#fail(notSent(this.#givenUp)) : this.#try(({ eightBitMime }) => contentFor(eightBitMime)),
      (error: unknown) => this.#fail(unreadableContent(error)),
    );
  }

  /** Gives it up when `signal` aborts. */
  abortWith(signal: AbortSignal | undefined): void {
    if (signal?.aborted) this.abort(givenUpBy(signal));
    else addAbortListener(signal, this.#onAbort);
  }

  readonly #onAbort = (): void => this.abort(givenUpBy(this.#job.signal));

  abort(givenUp: GivenUp): void {
    this.#givenUp = givenUp;
    if (this.#timer !== null) {
      // Between two tries the outcomes are those of the last try.
      clearTimeout(this.#timer);
      this.#finish();
    } else if (this.#delivery) this.#pool.abort(this.#delivery, givenUp);
    else this.#fail(notSent(givenUp));
  }

  #try(compose: (capabilities: Capabilities) => Content): void {
    const indexes = this.#tries === 0 ? null : this.#retryable();
    this.#tries++;
    const { beforeCommit } = this.#job;
    const submission: Submission = {
      envelope: indexes === null ? this.#envelope : forSome(this.#envelope, indexes),
      compose,
      contentTexts: () => this.#contentTexts(),
      settle: (outcomes) => {
        for (const [place, outcome] of outcomes.entries()) this.#outcomes.set(indexes?.[place] ?? place, outcome);
        this.#retryOrFinish(compose);
      },
      ...(beforeCommit && { beforeCommit: () => whyWithheld(beforeCommit) }),
    };
    this.#delivery = this.#pool.submit(submission);
  }

  #withhold(): void {
    this.#isWithheld = true;
  }

  #retryOrFinish(compose: (capabilities: Capabilities) => Content): void {
    const { retry } = this.#options;
    const attempts = this.#job.isTriedOnce ? 1 : retry.attempts;
    if (this.#tries >= attempts || this.#givenUp || this.#isWithheld || this.#retryable().length === 0) {
      this.#finish();
      return;
    }
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        this.#try(compose);
      },
      backoffMs(retry, this.#tries),
    );
  }

  /** The recipients that may be tried again: certainly not sent, and not refused for good. */
  #retryable(): readonly number[] {
    return [...this.#outcomes].filter(([, { error }]) => error?.retryable).map(([index]) => index);
  }

  /** What a reply could quote: it is kept out of errors and statuses. */
  #contentTexts(): readonly string[] {
    const { subject, body, htmlBody } = this.#job.message;
    return htmlBody === null ? [subject, body] : [subject, body, htmlBody];
  }

  #composeOptions({ eightBitMime }: Capabilities): ComposeOptions {
    const { tagHeaders = false, dkim } = this.#compose;
    const options = { tagHeaders, messageId: this.#messageId, allow8bit: eightBitMime };
    return dkim ? { ...options, dkim } : options;
  }

  #fail(error: EmailError): void {
    for (const index of this.#envelope.recipients.keys()) this.#outcomes.set(index, { reply: null, error });
    this.#finish();
  }

  #finish(): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    removeAbortListener(this.#job.signal, this.#onAbort);
    this.#pool.leave();
    const { index, message } = this.#job;
    this.#done(this, resultOf(index, message, this.#messageId, this.#outcomes));
  }
}

/** The envelope for some of its recipients only. */
function forSome(envelope: Envelope, indexes: readonly number[]): Envelope {
  return { ...envelope, recipients: indexes.flatMap((index) => envelope.recipients[index] ?? []) };
}

function notSent({ code, message, cause }: GivenUp): EmailError {
  return new SendError(code, `${message}, before the message was sent`, {
    phase: 'queue',
    retryable: code === 'timeout',
    cause,
  });
}
