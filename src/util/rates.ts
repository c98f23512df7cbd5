/** How many recipients may go. */
export interface Rates {
  /** Recipients a second, spread evenly. */
  readonly perSecond?: number;
  /** Recipients in any minute. */
  readonly perMinute?: number;
  /** Recipients in any hour. */
  readonly perHour?: number;
  /** Recipients in any 24 hours. */
  readonly perDay?: number;
  /** Recipients that may go at once after a pause, by `perSecond`; default 1. */
  readonly burst?: number;
}

/** What an account of a provider may send, over all that use it. */
export interface AccountRates extends Rates {
  /** How many recipients it has sent to in the last 24 hours, as the provider has just said. */
  readonly sentInDay?: number;
}

const UNITS: Readonly<Record<string, keyof Rates>> = {
  s: 'perSecond',
  sec: 'perSecond',
  second: 'perSecond',
  min: 'perMinute',
  minute: 'perMinute',
  h: 'perHour',
  hour: 'perHour',
  d: 'perDay',
  day: 'perDay',
};

/** Reads `14/s, 50000/day`; null for any other text, and for a unit given twice. */
export function parseRates(text: string): Rates | null {
  const rates: { -readonly [K in keyof Rates]: Rates[K] } = {};
  for (const each of text.split(',')) {
    const [, digits = '', unit = ''] = /^\s*([1-9]\d{0,8})\s*\/\s*([a-z]+)\s*$/i.exec(each) ?? [];
    const name = Object.hasOwn(UNITS, unit.toLowerCase()) ? UNITS[unit.toLowerCase()] : undefined;
    if (name === undefined || rates[name] !== undefined) return null;
    rates[name] = Number(digits);
  }
  return rates;
}
