import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Settlement } from '../../src/outbox/store.ts';
import { type PostgresStore, postgresStore } from '../../src/outbox/stores/postgres.ts';
import { Postgres } from '../servers/postgres.ts';
import { advance, mail, newSchema, newStore } from './postgres-subject.ts';

let server: Postgres;
let pool: Pool;

beforeAll(async () => {
  server = await Postgres.start();
  pool = server.pool();
});

afterAll(async () => {
  await pool?.end();
  await server?.stop();
});

const claim = (store: PostgresStore, limit = 100, lane = 'a') =>
  store.claim({ lanes: [{ lane, limit }], limit, leaseMs: 60_000 });

const settlement = (given: Partial<Settlement> & { readonly id: string }): Settlement => ({
  ...{ fence: null, from: ['queued', 'claimed', 'sending', 'in-doubt'], to: 'sent', afterMs: 0, isTried: false },
  ...{ facts: null, keepsRequest: false, dropsContent: false },
  ...given,
});

it('gives each of 200 mails to one of eight claimers, in small steps', async () => {
  const schema = newSchema();
  const pools = Array.from({ length: 8 }, () => server.pool({ max: 2 }));
  const store = await newStore(pool, { schema });
  await store.enqueue(
    Array.from({ length: 200 }, () => mail()),
    {},
  );
  const claims = await Promise.all(
    pools.map(async (each) => {
      const own = postgresStore(each, { schema, listen: false });
      const ids: string[] = [];
      for (let step = 0; step < 10; step++) {
        const { mails } = await claim(own, 5);
        expect(await own.mark(mails)).toHaveLength(mails.length);
        await own.settle(mails.map(({ id, fence }) => settlement({ id, fence, isTried: true })));
        ids.push(...mails.map(({ id }) => id));
      }
      return ids;
    }),
  );
  const ids = claims.flat();
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.length).toBe(200);
  expect(await store.query('counts', {})).toMatchObject([{ lane: 'a', state: 'sent', count: 200 }]);
  await store.close();
  await Promise.all(pools.map((each) => each.end()));
});

it('gives the probe of a lane to one of those who ask at once', async () => {
  const schema = newSchema();
  const store = await newStore(pool, { schema });
  await store.enqueue([mail(), mail(), mail()], {});
  await store.settle(
    [],
    [
      { lane: 'a', ms: 30_000, reason: 'replaced by the next' },
      { lane: 'a', ms: 20_000, reason: 'the password is wrong' },
    ],
  );
  expect(await store.query('pauses', {})).toMatchObject([{ lane: 'a', reason: 'the password is wrong' }]);
  await advance(pool, schema, 20_001);
  const claims = await Promise.all(Array.from({ length: 6 }, () => claim(store)));
  expect(claims.flatMap(({ mails }) => mails.map(({ isProbe }) => isProbe))).toEqual([true]);
  await store.close();
});

it('makes changes of one mail in the order of the list', async () => {
  const store = await newStore(pool);
  const [one, two] = [mail(), mail()];
  await store.enqueue([one, two], {});
  const changed = await store.settle([
    settlement({ id: one.id, from: ['queued'], to: 'failed' }),
    settlement({ id: two.id, from: ['queued'], to: 'cancelled' }),
    settlement({ id: one.id, from: ['failed'], to: 'queued', afterMs: 60_000, isTried: true }),
    settlement({ id: one.id, from: ['failed'], to: 'sent' }),
  ]);
  expect(changed).toEqual([one.id, two.id, one.id]);
  expect(await store.query('mail', { id: one.id })).toMatchObject({ state: 'queued', tries: 1 });
  await store.close();
});

