import { UnsentError } from '../../aws/client.ts';
import { endedBefore, stopCode } from '../../backend/job.ts';
import { NoAnswer } from '../../net/transport.ts';
import { backoffMs } from '../../util/backoff.ts';
import { ConcurrencyLimiter } from '../../util/concurrency-limiter.ts';
import { Deadline } from '../../util/deadline.ts';
import { pause } from '../../util/pause.ts';
import { unlessAborted } from '../../util/unless-aborted.ts';
import type { SesAccount } from './account.ts';
import type { SesClient } from './client.ts';
import { failureOf, type SesFailure, sameForEvery, withoutAnswer } from './failures.ts';
import type { ResolvedSesOptions } from './options.ts';
import type { EnvelopeRecipient } from './recipients.ts';
import type { AccountFacts, Operation } from './requests.ts';

const ACCOUNT_TIMEOUT_MS = 5_000;

/** A request that sends. */
export interface SesRequest {
  readonly operation: Exclude<Operation, 'GetAccount'>;
  readonly recipients: readonly EnvelopeRecipient[];
  /** Makes the parameters when it is the request's turn, so that waiting requests hold no content. */
  readonly input: () => object | Promise<object>;
  readonly signal: AbortSignal | undefined;
  /** How often it is made at most where SES is not reached. */
  readonly attempts: number;
  /** Asked once its turn has come and before it is made: why it may not be; null: it may. */
  readonly commit?: (() => Promise<SesFailure | null>) | undefined;
  /** What has come up while it waited, so that it is not to be made. */
  readonly obstacle?: () => SesFailure | null;
  /** Why SES did not take these recipients before. */
  readonly earlier?: SesFailure | null;
}

/** What became of a request; `grantedAt` is when its turn came, which the rate limiter is told with the outcome. */
export type SesAnswer = { readonly output: object; readonly grantedAt: number } | { readonly failure: SesFailure };

/**
 * Makes requests: one limiter bounds how many are under way, the account's rate says when each may go, and each has its time;
 * it is made again only when that cannot send a mail twice.
 */
export class SesRequester {
  readonly client: SesClient;
  readonly #account: SesAccount;
  readonly #options: ResolvedSesOptions;
  readonly #concurrency: ConcurrencyLimiter;

  constructor(client: SesClient, account: SesAccount, options: ResolvedSesOptions) {
    this.client = client;
    this.#account = account;
    this.#options = options;
    this.#concurrency = new ConcurrencyLimiter(options.maxConnections, () => account.limiter.rate);
  }

