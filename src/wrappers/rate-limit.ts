import { ConfigurationError, SendError } from '../model/errors.ts';
import type { AnyOptionTable, OptionTable } from '../options/option-table.ts';
import { RATE_OPTIONS, type RateOptions, ratesOf } from '../options/rate-options.ts';
import { msUntil } from '../util/deadline.ts';
import { RateLimiter } from '../util/rate-limiter.ts';
import type { Rates } from '../util/rates.ts';
import { partsOf } from './parts.ts';
import type { Rules } from './rules.ts';
import { WrapperBackend, type WrapperClock, type WrapperStats } from './wrapper-backend.ts';
import { WRAPPER_OPTIONS, type WrapperOptions } from './wrapper-options.ts';

/** How long a mail waits for its turn where nothing else bounds it, in milliseconds. */
const PATIENCE_MS = 60_000;

/** Options of {@link RateLimitBackend}; at least one rate. */
export interface RateLimitOptions extends WrapperOptions, RateOptions {}

/** What {@link RateLimitBackend.stats} tells. */
export interface RateLimitStats extends WrapperStats {
  /** Recipients that may still go now, in this minute, hour and day, as far as these are limited. */
  readonly left: Readonly<Partial<Record<'now' | 'minute' | 'hour' | 'day', number>>>;
}

/**
 * Sends over its connection no faster than the rates allow, by recipients, in the order in which calls come.
 *
 * A mail that would have to wait longer than a minute, or than its call's deadline, is `failed` at once, with the code `throttled` and
 * `retryAfterMs`; a signal ends the wait.
 */
export class RateLimitBackend extends WrapperBackend {
  /** What options are checked against, and read from URLs. */
  static readonly optionTable: AnyOptionTable = /* @__PURE__ */ (() =>
    ({
      ...WRAPPER_OPTIONS,
      ...RATE_OPTIONS,
    }) satisfies OptionTable<RateLimitOptions>)();

  override readonly name = 'rate-limit';
  readonly #limiter: RateLimiter;

  /** @throws {ConfigurationError} `invalid-option`, also without any rate; `unknown-option`, `invalid-backend` */
  constructor(options: RateLimitOptions, { clock, random }: WrapperClock = {}) {
    const parts = partsOf('rate-limit', options.connections, 1);
    const limiter = new RateLimiter({ ...limitsOf(options), ...(clock && { clock }), ...(random && { random }) });
    const { features } = parts[0].part.facts;
    const rules = new Limiting(limiter, options.deadlineMs ?? PATIENCE_MS);
    super(options, { parts, rules, features, needs: 'all', clock });
    this.#limiter = limiter;
  }

  override stats(): RateLimitStats {
    const { left, available } = this.#limiter;
    return { ...super.stats(), left: { ...(available < Number.POSITIVE_INFINITY && { now: available }), ...left } };
  }
}

/** What is no rate in `options`, the base class refuses by its table. */
function limitsOf(options: RateLimitOptions): Rates {
  const rates = ratesOf('rate-limit', options);
  if (rates !== null) return rates;
  if (options.rate !== undefined) return {};
  const text = "rate-limit: give a rate, such as rate: '14/s, 50000/day' or perSecond: 14";
  throw new ConfigurationError('invalid-option', text, { option: 'rate' });
}

class Limiting implements Rules {
  readonly triesAgain = false;
  readonly #limiter: RateLimiter;
  readonly #patienceMs: number;

  constructor(limiter: RateLimiter, patienceMs: number) {
    this.#limiter = limiter;
    this.#patienceMs = patienceMs;
  }

  turn(recipients: number, signal: AbortSignal | undefined): Promise<void> | null {
    this.#refuseLongWait(this.#limiter.waitInLine(recipients), msUntil(signal));
    if (this.#limiter.tryNow(recipients)) return null;
    return this.#limiter.acquire(recipients, signal).then(() => {});
  }

  turnNow(recipients: number): number {
    const waitMs = this.#limiter.waitOf(recipients);
    this.#refuseLongWait(waitMs);
    if (waitMs > 0) return waitMs;
    this.#limiter.takeNow(recipients);
    return 0;
  }

  first(): number {
    return 0;
  }

  #refuseLongWait(waitMs: number, leftMs = Number.POSITIVE_INFINITY): void {
    if (waitMs <= Math.min(this.#patienceMs, leftMs)) return;
    const seconds = Math.ceil(waitMs / 1_000);
    throw new SendError('throttled', `the rate limit leaves no room for this mail for ${seconds} s: it was not sent`, {
      phase: 'queue',
      retryable: true,
      retryAfterMs: Math.ceil(waitMs),
    });
  }
}
