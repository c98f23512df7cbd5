import { describe, expect, test } from 'vitest';
import type { PlainOptions } from './plain-provider.ts';
import { runTrial } from './random-trial.ts';

const isWhole = process.env['HTTP_TRIAL'] === 'all';
const SEED = Number(process.env['HTTP_TRIAL_SEED'] ?? (isWhole ? Math.trunc(Math.random() * 2 ** 31) : 7));
const TIMEOUT_MS = 900_000;

const variants: readonly [string, PlainOptions][] = [
  ['one by one', {}],
  ['one by one, by fetch', { fetch: globalThis.fetch }],
  ['with keys', { keyMs: 60_000 }],
  ['in batches', { batchOf: 7 }],
  ['in batches, with keys', { batchOf: 7, keyMs: 60_000 }],
];
/** The mails of each; 20,000 and more in a whole run. */
const MAILS = isWhole ? Math.ceil(20_000 / variants.length) : 200;

describe('a way that ends, resets and stalls, and a provider that drops and lies at random', () => {
  test.each(variants)('what is said of each mail is true: %s', { timeout: TIMEOUT_MS }, async (name, options) => {
    const { mails, statuses, lies } = await runTrial(options, SEED, MAILS);
    if (isWhole) console.log(`HTTP_TRIAL_SEED=${SEED} ${name}: ${mails} mails ${JSON.stringify(statuses)}`);
    expect(lies, `HTTP_TRIAL_SEED=${SEED}`).toEqual([]);
    expect(mails).toBe(MAILS);
    expect(statuses['queued']).toBeGreaterThan(0);
  });
});
