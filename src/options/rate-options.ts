import { ConfigurationError } from '../model/errors.ts';
import { parseRates, type Rates } from '../util/rates.ts';
import type { OptionTable } from './option-table.ts';

/** Rates as options: as text, as numbers, or some of each. */
export interface RateOptions extends Rates {
  /** The rates as text, in place of numbers: `'14/s, 50000/day'`; units `s`, `min`, `h`, `day`. */
  readonly rate?: string;
}

const RATE = { type: 'integer', min: 1, max: 1_000_000_000 } as const;

/** What {@link RateOptions} may hold. */
export const RATE_OPTIONS: OptionTable<RateOptions> = /* @__PURE__ */ (() => ({
  perSecond: RATE,
  perMinute: RATE,
  perHour: RATE,
  perDay: RATE,
  burst: RATE,
  rate: { type: 'custom', expected: "rates such as '14/s, 50000/day'", check: isRates, parse: (text) => text },
}))();

function isRates(value: unknown): boolean {
  return typeof value === 'string' && parseRates(value) !== null;
}

/**
 * The rates that options say; null for none.
 *
 * @throws {ConfigurationError} `conflicting-options` where text and numbers say the same.
 */
export function ratesOf(owner: string, options: RateOptions): Rates | null {
  const { rate, perSecond, perMinute, perHour, perDay, burst } = options;
  const given = { perSecond, perMinute, perHour, perDay };
  const numbers = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const parsed = (typeof rate === 'string' ? parseRates(rate) : null) ?? {};
  const twice = Object.keys(numbers).find((name) => Object.hasOwn(parsed, name));
  if (twice !== undefined) {
    const text = `${owner}: rate and ${twice} say the same: leave one out`;
    throw new ConfigurationError('conflicting-options', text, { option: 'rate', otherOptions: [twice] });
  }
  const rates = { ...parsed, ...numbers };
  if (Object.keys(rates).length === 0) return null;
  return burst === undefined ? rates : { ...rates, burst };
}
