import { endedBefore, stopCode } from '../../delivery.ts';
import { addAbortListener, removeAbortListener } from '../../util/abort-listeners.ts';
import { backoffMs } from '../../util/backoff.ts';
import { type Deadline, setDeadline } from '../../util/deadline.ts';
import { pause } from '../../util/pause.ts';
import type { SesAccount } from './account.ts';
import type { Addressee } from './addresses.ts';
import { all, type Failure, failureOf, withoutAnswer } from './failure.ts';
import type { ResolvedSesOptions } from './options.ts';
import type { AccountFacts } from './requests.ts';
import { type Operation, type SesSession, UnsentError } from './sdk.ts';
import { Slots } from './slots.ts';

const ACCOUNT_TIMEOUT_MS = 5_000;

/** A request that sends. */
export interface Errand {
  readonly operation: Exclude<Operation, 'GetAccount'>;
  readonly addressees: readonly Addressee[];
  /** Makes the parameters when it is the request's turn, so that waiting requests hold no content. */
  readonly input: () => object | Promise<object>;
  readonly signal: AbortSignal | undefined;
}

/** What became of a request, and when it left; a ticket is what the rate is learnt by. */
export type Answer =
  | { readonly output: object; readonly ticket: number }
  | { readonly failure: Failure; readonly ticket: number | null };

/** Makes requests: in their turn, within their time, and again only when that cannot send a mail twice. */
export class Courier {
  readonly #session: SesSession;
  readonly #account: SesAccount;
  readonly #options: ResolvedSesOptions;
  readonly #slots: Slots;

  constructor(session: SesSession, account: SesAccount, options: ResolvedSesOptions) {
    this.#session = session;
    this.#account = account;
    this.#options = options;
    this.#slots = new Slots(options.maxConnections, () => account.limiter.rate);
  }

  /** @throws what `input` throws; nothing has been sent then. */
  run(errand: Errand): Promise<Answer> {
    const { addressees, signal } = errand;
    let hasTurn = false;
    return this.#slots
      .run(addressees.length, signal, () => {
        hasTurn = true;
        return this.#run(errand);
      })
      .catch((error: unknown) => {
        if (hasTurn) throw error;
        return { failure: cancelled(signal), ticket: null };
      });
  }

  /**
   * What SES says of the account; it is not counted among the sends.
   *
   * @throws {EmailConnectionError | SendError | ConfigurationError}
   */
  async askAccount(signal?: AbortSignal): Promise<AccountFacts> {
    const timeoutMs = Math.min(ACCOUNT_TIMEOUT_MS, this.#options.timeoutMs);
    const answer = await this.#try({ operation: 'GetAccount', addressees: [], signal }, {}, timeoutMs);
    if ('failure' in answer) throw answer.failure.error;
    this.#account.learn(answer.output);
    return answer.output;
  }

  /** Recipients a second that may be sent now; Infinity when it is not known. */
  async rate(signal: AbortSignal | undefined): Promise<number> {
    await this.#account.knowRate(signal, () => this.askAccount());
    return this.#account.limiter.rate;
  }

  /** Tells what SES took of a request, and whether it held some of it back for the rate. */
  observe(ticket: number, accepted: number, isThrottled: boolean): void {
    if (isThrottled) this.#account.limiter.throttled(ticket);
    else this.#account.limiter.accepted(ticket, accepted);
  }

  /** What SES throttles is held back, which is no try; the time for that runs from the first such answer. */
  async #run(errand: Errand): Promise<Answer> {
    const { addressees, signal } = errand;
    const { retry, heldBackMs } = this.#options;
    let input: object | null = null;
    const held: { failure: Failure | null; until: Deadline | null } = { failure: null, until: null };
    let tries = 1;
    let hasCorrectedClock = false;
    try {
      for (;;) {
        let ticket: number | null = null;
        try {
          ticket = await this.#account.turn(addressees.length, held.until?.signal ?? signal, () => this.askAccount());
        } catch {
          return { failure: (held.until?.isOver && held.failure) || cancelled(signal), ticket };
        }
        const left = performance.now();
        if (input === null) {
          input = await errand.input();
          this.#session.check(errand.operation, input);
          if (signal?.aborted) return { failure: cancelled(signal), ticket };
        }
        const answer = await this.#try(errand, input, this.#options.timeoutMs);
        if ('output' in answer) {
          this.#slots.answeredAfter(performance.now() - left);
          return { ...answer, ticket };
        }
        const { failure } = answer;
        if (failure.retry === 'throttled') {
          this.#account.limiter.throttled(ticket);
          held.failure = failure;
          held.until ??= setDeadline(heldBackMs, signal);
        } else if (failure.retry === 'clock' && !hasCorrectedClock) hasCorrectedClock = true;
        else if (failure.retry !== 'unreached' || tries >= retry.attempts) return { failure, ticket };
        else if (!(await pause(backoffMs(retry, tries++), signal))) return { failure, ticket };
      }
    } finally {
      held.until?.clear();
    }
  }

  async #try(
    { operation, addressees, signal }: Pick<Errand, 'addressees' | 'signal'> & { readonly operation: Operation },
    input: object,
    timeoutMs: number,
  ): Promise<{ readonly output: object } | { readonly failure: Failure }> {
    const ending = new AbortController();
    const onAbort = () => ending.abort();
    let isLate = false;
    const deadline = setTimeout(() => {
      isLate = true;
      ending.abort();
    }, timeoutMs);
    if (signal?.aborted) ending.abort();
    addAbortListener(signal, onAbort);
    try {
      const output = await this.#session.send(operation, input, ending.signal);
      return { output: typeof output === 'object' && output !== null ? output : {} };
    } catch (thrown) {
      const isUnsent = thrown instanceof UnsentError;
      const cause = isUnsent ? thrown.cause : thrown;
      const kind = operation === 'GetAccount' ? 'question' : isUnsent ? 'unsent mail' : 'mail';
      if (isLate) {
        const awaited = isUnsent ? 'credentials' : 'answer';
        return { failure: withoutAnswer(kind, 'timeout', `no ${awaited} within ${timeoutMs} ms`, { cause }) };
      }
      if (signal?.aborted) {
        if (kind === 'unsent mail') return { failure: cancelled(signal) };
        const code = stopCode(signal);
        const ending = code === 'timeout' ? 'its deadline passed' : 'the call was aborted';
        return { failure: withoutAnswer(kind, code, `${ending} while it waited for the answer`, { cause }) };
      }
      const { region } = this.#options;
      const recipients = addressees.map(({ mailbox }) => mailbox);
      return { failure: failureOf(cause, { region, recipients, isOwnClient: this.#session.isOurs, kind }) };
    } finally {
      clearTimeout(deadline);
      removeAbortListener(signal, onAbort);
    }
  }
}

function cancelled(signal: AbortSignal | undefined): Failure {
  return all('failed', endedBefore('this mail was handed to SES', signal));
}
