import { RateLimiter } from '../../util/rate-limiter.ts';
import type { AccountRates } from '../../util/rates.ts';
import { unlessAborted } from '../../util/unless-aborted.ts';
import { isDenied } from './failures.ts';
import type { ResolvedSesOptions } from './options.ts';
import type { SesQuota } from './quota.ts';
import type { AccountFacts } from './requests.ts';

/** GetAccount may be called once a second, by all who use the account. */
const ASK_AGAIN_MS = 30_000;

/** The quota and the rate of an account in a region, shared by all connections of this process. */
export class SesAccount {
  readonly limiter: RateLimiter = new RateLimiter();
  readonly #ratePerSecond: number;
  #quota: SesQuota | null = null;
  /** Recipients since SES was asked for the quota. */
  #sentSince = 0;
  #rateAsked: Promise<unknown> = Promise.resolve();
  #asksAt = Number.NEGATIVE_INFINITY;
  #isFirstRequest = true;

  constructor(ratePerSecond: number | undefined) {
    this.#ratePerSecond = ratePerSecond ?? Number.POSITIVE_INFINITY;
    if (ratePerSecond === undefined) return;
    this.limiter.setLimit(ratePerSecond);
    this.#asksAt = Number.POSITIVE_INFINITY;
  }

  get quota(): SesQuota | null {
    return this.#quota;
  }

  /** How many recipients may go now, and within 24 hours, as far as that is known. */
  get left(): { readonly now?: number; readonly day?: number } {
    const { available } = this.limiter;
    const { max24HourSend = -1, sentLast24Hours = 0 } = this.#quota ?? {};
    return {
      ...(available < Number.POSITIVE_INFINITY && { now: available }),
      // An account without a daily quota has one of -1.
      ...(max24HourSend >= 0 && { day: Math.max(0, max24HourSend - sentLast24Hours - this.#sentSince) }),
    };
  }

  /** Notes that SES accepted so many recipients of the request whose turn came at `grantedAt`. */
  accepted(grantedAt: number, count: number): void {
    this.limiter.accepted(grantedAt, count);
    this.#sentSince += count;
  }

  /**
   * Waits for the turn of a request of `count` recipients.
   *
   * The rate is asked for before the second request, so that sending a single mail takes a single request.
   */
  async turn(count: number, signal: AbortSignal | undefined, ask: () => Promise<AccountFacts>): Promise<number> {
    if (!this.#isFirstRequest) await this.ensureRate(signal, ask);
    this.#isFirstRequest = false;
    return this.limiter.acquire(count, signal);
  }

  /**
   * Asks for the rate once, or again later when there was no answer; an account that may not ask learns it from being throttled.
   * The signal ends only this wait, as the answer is for every request.
   */
  async ensureRate(signal: AbortSignal | undefined, ask: () => Promise<AccountFacts>): Promise<void> {
    if (performance.now() >= this.#asksAt) {
      this.#asksAt = Number.POSITIVE_INFINITY;
      this.#rateAsked = ask().then(
        () => {},
        (error: unknown) => {
          if (!isDenied(error)) this.#asksAt = performance.now() + ASK_AGAIN_MS;
        },
      );
    }
    await unlessAborted(this.#rateAsked, signal).catch(() => {});
  }

  /**
   * What the account may send, over all that use it, asked anew; null where it may not be asked. A rate that is given as an option
   * stands for all of that.
   */
  async rates(ask: () => Promise<AccountFacts>): Promise<AccountRates | null> {
    if (this.#ratePerSecond < Number.POSITIVE_INFINITY) return { perSecond: this.#ratePerSecond };
    try {
      await ask();
    } catch (error) {
      if (isDenied(error)) return null;
      throw error;
    }
    const { max24HourSend = 0, maxSendRate = 0, sentLast24Hours = 0 } = this.#quota ?? {};
    return {
      ...(maxSendRate > 0 && { perSecond: maxSendRate }),
      ...(max24HourSend > 0 && { perDay: max24HourSend, sentInDay: sentLast24Hours }),
    };
  }

  /** Takes over GetAccount's answer; a lower rate given as an option stays. */
  learn({ SendQuota }: AccountFacts): void {
    if (SendQuota === undefined) return;
    const { Max24HourSend = 0, MaxSendRate = 0, SentLast24Hours = 0 } = SendQuota;
    this.#quota = { max24HourSend: Max24HourSend, maxSendRate: MaxSendRate, sentLast24Hours: SentLast24Hours };
    this.#sentSince = 0;
    this.#asksAt = Number.POSITIVE_INFINITY;
    if (MaxSendRate > 0) this.limiter.setLimit(Math.min(this.#ratePerSecond, MaxSendRate));
  }
}

const NOBODY = {};
const accounts = new WeakMap<object, Map<string, SesAccount>>();

/**
 * The account that options belong to: one for each client, or for each combination of keys (or the function that fetches
 * them), region and endpoint; and of each given rate. Which AWS account the keys belong to is not known.
 */
export function accountOf(options: ResolvedSesOptions): SesAccount {
  const { client, credentials, accessKeyId, region, endpoint, ratePerSecond } = options;
  const isFetched = typeof credentials === 'function';
  const keys = isFetched ? null : (credentials?.accessKeyId ?? accessKeyId);
  const owner = client ?? (isFetched ? credentials : NOBODY);
  const known = accounts.get(owner) ?? new Map<string, SesAccount>();
  accounts.set(owner, known);
  const key = JSON.stringify([ratePerSecond, ...(client ? [] : [keys, region, endpoint])]);
  const account = known.get(key) ?? new SesAccount(ratePerSecond);
  known.set(key, account);
  return account;
}