  /** @throws what `input` throws; nothing has been sent then. */
  send(request: SesRequest): Promise<SesAnswer> {
    const { recipients, signal } = request;
    const make = async (): Promise<SesAnswer> => {
      const obstacle = request.obstacle?.() ?? null;
      return obstacle === null ? this.#sendWithRetries(request) : { failure: obstacle };
    };
    return this.#concurrency.run(recipients.length, signal, make, () => ({
      failure: stopped(signal, request.earlier),
    }));
  }

  /**
   * What SES says of the account; it is not counted among the sends.
   *
   * @throws {EmailConnectionError | SendError | ConfigurationError}
   */
  async getAccount(signal?: AbortSignal): Promise<AccountFacts> {
    const timeoutMs = Math.min(ACCOUNT_TIMEOUT_MS, this.#options.timeoutMs);
    const answer = await this.#try({ operation: 'GetAccount', recipients: [], signal }, {}, timeoutMs);
    if ('failure' in answer) throw answer.failure.error;
    this.#account.learn(answer.output);
    return answer.output;
  }

  /** Recipients a second that may be sent now; Infinity when it is not known. */
  async rate(signal: AbortSignal | undefined): Promise<number> {
    await this.#account.ensureRate(signal, () => this.getAccount());
    return this.#account.limiter.rate;
  }

  /** Notes that SES accepted so many recipients of the request whose turn came at `grantedAt`. */
  accepted(grantedAt: number, count: number): void {
    this.#account.accepted(grantedAt, count);
  }

  /** Notes that SES held something of the request back for the rate. */
  throttled(grantedAt: number): void {
    this.#account.limiter.throttled(grantedAt);
  }

  /** What SES throttles is held back, which is no try; the time for that runs from the first such answer. */
  async #sendWithRetries(request: SesRequest): Promise<SesAnswer> {
    const { recipients, signal, attempts, earlier = null } = request;
    const { retry, heldBackMs, timeoutMs } = this.#options;
    let input: object | null = null;
    const held: { failure: SesFailure | null; until: Deadline | null } = { failure: earlier, until: null };
    let tries = 1;
    let isMended = false;
    try {
      for (;;) {
        let grantedAt: number;
        try {
          grantedAt = await this.#account.turn(recipients.length, held.until?.signal ?? signal, () =>
            this.getAccount(),
          );
        } catch {
          return { failure: (held.until?.isOver && held.failure) || stopped(signal, held.failure) };
        }
        const startedAt = performance.now();
        if (input === null) {
          input = await request.input();
          if (signal?.aborted) return { failure: stopped(signal) };
          const refusal = await this.#refusalOf(request);
          if (refusal !== null) return { failure: refusal };
        }
        const answer = await this.#try(request, input, timeoutMs);
        if ('output' in answer) {
          this.#concurrency.answeredAfter(performance.now() - startedAt);
          return { ...answer, grantedAt };
        }
        const { failure } = answer;
        if (failure.retry === 'throttled') {
          this.throttled(grantedAt);
          held.failure = failure;
          held.until ??= new Deadline(heldBackMs, signal);
        } else if (failure.retry === 'mended' && !isMended) isMended = true;
        else if (failure.retry !== 'unreached' || tries >= attempts) return answer;
        else if (!(await pause(backoffMs(retry, tries++), signal))) return answer;
      }
    } finally {
      held.until?.clear();
    }
  }

  /** Why whoever gave the mail did not let it go. */
  async #refusalOf({ commit, signal }: SesRequest): Promise<SesFailure | null> {
    if (commit === undefined) return null;
    return unlessAborted(commit(), signal).catch(() => stopped(signal));
  }

  async #try(
    { operation, recipients, signal }: Pick<SesRequest, 'recipients' | 'signal'> & { readonly operation: Operation },
    input: object,
    timeoutMs: number,
  ): Promise<{ readonly output: object } | { readonly failure: SesFailure }> {
    const deadline = new Deadline(timeoutMs, signal);
    try {
      const output = await this.client.send(operation, input, deadline);
      return { output: typeof output === 'object' && output !== null ? output : {} };
    } catch (thrown) {
      const isUnsent = thrown instanceof UnsentError;
      const cause = isUnsent ? thrown.cause : thrown;
      const kind = operation === 'GetAccount' ? 'question' : isUnsent ? 'unsent mail' : 'mail';
      const isConnecting = cause instanceof NoAnswer && !cause.isSent;
      if (deadline.isOver && !isConnecting) {
        const awaited = isUnsent ? 'credentials' : 'answer';
        return { failure: withoutAnswer(kind, 'timeout', `no ${awaited} within ${timeoutMs} ms`, { cause }) };
      }
      if (signal?.aborted) {
        if (kind === 'unsent mail') return { failure: stopped(signal) };
        const code = stopCode(signal);
        const ending = code === 'timeout' ? 'its deadline passed' : 'the call was aborted';
        return { failure: withoutAnswer(kind, code, `${ending} while it waited for the answer`, { cause }) };
      }
      const mailboxes = recipients.map(({ mailbox }) => mailbox);
      return { failure: failureOf(cause, { region: this.#options.region, recipients: mailboxes, kind, signal }) };
    } finally {
      deadline.clear();
    }
  }
}

/** The failure of a request whose call ended before it was made, or made again after `earlier`. */
function stopped(signal: AbortSignal | undefined, earlier: SesFailure | null = null): SesFailure {
  const what = earlier ? `SES took this mail: ${earlier.error.message}` : 'this mail was handed to SES';
  return sameForEvery('failed', endedBefore(what, signal));
}
