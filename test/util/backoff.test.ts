import { describe, expect, test } from 'vitest';
import { backoffMs, resolveRetry } from '../../src/util/backoff.ts';
import { fc } from '../properties.ts';

const retry = resolveRetry({ attempts: 9, baseMs: 100, maxMs: 1_000 });

test('one try, and waits of 1 to 30 seconds, unless told otherwise', () => {
  expect(resolveRetry()).toEqual({ attempts: 1, baseMs: 1_000, maxMs: 30_000 });
  expect(resolveRetry({ attempts: 3 })).toEqual({ attempts: 3, baseMs: 1_000, maxMs: 30_000 });
});

describe('the wait', () => {
  test('doubles up to maxMs', () => {
    const waits = [1, 2, 3, 4, 5, 50, 2_000].map((tries) => backoffMs(retry, tries, { random: () => 0 }));
    expect(waits).toEqual([100, 200, 400, 800, 1_000, 1_000, 1_000]);
  });

  test('loses up to a half by chance, after the cap: who waits the longest is spread, too', () => {
    expect(backoffMs(retry, 1, { random: () => 1 })).toBe(50);
    expect([0, 0.5, 1].map((chance) => backoffMs(retry, 20, { random: () => chance }))).toEqual([1_000, 750, 500]);
  });

  test('is as long as the provider asks for, at least', () => {
    expect(backoffMs(retry, 1, { retryAfterMs: 120_000 })).toBe(120_000);
    expect(backoffMs(retry, 4, { retryAfterMs: 10, random: () => 0 })).toBe(800);
  });

  test('stays between half the cap and the cap, whatever comes', () => {
    const natural = fc.integer({ min: 1, max: 3_600_000 });
    fc.assert(
      fc.property(natural, natural, fc.integer({ min: 1, max: 1_000 }), (baseMs, maxMs, tries) => {
        const wait = backoffMs({ attempts: 1_000, baseMs, maxMs }, tries);
        expect(wait).toBeGreaterThanOrEqual(Math.min(baseMs, maxMs) / 2);
        expect(wait).toBeLessThanOrEqual(maxMs);
      }),
    );
  });
});
