import { ConfigurationError, SendError } from '../model/errors.ts';
import type { AnyOptionTable, OptionTable } from '../options/option-table.ts';
import { msUntil } from '../util/deadline.ts';
import { RateLimiter } from '../util/rate-limiter.ts';
import { parseRates, type Rates } from '../util/rates.ts';
import { partsOf } from './parts.ts';
import type { Rules } from './rules.ts';
import { WrapperBackend, type WrapperClock, type WrapperStats } from './wrapper-backend.ts';
import { WRAPPER_OPTIONS, type WrapperOptions } from './wrapper-options.ts';

/** How long a mail waits for its turn where nothing else bounds it, in milliseconds. */
const PATIENCE_MS = 60_000;

/** Options of {@link RateLimitBackend}; at least one rate. */
export interface RateLimitOptions extends WrapperOptions, Rates {
  /** The rates as text, in place of numbers: `'14/s, 50000/day'`; units `s`, `min`, `h`, `day`. */
  readonly rate?: string;
}

/** What {@link RateLimitBackend.stats} tells. */
export interface RateLimitStats extends WrapperStats {
  /** Recipients that may still go now, in this minute, hour and day, as far as these are limited. */
  readonly left: Readonly<Partial<Record<'now' | 'minute' | 'hour' | 'day', number>>>;
}

const RATE = { type: 'integer', min: 1, max: 1_000_000_000 } as const;

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
      perSecond: RATE,
      perMinute: RATE,
      perHour: RATE,
      perDay: RATE,
      burst: RATE,
      rate: { type: 'custom', expected: "rates such as '14/s, 50000/day'", check: isRates, parse: (text) => text },
    }) satisfies OptionTable<RateLimitOptions>)();

  override readonly name = 'rate-limit';
  readonly #limiter: RateLimiter;

  /** @throws {ConfigurationError} `invalid-option`, also without any rate; `unknown-option`, `invalid-backend` */
  constructor(options: RateLimitOptions, { clock, random }: WrapperClock = {}) {
    const parts = partsOf('rate-limit', options.connections, 1);
    const limiter = new RateLimiter({ ...ratesOf(options), ...(clock && { clock }), ...(random && { random }) });
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

function isRates(value: unknown): boolean {
  return typeof value === 'string' && parseRates(value) !== null;
}

function ratesOf({ rate, perSecond, perMinute, perHour, perDay, burst }: RateLimitOptions): Rates {
  const given = { perSecond, perMinute, perHour, perDay };
  const numbers = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const parsed = typeof rate === 'string' ? parseRates(rate) : {};
  const rates = { ...parsed, ...numbers };
  if (Object.keys(rates).length === 0 && parsed !== null) {
    throw new ConfigurationError(
      'invalid-option',
      "rate-limit: give a rate, such as rate: '14/s, 50000/day' or perSecond: 14",
      { option: 'rate' },
    );
  }
  const twice = Object.keys(numbers).find((name) => parsed !== null && Object.hasOwn(parsed, name));
  if (twice !== undefined) {
    const text = `rate-limit: rate and ${twice} say the same: leave one out`;
    throw new ConfigurationError('conflicting-options', text, { option: 'rate', otherOptions: [twice] });
  }
  return burst === undefined ? rates : { ...rates, burst };
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
