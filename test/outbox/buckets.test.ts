import { expect, test } from 'vitest';
import { takePlaces } from '../../src/outbox/buckets.ts';

/** How many of a bucket go within a second, asked one by one, and again after each wait. */
function takenInSecond(perSecond: number): number {
  let kept = '';
  let count = 0;
  for (let now = 1_000_000; now < 1_001_000; ) {
    const taken = takePlaces([kept], [{ bucket: 'lane bulk', perSecond }], 1, now);
    kept = taken.kept?.[0] ?? kept;
    if (taken.waitMs === 0) count++;
    now += taken.waitMs;
  }
  return count;
}

test.each([14, 300, 700, 3_000])(
  'a rate of %i a second is reached, as what is owed is kept to a thousandth',
  (rate) => {
    expect(takenInSecond(rate)).toBeGreaterThan(rate * 0.98);
    expect(takenInSecond(rate)).toBeLessThanOrEqual(rate);
  },
);