it('does not stop for good when people and workers change the same mails in another order', async () => {
  const store = await newStore(pool);
  const mails = Array.from({ length: 100 }, () => mail());
  await store.enqueue(mails, {});
  const { mails: held } = await claim(store);
  const backwards = held.toReversed();
  for (let round = 0; round < 5; round++) {
    await Promise.all([
      store.renew(held, 60_000),
      store.renew(backwards, 60_000),
      store.settle(backwards.map(({ id }) => settlement({ id, from: ['sent'] }))),
      store.settle(held.map(({ id }) => settlement({ id, from: ['claimed'], to: 'claimed' }))),
    ]);
  }
  expect(await store.query('counts', {})).toMatchObject([{ state: 'claimed', count: 100 }]);
  await store.close();
});

describe('with 50,000 mails, and as many that wait for their time before them', () => {
  const schema = newSchema();
  const table = `"${schema.replaceAll('"', '""')}".outbox_mail`;
  const seen: [string, string[]][] = [];
  let store: PostgresStore;

  beforeAll(async () => {
    const query = async (text: string, values: string[]) => {
      seen.push([text, values]);
      return pool.query(text, values);
    };
    store = postgresStore({ query }, { schema });
    await store.migrate();
    await pool.query(`INSERT INTO ${table} (id, lane, priority, on_doubt, state, is_ready, due_at, created_at, changed_at, facts)
      SELECT 'id' || n, 'a', n % 2, 'hold', 'queued', n % 2 = 0, now() + (n % 2) * interval '1 hour', now(), now(), repeat('x', 200)
      FROM generate_series(1, 100000) AS n`);
  }, 240_000);

  /** The plans of what a call asks, in one text. */
  async function plansOf(call: () => Promise<unknown>): Promise<string> {
    seen.length = 0;
    await call();
    const plans = await Promise.all(
      seen.map(([text, values]) => pool.query({ text: `EXPLAIN ${text}`, values, rowMode: 'array' })),
    );
    return plans.flatMap(({ rows }) => rows.flat()).join('\n');
  }

  it.each(['before', 'after'])('claims by the index of what is ready, %s the planner knows the table', async (when) => {
    if (when === 'after') await pool.query(`ANALYZE ${table}`);
    const plans = await plansOf(async () => expect((await claim(store)).mails).toHaveLength(100));
    expect(plans).toMatch(/Index Scan using outbox_mail_ready/);
    expect(plans).not.toMatch(/Seq Scan on outbox_mail\b/);
  });

  it('marks, renews, settles, recovers and reads a page by indexes', async () => {
    const { mails } = await claim(store);
    const changes = await plansOf(async () => {
      await store.mark(mails);
      await store.renew(mails, 60_000);
    });
    expect(changes).toMatch(/Index Scan using outbox_mail_pkey/);
    expect(changes, 'which has all that every worker holds').not.toMatch(/outbox_mail_held/);
    const plans = await plansOf(async () => {
      await store.settle(mails.map(({ id, fence }) => settlement({ id, fence })));
      await store.recover(60_000);
      expect(await store.query('list', { state: 'sent', limit: 10 })).toHaveLength(10);
      expect(await store.query('list', { state: 'in-doubt', limit: 10 })).toHaveLength(0);
      await store.query('mail', { id: 'id1' });
    });
    expect(plans).not.toMatch(/Seq Scan on outbox_mail\b/);
  });

  it('gives those whose time has come, of which a part becomes ready with each claim', async () => {
    await advance(pool, schema, 3_600_000);
    expect((await claim(store, 10)).mails).toHaveLength(10);
    const { mails } = await claim(store, 200);
    expect(
      mails.every(({ id }) => Number(id.slice(2)) % 2 === 1),
      'those of higher priority',
    ).toBe(true);
  });
});

it('holds no lane back when the clock of Postgres is put back', async () => {
  const schema = newSchema();
  const store = await newStore(pool, { schema });
  const rates = [{ bucket: 'bulk', perSecond: 10, perMinute: 10 }];
  expect(await store.take(rates, 10)).toBe(0);
  expect(await store.take(rates, 10)).toBeGreaterThan(0);
  await advance(pool, schema, -3_600_000);
  expect(await store.take(rates, 10)).toBeLessThanOrEqual(60_600);
  await advance(pool, schema, 60_600);
  expect(await store.take(rates, 10)).toBe(0);
});
