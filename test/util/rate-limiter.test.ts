import { describe, expect, test } from 'vitest';
import { RateLimiter, type RateLimiterOptions } from '../../src/util/rate-limiter.ts';
import { fc } from '../properties.ts';
import { ManualClock } from './manual-clock.ts';

function limiterWith(options: RateLimiterOptions = {}): { readonly limiter: RateLimiter; readonly clock: ManualClock } {
  const clock = new ManualClock();
  return { limiter: new RateLimiter({ clock, random: () => 0, ...options }), clock };
}

/** When each of them goes, in milliseconds. */
async function timesOf(limiter: RateLimiter, clock: ManualClock, counts: readonly number[]): Promise<number[]> {
  const times = counts.map((count) => limiter.acquire(count));
  await clock.run();
  return (await Promise.all(times)).map(Math.round);
}

/** What went in the second with the most. */
function worstSecond(times: readonly number[]): number {
  return Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + 1_000).length));
}

describe('recipients go', () => {
  test('at once while no rate is known', async () => {
    const { limiter, clock } = limiterWith();
    expect(await timesOf(limiter, clock, [1, 50, 50])).toEqual([0, 0, 0]);
    expect(limiter.rate).toBe(Number.POSITIVE_INFINITY);
    expect(limiter.available).toBe(Number.POSITIVE_INFINITY);
  });

  test('by their number, first come, first served', async () => {
    const { limiter, clock } = limiterWith({ perSecond: 100 });
    expect(await timesOf(limiter, clock, [50, 50, 1, 1])).toEqual([0, 500, 1_000, 1_010]);
  });

  test('less than one a second, too', async () => {
    const { limiter, clock } = limiterWith({ perSecond: 0.5 });
    expect(await timesOf(limiter, clock, [1, 1, 1])).toEqual([0, 2_000, 4_000]);
    limiter.throttled(clock.now());
    expect(limiter.rate).toBeLessThanOrEqual(0.5);
  });

  test('evenly: 14 a second are 14 in the worst second', async () => {
    const { limiter, clock } = limiterWith({ perSecond: 14 });
    const times = await timesOf(limiter, clock, Array(100).fill(1));
    expect(worstSecond(times)).toBe(14);
    expect((Math.max(...times) - Math.min(...times)) / 1_000).toBeLessThan(99 / 14 + 0.2);
  });

  test('together after a pause, as many as the burst; the worst second has no more than the rate all the same', async () => {
    const { limiter, clock } = limiterWith({ perSecond: 10, burst: 5 });
    const times = await timesOf(limiter, clock, Array(40).fill(1));
    expect(times.slice(0, 7)).toEqual([0, 0, 0, 0, 0, 100, 200]);
    expect(worstSecond(times)).toBe(10);
    await clock.run(clock.now() + 10_000);
    const later = clock.now();
    expect(await timesOf(limiter, clock, Array(6).fill(1))).toEqual([...Array(5).fill(later), later + 100]);
  });

  test('at another rate as soon as it is set', async () => {
    const { limiter, clock } = limiterWith({ perSecond: 1 });
    const times = [1, 1, 1].map((count) => limiter.acquire(count));
    await clock.run(500);
    limiter.setLimit(2);
    expect(limiter.rate).toBe(1); // what had been lower recovers with success
    limiter.accepted(0, 10);
    expect(limiter.rate).toBe(2);
    await clock.run();
    expect((await Promise.all(times)).map(Math.round)).toEqual([0, 1_000, 1_500]);
  });

  test('no more of them than the rate in any second, whatever comes when', async () => {
    const arrivals = fc.array(fc.tuple(fc.nat(2_000), fc.integer({ min: 1, max: 50 })), {
      minLength: 1,
      maxLength: 60,
    });
    const options = fc.record({ perSecond: fc.integer({ min: 1, max: 200 }), burst: fc.integer({ min: 1, max: 20 }) });
    await fc.assert(
      fc.asyncProperty(arrivals, options, async (list, { perSecond, burst }) => {
        const { limiter, clock } = limiterWith({ perSecond, burst: Math.min(burst, perSecond) });
        const left: [number, number][] = [];
        for (const [delay, count] of list) {
          clock.wakeAfter(delay, () => void limiter.acquire(count).then((at) => left.push([at, count])));
        }
        await clock.run();
        expect(left).toHaveLength(list.length);
        for (const [from] of left) {
          const inSecond = left.filter(([at]) => at >= from && at < from + 1_000);
          const sum = inSecond.reduce((total, [, count]) => total + count, 0);
          if (inSecond.length > 1) expect(sum).toBeLessThanOrEqual(perSecond);
        }
      }),
      { numRuns: 100 },
    );
  });
});

test('whoever gives up waiting leaves the others their turn', async () => {
  const { limiter, clock } = limiterWith({ perSecond: 1 });
  const controller = new AbortController();
  const waiting = [limiter.acquire(1), limiter.acquire(1_000, controller.signal), limiter.acquire(1)];
  const refused = expect(waiting[1]).rejects.toThrow('enough');
  controller.abort(new Error('enough'));
  await clock.run();
  await refused;
  expect(await waiting[2]).toBeLessThan(2_000);
  await expect(limiter.acquire(1, AbortSignal.abort(new Error('before')))).rejects.toThrow('before');
});

test('it tells how many could go now', async () => {
  const { limiter, clock } = limiterWith({ perSecond: 10, burst: 4 });
  expect(limiter.available).toBe(4);
  await timesOf(limiter, clock, [1, 1, 1]);
  expect(limiter.available).toBe(1);
  const waiting = limiter.acquire(10).then(() => limiter.acquire(1));
  await clock.run(50);
  expect(limiter.available).toBe(0);
  await clock.run(60_000);
  await waiting;
  expect(limiter.available).toBe(4);
  limiter.throttled(clock.now());
  expect(limiter.available).toBe(0);
});

describe('a throttled request', () => {
  test('makes all wait, and the rate is what was accepted', async () => {
    const { limiter, clock } = limiterWith();
    const grantedAt = await limiter.acquire(1);
    limiter.accepted(grantedAt, 40);
    limiter.throttled(grantedAt);
    const next = limiter.acquire(1);
    limiter.accepted(grantedAt, 10); // answered meanwhile
    await clock.run();
    expect((await next) - grantedAt).toBeGreaterThanOrEqual(125);
    expect(limiter.rate).toBe(40);
  });

  test('lowers the rate once with all others of its burst; it comes back with success, up to the limit', async () => {
    const { limiter, clock } = limiterWith({ perSecond: 100 });
    for (const grantedAt of await timesOf(limiter, clock, [1, 1])) limiter.throttled(grantedAt);
    expect(limiter.rate).toBe(80);
    await clock.run(clock.now() + 1_000);
    for (let index = 0; index < 300; index++) limiter.accepted(clock.now(), 1);
    expect(limiter.rate).toBe(100);
  });

  test('makes all wait longer each time, up to twenty seconds, and chance leaves off half of it at most', async () => {
    for (const [random, part] of [
      [0, 0.5],
      [1, 1],
    ] as const) {
      const { limiter, clock } = limiterWith({ perSecond: 1_000, random: () => random });
      const waits: number[] = [];
      for (let index = 0; index < 9; index++) {
        const next = limiter.acquire(1);
        await clock.run();
        limiter.throttled(await next);
        const before = clock.now();
        const after = limiter.acquire(1);
        await clock.run();
        waits.push((await after) - before);
      }
      expect(waits).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000].map((ms) => ms * part));
    }
  });
});
