import { describe, expect, test } from 'vitest';
import type { Clock } from '../../src/util/clock.ts';
import { RateLimiter } from '../../src/util/rate-limiter.ts';
import { RateWindow } from '../../src/util/rate-window.ts';
import { parseRates } from '../../src/util/rates.ts';

describe('rates as text', () => {
  test.each([
    ['14/s', { perSecond: 14 }],
    ['14/s, 50000/day', { perSecond: 14, perDay: 50_000 }],
    [' 100 / min ,2/Hour', { perMinute: 100, perHour: 2 }],
  ])('%j', (text, rates) => {
    expect(parseRates(text)).toEqual(rates);
  });

  test.each(['', '14', '0/s', '-1/s', '1.5/s', '14/week', '1/s, 2/s', '1/s;2/day', '1/constructor', '14/s,'])(
    '%j is refused',
    (text) => {
      expect(parseRates(text)).toBeNull();
    },
  );
});

describe('a window', () => {
  test('never more than the limit in any time of its length', () => {
    const window = new RateWindow('minute', 60_000, 10);
    const sent: number[] = [];
    let now = 123;
    for (let i = 0; i < 500; i++) {
      now = Math.max(now + (i % 7) * 100, window.roomAt(1, now));
      window.add(1, now);
      sent.push(now);
    }
    const most = Math.max(...sent.map((at) => sent.filter((each) => each > at - 60_000 && each <= at).length));
    expect(most).toBe(10);
    expect(sent.at(-1)).toBeLessThan(50 * 60_000 * 1.02); // a hundredth of the time is lost at most
  });

  test('a mail to more people than ever fit goes alone', () => {
    const window = new RateWindow('minute', 60_000, 10);
    expect(window.roomAt(11, 0)).toBe(Number.NEGATIVE_INFINITY);
    window.add(11, 0);
    expect(window.left(0)).toBe(0);
    expect(window.roomAt(1, 0)).toBe(60_600);
  });
});

test('every limit holds, and what is left of each is told', () => {
  let now = 0;
  const clock: Clock = { now: () => now, wakeAfter: () => () => {} };
  const limiter = new RateLimiter({ perSecond: 2, burst: 2, perMinute: 3, perDay: 100, clock });
  expect([limiter.tryNow(1), limiter.tryNow(1), limiter.tryNow(1)]).toEqual([true, true, false]);
  expect(limiter.waitOf(1)).toBeGreaterThan(0);
  now = 1_000;
  expect([limiter.tryNow(1), limiter.tryNow(1)]).toEqual([true, false]);
  expect(limiter.left).toEqual({ minute: 0, day: 97 });
  expect(limiter.available).toBe(0);
});
