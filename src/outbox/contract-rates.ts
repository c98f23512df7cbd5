import assert from 'node:assert/strict';
import type { Check } from './contract-doubt.ts';
import type { BucketRates, OutboxStore } from './store.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** A window is counted in parts, so that it may last longer than its name by one of them. */
const PART = 0.01;

/** In parts of a minute, by which stores of tests may be moved. */
const partsOf = (ms: number) => Math.ceil(ms / 600) * 600;

const leftIn = async (store: OutboxStore, bucket: string) =>
  (await store.query('left', {})).find((each) => each.bucket === bucket)?.left;

/** What rates let through, over all workers. */
export const RATE_CASES: Readonly<Record<string, Check>> = {
  'lets no more through in a second than a rate allows, over all workers': async (
    store,
    { other = store, advance },
  ) => {
    const rates: readonly BucketRates[] = [{ bucket: 'a', perSecond: 0.1, burst: 10 }];
    const waits = await Promise.all(
      Array.from({ length: 12 }, (_, place) => (place % 2 ? other : store).take(rates, 1)),
    );
    assert.equal(waits.filter((ms) => ms === 0).length, 10);
    assert.ok(
      waits.every((ms) => ms <= 20_000),
      waits.join(),
    );
    await advance(50_000);
    assert.equal(await store.take(rates, 5), 0);
    assert.ok((await other.take(rates, 5)) > 0);
  },
  'lets no more through than any of its windows allows, and tells what is left': async (store, subject) => {
    const { other = store, advance } = subject;
    const rates: readonly BucketRates[] = [{ bucket: 'a', perMinute: 3, perHour: 5, perDay: 7 }];
    const takeAll = async () => {
      let taken = 0;
      while ((await (taken % 2 ? other : store).take(rates, 1)) === 0) taken++;
      return taken;
    };
    assert.equal(await takeAll(), 3);
    const minuteMs = await store.take(rates, 1);
    assert.ok(minuteMs > 50_000 && minuteMs <= 60_600, `${minuteMs} ms until the minute is over`);
    await advance(61_000);
    assert.deepEqual(await leftIn(other, 'a'), { minute: 3, hour: 2, day: 4 });
    assert.equal(await takeAll(), 2);
    const hourMs = await store.take(rates, 1);
    assert.ok(hourMs > HOUR - 120_000 && hourMs <= HOUR * (1 + PART), `${hourMs} ms until the hour is over`);
    await advance(HOUR * (1 + PART));
    assert.equal(await takeAll(), 2);
    assert.deepEqual(await leftIn(store, 'a'), { minute: 1, hour: 3, day: 0 });
    assert.ok((await store.take(rates, 1)) > 22 * HOUR, 'until the day is over');
    await advance(DAY * (1 + PART));
    assert.deepEqual(await leftIn(store, 'a'), { minute: 3, hour: 5, day: 7 });
  },
  'takes from all buckets or from none': async (store, { other = store }) => {
    const lane: BucketRates = { bucket: 'a', perHour: 10 };
    const account: BucketRates = { bucket: 'b', perHour: 4 };
    assert.equal(await store.take([lane, account], 3), 0);
    assert.ok((await other.take([lane, account], 2)) > 0, 'the account has 1 left');
    assert.deepEqual([await leftIn(store, 'a'), await leftIn(store, 'b')], [{ hour: 7 }, { hour: 1 }]);
    assert.equal(await other.take([lane], 7), 0);
    assert.ok((await store.take([lane, account], 1)) > 0, 'the lane has none left');
    assert.deepEqual(await leftIn(store, 'b'), { hour: 1 });
    const [one, two] = [lane, account].map(({ bucket }): BucketRates => ({ bucket: `${bucket}2`, perHour: 20 }));
    assert.ok(one && two);
    const waits = await Promise.all(
      Array.from({ length: 30 }, (_, place) =>
        (place % 2 ? other : store).take(place % 3 ? [one, two] : [two, one], 1),
      ),
    );
    assert.equal(waits.filter((ms) => ms === 0).length, 20);
    assert.deepEqual([await leftIn(store, 'a2'), await leftIn(store, 'b2')], [{ hour: 0 }, { hour: 0 }]);
  },
  'lets more than ever fit go alone, and then waits for it': async (store) => {
    const rates: readonly BucketRates[] = [{ bucket: 'a', perHour: 5 }];
    assert.equal(await store.take(rates, 8), 0);
    assert.ok((await store.take(rates, 1)) > HOUR / 2);
  },
  'goes by the rates of who asks, and forgets nothing of what went': async (store) => {
    assert.equal(await store.take([{ bucket: 'a', perSecond: 0.001, perDay: 100 }], 50), 0);
    assert.equal(await store.take([{ bucket: 'a', perSecond: 1_000, perDay: 60 }], 10), 0);
    assert.ok((await store.take([{ bucket: 'a', perSecond: 1_000, perDay: 60 }], 1)) > 22 * HOUR);
    assert.deepEqual(await leftIn(store, 'a'), { day: 0 });
    assert.equal(await store.take([{ bucket: 'a', perHour: 10 }], 1), 0);
    assert.deepEqual(await leftIn(store, 'a'), { hour: 9 });
    assert.ok((await store.take([{ bucket: 'a', perDay: 61 }], 1)) > 22 * HOUR, '61 have gone, by whichever rates');
  },
  'keeps room for who has waited long, before those that need less': async (store, { other = store, advance }) => {
    const rates: BucketRates = { bucket: 'a', perMinute: 10 };
    assert.equal(await other.take([rates], 5), 0);
    await advance(30_000);
    assert.equal(await other.take([rates], 4), 0);
    const overdue = [{ ...rates, isOverdue: true }];
    const ms = await store.take(overdue, 7);
    assert.ok(ms > 50_000, String(ms));
    assert.ok((await other.take([rates], 1)) > 50_000, 'what is left is kept');
    await advance(partsOf(ms));
    assert.ok((await other.take([rates], 1)) > 0, 'it comes at any moment');
    assert.equal(await store.take(overdue, 7), 0);
    assert.equal(await other.take([rates], 1), 0);
    const again = await store.take(overdue, 7);
    assert.ok((await other.take([rates], 1)) > 0, 'kept again');
    await advance(partsOf(again) + 2_400);
    assert.equal(await other.take([rates], 1), 0, 'who waited has not come');
  },
  'leaves room in an account for what others have sent, as its provider tells': async (store, subject) => {
    const { other = store, advance } = subject;
    const account: BucketRates = { bucket: 'account', perDay: 100 };
    assert.equal(await store.take([{ ...account, sentInDay: 60 }], 10), 0);
    assert.deepEqual(await leftIn(other, 'account'), { day: 30 });
    assert.ok(
      (await other.take([{ ...account, sentInDay: 60 }], 31)) > 0,
      'who tells this has asked before the 10 went',
    );
    assert.ok((await other.take([{ ...account, sentInDay: 95 }], 10)) > 0, '85 of others and 10 of its own have gone');
    assert.deepEqual(await leftIn(store, 'account'), { day: 5 });
    assert.equal(await other.take([account], 5), 0);
    const ms = await store.take([account], 1);
    assert.ok(ms > 0 && ms <= DAY * (1 + PART), String(ms));
    await advance(HOUR);
    assert.equal(await store.take([{ ...account, sentInDay: 20 }], 80), 0);
    assert.ok((await other.take([account], 1)) > 0);
    assert.deepEqual(await leftIn(store, 'account'), { day: 0 });
  },
};
