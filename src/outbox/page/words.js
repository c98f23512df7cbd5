/** @typedef {import('../store.ts').MailState} MailState */

/** How states are called, and what they mean. @type {Readonly<Record<MailState, readonly [name: string, meaning: string]>>} */
export const STATES = {
  queued: ['Queued', 'waits for a worker, its time or another try'],
  claimed: ['Claimed', 'a worker has it and has not begun'],
  sending: ['Sending', 'it may leave at any moment, or has left'],
  'in-doubt': ['In doubt', 'nobody knows whether it was sent: look for its Message-ID at the provider, then decide'],
  sent: ['Sent', 'everybody has it, as far as the connection can tell'],
  failed: ['Failed', 'nothing more is tried, and somebody has not got it'],
  cancelled: ['Cancelled', 'it was taken back before it was sent'],
};

/** How what happened is called. @type {Readonly<Record<import('../facts.ts').OutboxEvent['what'], string>>} */
export const EVENTS = {
  tried: 'Tried',
  'put-off': 'Put off',
  'in-doubt': 'In doubt',
  retried: 'Retried by hand',
  resolved: 'Resolved by hand',
  learned: 'Told by the provider',
  cancelled: 'Cancelled by hand',
};

const UNITS = /** @type {const} */ ([
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
]);

/** A time span in its largest unit, such as `3 min`. @param {number} ms */
export function span(ms) {
  const [unit, size] = UNITS.find((each) => ms >= each[1]) ?? ['ms', 1];
  const value = ms / size;
  return `${value < 10 && unit !== 'ms' ? Number(value.toFixed(1)) : Math.round(value)} ${unit}`;
}

const COMPACT = new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 1 });

/** A number that fits everywhere: `12,345`, `1.2M`. @param {number} value */
export function short(value) {
  return value < 100_000 ? Number(value.toFixed(value < 10 ? 1 : 0)).toLocaleString() : COMPACT.format(value);
}
