import pg, { type Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PostgresStore } from '../../src/outbox/stores/postgres.ts';
import { Postgres } from '../servers/postgres.ts';
import { advance, mail, newSchema, newStore, transaction } from './postgres-subject.ts';

let server: Postgres;
let pool: Pool;

beforeAll(async () => {
  server = await Postgres.start();
  pool = server.pool({ max: 20 });
});

afterAll(async () => {
  await pool?.end();
  await server?.stop();
});

const claim = (store: PostgresStore, limit = 1_000) =>
  store.claim({ lanes: [{ lane: 'a', limit }], limit, leaseMs: 60_000 });

describe('mails in the transaction of their caller', () => {
  it('exist for others once it is committed, whichever way it runs statements', async () => {
    const store = await newStore(pool);
    await transaction(pool, async (client) => {
      const byClient = await store.enqueue([mail({ key: 'one' })], { tx: client });
      const rows = async (text: string, values: string[]) => (await client.query(text, values)).rows;
      const byRows = await store.enqueue([mail(), mail({ key: 'one' })], { tx: rows });
      const lists = (text: string, values: string[]) => client.query({ text, values, rowMode: 'array' });
      await store.enqueue([mail()], { tx: lists });
      const manager = { query: async (text: string, values: string[]) => (await client.query(text, values)).rows };
      await store.enqueue([mail()], { tx: manager });
      expect(byClient[0]?.isDuplicate).toBe(false);
      expect(byRows[1]).toEqual({ id: byClient[0]?.id, isDuplicate: true });
      expect((await claim(store)).mails).toEqual([]);
    });
    expect((await claim(store)).mails).toHaveLength(4);
    await store.close();
  });

  it('go in by statements whose placeholders can be written in another form', async () => {
    const store = await newStore(pool, { schema: 'plain' });
    const blobs = [{ hash: 'f', bytes: new Uint8Array([1]) }];
    const tx = async (text: string, values: string[]) => {
      expect(text.match(/\$\d+/g) ?? []).toEqual(values.map((_, place) => `$${place + 1}`));
      expect(text).not.toContain('?');
      return (await pool.query(text, values)).rows;
    };
    await store.enqueue([mail({ key: 'k' })], { tx });
    await store.enqueue([mail({ key: 'k' }), mail({ blobs })], { tx });
    expect((await claim(store)).mails).toHaveLength(2);
    await store.close();
  });

  it('are one when two transactions write the same key: the second waits for the first', async () => {
    const store = await newStore(pool);
    const [one, two] = [mail({ key: 'order-7' }), mail({ key: 'order-7' })];
    let second: ReturnType<PostgresStore['enqueue']> | undefined;
    await transaction(pool, async (client) => {
      await store.enqueue([one], { tx: client });
      second = transaction(pool, (other) => store.enqueue([two], { tx: other }));
      await expect.poll(() => waiting(pool)).toBe(1);
    });
    expect(await second).toEqual([{ id: one.id, isDuplicate: true }]);
    await store.close();
  });

  it('are written down by the second transaction when the first is rolled back', async () => {
    const store = await newStore(pool);
    const [one, two] = [mail({ key: 'order-7' }), mail({ key: 'order-7' })];
    let second: ReturnType<PostgresStore['enqueue']> | undefined;
    const first = transaction(pool, async (client) => {
      await store.enqueue([one], { tx: client });
      second = store.enqueue([two], {});
      await expect.poll(() => waiting(pool)).toBe(1);
      throw new Error('no order');
    });
    await expect(first).rejects.toThrow('no order');
    expect(await second).toEqual([{ id: two.id, isDuplicate: false }]);
    await store.close();
  });

  it('with the same keys in another order do not stop each other for good', async () => {
    const store = await newStore(pool);
    const keys = Array.from({ length: 200 }, (_, place) => `key ${place}`);
    const lists = await Promise.all(
      Array.from({ length: 6 }, (_, place) =>
        store.enqueue(
          (place % 2 ? keys : keys.toReversed()).map((key) => mail({ key })),
          {},
        ),
      ),
    );
    expect(lists.flat().filter(({ isDuplicate }) => !isDuplicate)).toHaveLength(200);
    expect((await claim(store)).mails).toHaveLength(200);
    await store.close();
  });

  it('with a blob that another open transaction has too do not wait for it', async () => {
    const store = await newStore(pool);
    const blobs = [{ hash: 'logo', bytes: new Uint8Array([1, 2]) }];
    await store.enqueue([mail({ blobs })], {});
    await transaction(pool, async (client) => {
      await store.enqueue([mail({ blobs })], { tx: client });
      await store.enqueue([mail({ blobs })], {}); // would hang
    });
    await store.close();
  });

  it('keep their blob from being deleted before they are committed', async () => {
    const schema = newSchema();
    const store = await newStore(pool, { schema });
    const blobs = [{ hash: 'logo', bytes: new Uint8Array([1, 2]) }];
    await store.enqueue([mail({ blobs })], {});
    const { mails } = await claim(store);
    await store.settle(mails.map((each) => settled(each)));
    await advance(pool, schema, 48 * 3_600_000);
    await transaction(pool, async (client) => {
      await store.enqueue([mail({ blobs })], { tx: client });
      expect((await store.recover(0)).pruned).toBe(1);
    });
    expect(await store.query('blobs', { hashes: ['logo'] })).toHaveLength(1);
    await store.close();
  });

  it('leave the errors of the transaction to whoever began it, and the transaction alone', async () => {
    const store = await newStore(pool);
    const client = await pool.connect();
    await client.query('BEGIN');
    await client.query('SELECT 1 / 0').catch(() => {});
    await expect(store.enqueue([mail()], { tx: client })).rejects.toMatchObject({ code: '25P02' });
    await client.query('ROLLBACK');
    await client.query('BEGIN');
    await store.enqueue([mail()], { tx: client });
    expect((await client.query('SELECT pg_current_xact_id_if_assigned() IS NOT NULL AS is_open')).rows).toEqual([
      { is_open: true },
    ]);
    await client.query('ROLLBACK');
    client.release();
    expect((await claim(store)).mails).toEqual([]);
    await store.close();
  });

  it.each([
    ['nothing', null],
    ['a text', 'tx'],
    ['an object without query', { $queryRawUnsafe: () => [] }],
    ['a query that is none', { query: 'SELECT' }],
  ])('are refused with %s as tx', async (_, tx) => {
    const store = await newStore(pool);
    await expect(store.enqueue([mail()], { tx })).rejects.toMatchObject({ code: 'invalid-option', option: 'tx' });
    await store.close();
  });

  it('are refused with the pool as tx, whose statements belong to no transaction', async () => {
    const store = await newStore(pool);
    const refused = store.enqueue([mail()], { tx: pool });
    await expect(refused).rejects.toMatchObject({ code: 'invalid-option', option: 'tx', message: /not the pool/ });
    await store.close();
  });

  it('are refused with a transaction of another database, and with a function that gives no rows', async () => {
    const store = await newStore(pool);
    await store.enqueue([mail()], {});
    await pool.query('CREATE DATABASE another');
    const another = server.pool({ database: 'another' });
    const foreign = transaction(another, (client) => store.enqueue([mail()], { tx: client }));
    await expect(foreign).rejects.toMatchObject({ code: 'invalid-option', option: 'tx', message: /in the database/ });
    // As Drizzle throws what the driver has thrown.
    const wrap = (cause: unknown) => Promise.reject(new Error('Failed query', { cause }));
    const wrapped = transaction(another, (client) =>
      store.enqueue([mail()], { tx: (text: string, values: string[]) => client.query(text, values).catch(wrap) }),
    );
    await expect(wrapped).rejects.toMatchObject({ code: 'invalid-option', option: 'tx', message: /in the database/ });
    await another.end();
    const rowless = store.enqueue([mail()], { tx: async () => ({}) });
    await expect(rowless).rejects.toMatchObject({ code: 'invalid-option', option: 'tx', message: /rows/ });
    await store.close();
  });
});

