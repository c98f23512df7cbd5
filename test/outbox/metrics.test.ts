import parse from 'parse-prometheus-text-format';
import { describe, expect, it } from 'vitest';
import { BOUNDS } from '../../src/outbox/meter.ts';
import { mail, setUp } from './outbox-set-up.ts';

/** What others read of a text. */
interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly metrics: readonly {
    readonly labels?: Readonly<Record<string, string>>;
    readonly value?: string;
    readonly buckets?: Readonly<Record<string, string>>;
  }[];
}

const read = (text: string): ReadonlyMap<string, Family> => {
  const families: readonly Family[] = parse(text);
  return new Map(families.map((family) => [family.name.replace('amsdal_mail_outbox_', ''), family]));
};

/** The values of a family, by its labels. */
const valuesOf = (family: Family | undefined) =>
  Object.fromEntries(
    (family?.metrics ?? []).map(({ labels, value }) => [Object.values(labels ?? {}).join(' '), Number(value)]),
  );

describe('metrics', () => {
  it('have every lane and state, those without mails as 0', async () => {
    const { outbox, advance } = setUp();
    expect(valuesOf(read(await outbox.metrics()).get('mails'))).toMatchObject({
      'transactional queued': 0,
      'bulk in-doubt': 0,
    });
    await outbox.enqueue([mail(), mail({ to: 'joe@example.org' })], { lane: 'bulk' });
    await outbox.enqueue(mail({ sendAt: new Date(Date.now() + 3_600_000) }));
    advance(90_000);
    const families = read(await outbox.metrics());
    expect(valuesOf(families.get('mails'))).toMatchObject({
      'bulk queued': 2,
      'transactional queued': 1,
      'bulk sent': 0,
    });
    expect(valuesOf(families.get('oldest_due_seconds'))).toMatchObject({ bulk: 90, transactional: 0 });
    expect([...families.values()].map(({ type }) => type)).toEqual([
      ...Array(5).fill('GAUGE'),
      ...['COUNTER', 'HISTOGRAM'],
    ]);
  });

  it('count what the workers of this process have done, and how long it took', async () => {
    const { outbox, dummy } = setUp({ retry: { delaysMs: [1_000] } });
    dummy.refuse('gone@example.org', 550);
    dummy.refuse('busy@example.org', 450);
    for (const to of ['jane@example.org', 'joe@example.org', 'gone@example.org', 'busy@example.org'])
      await outbox.enqueue(mail({ to }));
    await outbox.flush();
    const text = await outbox.metrics();
    const families = read(text);
    expect(valuesOf(families.get('results_total'))).toEqual({
      'transactional sent': 2,
      'transactional failed': 1,
      'transactional queued': 1,
      'transactional in-doubt': 0,
    });
    const [{ buckets = {} } = {}] = families.get('try_duration_seconds')?.metrics ?? [];
    const bounds = [...BOUNDS.map(String), '+Inf'];
    expect(Object.keys(buckets).toSorted()).toEqual(bounds.toSorted());
    const counts = bounds.map((bound) => Number(buckets[bound]));
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
    expect(counts.at(-1)).toBe(4);
    // That parser leaves these out.
    expect(text).toContain('amsdal_mail_outbox_try_duration_seconds_count{lane="transactional"} 4\n');
    expect(text).toMatch(/amsdal_mail_outbox_try_duration_seconds_sum\{lane="transactional"\} 0\.\d+\n/);
  });

  it('say that a lane is paused', async () => {
    const { outbox, store } = setUp();
    await store.settle([], [{ lane: 'bulk', ms: 30_000, reason: 'a wrong password' }]);
    expect(valuesOf(read(await outbox.metrics()).get('lane_paused'))).toEqual({ transactional: 0, bulk: 1 });
  });

  it('say what is left of rates', async () => {
    const { outbox, store } = setUp({ lanes: { transactional: {}, bulk: { rate: '100/h, 1000/day' } } });
    const leftOf = async (family: string) => valuesOf(read(await outbox.metrics()).get(family));
    expect(await leftOf('left')).toEqual({ 'bulk hour': 100, 'bulk day': 1_000 });
    await outbox.enqueue([mail(), mail({ to: ['a@example.org', 'b@example.org'] })], { lane: 'bulk' });
    await outbox.flush();
    expect(await leftOf('left')).toEqual({ 'bulk hour': 97, 'bulk day': 997 });
    expect(await leftOf('account_left')).toEqual({});
    await store.take([{ bucket: 'account', perDay: 200 }], 1);
    expect(await leftOf('account_left')).toEqual({ day: 199 });
  });

  it('have lanes of any name, and of outboxes that had others', async () => {
    const name = 'a "lane"\\with\neverything{} 1';
    const { outbox, store } = setUp({ lanes: { [name]: {}, other: {} } });
    await outbox.enqueue(mail());
    await store.settle([], [{ lane: 'former', ms: 30_000, reason: 'x' }]);
    const text = await outbox.metrics();
    expect(
      text.split('\n').every((line) => line === '' || line.startsWith('# ') || /^\w+\{.*\} [\d.e+-]+$/.test(line)),
    ).toBe(true);
    expect(valuesOf(read(text).get('mails'))).toMatchObject({ [`${name} queued`]: 1, 'former queued': 0 });
  });
});