describe('what is written down', () => {
  it('is whole when it is more than one statement carries, or not there at all', async () => {
    const store = await newStore(pool);
    const mails = Array.from({ length: 2_500 }, () => mail());
    await store.enqueue(mails, {});
    const first = await claim(store, 3_000);
    expect(first.mails.map(({ id }) => id)).toEqual(mails.map(({ id }) => id));
    const spoilt = [
      ...Array.from({ length: 2_500 }, () => mail()),
      mail({ key: Array.from({ length: 9_000 }, Math.random).join() }),
    ];
    await expect(store.enqueue(spoilt, {})).rejects.toMatchObject({ code: 'connection', cause: { code: '54000' } });
    expect((await claim(store)).mails).toEqual([]);
    await store.close();
  });

  it('keeps every text: quotes, what JSON escapes, halves of characters, the longest keys', async () => {
    const store = await newStore(pool);
    const hostile = `'; DROP TABLE "outbox_mail"; -- \\ \\' $1 $$ ? :name {} \u2028 👩‍👩‍👧 ${String.fromCharCode(1, 127)}`;
    const facts = JSON.stringify({ subject: `${hostile}\0\ud800`, nul: '\0' });
    const written = mail({ key: hostile, lane: hostile, orderKey: hostile, facts });
    await store.enqueue([written], {});
    const { mails } = await store.claim({ lanes: [{ lane: hostile, limit: 1 }], limit: 1, leaseMs: 60_000 });
    expect(mails[0]?.facts).toBe(facts);
    expect(await store.query('mail', { id: written.id })).toMatchObject({ key: hostile, orderKey: hostile, facts });
    expect(await store.query('list', { text: 'drop TABLE', lane: hostile, limit: 1 })).toHaveLength(1);
    expect(await store.query('list', { text: '%', limit: 1 })).toHaveLength(0);
    expect(await store.query('mail', { id: "\0' OR 1=1" })).toBeNull();
    expect(await store.take([{ bucket: hostile, perSecond: 1 }], 1)).toBe(0);
    const lone = mail({ key: 'a half \ud83d' });
    await store.enqueue([lone], {});
    expect(await store.enqueue([mail({ key: 'a half \ud83d' })], {})).toEqual([{ id: lone.id, isDuplicate: true }]);
    await store.close();
  });

  it.each(['key', 'lane', 'orderKey', 'id'] as const)('has no NUL in its %s', async (option) => {
    const store = await newStore(pool);
    const refused = store.enqueue([mail(), mail({ [option]: 'a\0b' })], {});
    await expect(refused).rejects.toMatchObject({ code: 'invalid-option', option });
    expect((await claim(store)).mails).toEqual([]);
    await store.close();
  });

  it('is read the same whatever the application has its driver read types as', async () => {
    const parsed = pg.types.builtins;
    const types = [parsed.INT8, parsed.INT4, parsed.FLOAT8, parsed.TIMESTAMPTZ, parsed.JSON, parsed.BYTEA, parsed.BOOL];
    const before = types.map((type) => pg.types.getTypeParser(type, 'text'));
    const schema = newSchema();
    for (const type of types) pg.types.setTypeParser(type, () => 'spoilt');
    try {
      const store = await newStore(pool, { schema });
      const written = mail({ blobs: [{ hash: 'f', bytes: new Uint8Array([0, 255]) }], dueAt: 1_700_000_000_123 });
      await store.enqueue([written], {});
      const { mails, nextMs } = await claim(store);
      expect(mails[0]).toMatchObject({ id: written.id, fence: 1, tries: 0, isProbe: false });
      expect(nextMs).toBeNull();
      expect(Buffer.from(mails[0]?.content ?? [])).toEqual(Buffer.from(written.content));
      expect(await store.mark(mails)).toHaveLength(1);
      const stored = await store.query('mail', { id: written.id });
      expect(stored?.dueAt).toBe(1_700_000_000_123);
      expect(Number.isInteger(stored?.createdAt)).toBe(true);
      expect(Math.abs((stored?.createdAt ?? 0) - Date.now())).toBeLessThan(600_000);
      const [blob] = await store.query('blobs', { hashes: ['f'] });
      expect([...(blob?.bytes ?? [])]).toEqual([0, 255]);
      await store.close();
    } finally {
      for (const [place, type] of types.entries()) {
        const parser = before[place];
        if (parser) pg.types.setTypeParser(type, parser);
      }
    }
  });

  it('is not taken from under another instance by an error: a mail written down twice is once there', async () => {
    const store = await newStore(pool);
    const written = mail();
    await store.enqueue([written], {});
    expect(await store.enqueue([written], {})).toEqual([{ id: written.id, isDuplicate: true }]);
    expect((await claim(store)).mails).toHaveLength(1);
    await store.close();
  });
});

const settled = ({ id, fence }: { readonly id: string; readonly fence: number }) => ({
  ...{ id, fence, from: ['claimed'] as const, to: 'sent' as const, afterMs: 0, isTried: true, facts: null },
  keepsRequest: false,
  dropsContent: false,
});

/** How many statements wait for a lock of another one. */
async function waiting(pool: Pool): Promise<number> {
  const { rows } = await pool.query(
    "SELECT count(*)::int AS count FROM pg_stat_activity WHERE wait_event_type = 'Lock'",
  );
  return rows[0]?.count;
}
