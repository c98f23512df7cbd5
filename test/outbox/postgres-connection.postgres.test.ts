import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outboxSchema, type PostgresStore, postgresStore } from '../../src/outbox/stores/postgres.ts';
import { Postgres } from '../servers/postgres.ts';
import { mail, newSchema, newStore } from './postgres-subject.ts';

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

/** Resolves when the store says the next time that there may be something to claim. */
const woken = (store: PostgresStore) =>
  new Promise<void>((resolve) => {
    store.wakers.add(resolve);
  });

describe('a worker that waits', () => {
  it('is woken by what another process writes down, once it is committed', async () => {
    const schema = newSchema();
    const store = await newStore(pool, { schema });
    const other = postgresStore(pool, { schema });
    const isListening = woken(store);
    await claim(store);
    await isListening;
    store.wakers.clear();
    let count = 0;
    store.wakers.add(() => void count++);
    const client = await pool.connect();
    await client.query('BEGIN');
    await other.enqueue([mail()], { tx: client });
    await pool.query('SELECT 1');
    expect(count).toBe(0);
    const next = woken(store);
    await client.query('COMMIT');
    client.release();
    await next;
    expect((await claim(store)).mails).toHaveLength(1);
    await store.close();
  });

  it('is not woken by an outbox in another schema', async () => {
    const [one, two] = [await newStore(pool), await newStore(pool)];
    const listening = [woken(one), woken(two)];
    await claim(one);
    await claim(two);
    await Promise.all(listening);
    let count = 0;
    one.wakers.add(() => void count++);
    two.wakers.clear();
    const next = woken(two);
    await two.settle([], [{ lane: 'a', ms: 10, reason: 'the password is wrong' }]);
    await two.settle([], [{ lane: 'a', ms: 0, reason: '' }]);
    await next;
    expect(count).toBe(0);
    await one.close();
    await two.close();
  });

  it('listens again after its connection was ended, and claims meanwhile', async () => {
    const store = await newStore(pool);
    const listening = woken(store);
    await claim(store);
    await listening;
    const again = woken(store);
    await endListeners();
    await store.enqueue([mail()], {});
    expect((await claim(store)).mails).toHaveLength(1);
    await again;
    await expect.poll(() => listeners()).toBe(1);
    await store.close();
    await expect.poll(() => listeners()).toBe(0);
  });

  it.each([
    ['it is told not to', { max: 10 }, { listen: false }],
    ['the pool has one client, which would be taken from it', { max: 1 }, {}],
  ])('does not listen when %s', async (_, config, options) => {
    const small = server.pool(config);
    const store = await newStore(small, options);
    await claim(store);
    await store.enqueue([mail()], {});
    expect((await claim(store)).mails).toHaveLength(1);
    expect(await listeners()).toBe(0);
    await store.close();
    await small.end();
  });

  it('gives its client back when it is closed before it has it', async () => {
    const small = server.pool({ max: 2 });
    const store = await newStore(small);
    const clients = [await small.connect(), await small.connect()];
    const claiming = claim(store);
    await store.close();
    for (const client of clients) client.release();
    await claiming;
    await small.end(); // would wait for it
  });
});

describe('a server that goes away', () => {
  it('is used again once it is back, with all that was written down', async () => {
    const own = server.pool();
    const store = await newStore(own);
    const kept = mail();
    await store.enqueue([kept], {});
    await claim(store, 0);
    await server.end('SIGKILL');
    const refused = store.enqueue([mail()], {});
    await expect(refused).rejects.toMatchObject({ name: 'EmailConnectionError', cause: expect.anything() });
    await expect(claim(store)).rejects.toMatchObject({
      ...{ message: 'the outbox could not claim mails: no connection to Postgres (ECONNREFUSED)', code: 'refused' },
      ...{ retryable: true, outcome: 'not-sent' },
    });
    await server.launch();
    expect((await claim(store)).mails.map(({ id }) => id)).toEqual([kept.id]);
    await store.close();
    await own.end();
  });

  it('that may only be read, as a standby, says so, and nothing is written down', async () => {
    const schema = newSchema();
    const store = await newStore(pool, { schema });
    await store.enqueue([mail()], {});
    const reading = server.pool({ options: '-c default_transaction_read_only=on' });
    const standby = postgresStore(reading, { schema });
    const refused = { name: 'EmailConnectionError', outcome: 'not-sent', message: /: Postgres answered 25006$/ };
    await expect(standby.enqueue([mail()], {})).rejects.toMatchObject(refused);
    await expect(claim(standby)).rejects.toMatchObject(refused);
    expect(await store.query('list', { limit: 9 })).toMatchObject([{ state: 'queued' }]);
    await standby.close();
    await reading.end();
    await store.close();
  });

  it('says nothing of who logs in, and with what', async () => {
    const wrong = server.pool({ user: 'nobody-known', password: 'a secret' });
    const failing = claim(postgresStore(wrong));
    const error = await failing.catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ code: 'auth', retryable: false });
    expect(String(error)).not.toMatch(/nobody|secret|127/);
    await wrong.end();
  });

  it('leaves a list of more than one statement unwritten when it goes in the middle', async () => {
    const store = await newStore(pool);
    const client = await pool.connect();
    await client.query('BEGIN');
    await store.enqueue([mail({ key: 'waited for' })], { tx: client });
    const mails = Array.from({ length: 2_000 }, (_, place) => mail({ key: place === 1_500 ? 'waited for' : null }));
    const writing = store.enqueue(mails, {});
    writing.catch(() => {});
    const waits = "wait_event_type = 'Lock'";
    await expect.poll(() => activity(waits)).toBe(1);
    await pool.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${waits}`);
    await expect(writing).rejects.toMatchObject({ name: 'EmailConnectionError' });
    await client.query('ROLLBACK');
    client.release();
    expect((await claim(store)).mails).toEqual([]);
    await store.close();
  });
});

describe('the tables', () => {
  it('are missed with what to do, by every method, and looked for again after that', async () => {
    const store = postgresStore(pool, { schema: newSchema() });
    const missing = { code: 'invalid-option', message: /there is no table .*amsdal-mail outbox migrate/ };
    await expect(store.enqueue([mail()], {})).rejects.toMatchObject(missing);
    await expect(claim(store)).rejects.toMatchObject(missing);
    await expect(store.recover()).rejects.toMatchObject(missing);
    const client = await pool.connect();
    await client.query('BEGIN');
    await expect(store.enqueue([mail()], { tx: client })).rejects.toMatchObject(missing);
    expect((await client.query('SELECT 1 AS fine')).rows, 'the transaction goes on').toEqual([{ fine: 1 }]);
    await client.query('ROLLBACK');
    client.release();
    await store.migrate();
    expect((await claim(store)).mails).toEqual([]);
    await store.close();
  });

  it('are made by several processes at once, and again', async () => {
    const schema = newSchema();
    const stores = Array.from({ length: 6 }, () => postgresStore(pool, { schema }));
    await Promise.all(stores.map((store) => store.migrate()));
    await stores[0]?.enqueue([mail()], {});
    await stores[1]?.migrate();
    expect((await claim(stores[2] ?? postgresStore(pool))).mails).toHaveLength(1);
    await Promise.all(stores.map((store) => store.close()));
  });

  it('are made by several at once over connections that looked for them before', async () => {
    for (let round = 0; round < 20; round++) {
      const schema = newSchema();
      await Promise.all(Array.from({ length: 6 }, () => postgresStore(pool, { schema, listen: false }).migrate()));
    }
  });

  it('are made by the SQL that is printed for migrations, in a transaction, twice', async () => {
    for (const place of [{}, { schema: newSchema(), prefix: 'mail_' }, { schema: 'quoted "$outbox" \\ schema' }]) {
      await pool.query(`BEGIN; ${outboxSchema(place)}; COMMIT`);
      await pool.query(outboxSchema(place));
      const store = postgresStore(pool, place);
      await store.enqueue([mail({ blobs: [{ hash: 'f', bytes: new Uint8Array([1]) }] })], {});
      expect((await claim(store)).mails).toHaveLength(1);
      await store.close();
    }
  });

  it.each([
    ['older', 1, /are of version 1, and must be of 2: run the SQL/],
    ['newer', 3, /are of version 3, and this version of amsdal-mail knows them up to 2/],
  ])('are refused when they are %s', async (_, version, message) => {
    const schema = newSchema();
    const first = await newStore(pool, { schema });
    await first.close();
    await pool.query(`UPDATE "${schema.replaceAll('"', '""')}".outbox_version SET version = ${version}`);
    const store = postgresStore(pool, { schema });
    await expect(claim(store)).rejects.toMatchObject({ code: 'invalid-option', message });
    if (version > 2) await expect(store.migrate()).rejects.toMatchObject({ code: 'invalid-option', message });
    else await store.migrate().then(() => claim(store));
    await store.close();
  });

  it('are not kept in a database that cannot hold every text', async () => {
    await pool.query("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
    const latin = server.pool({ database: 'latin' });
    const message = /encoding of the database must be UTF8.*LATIN1/;
    await expect(postgresStore(latin).migrate()).rejects.toMatchObject({ code: 'invalid-option', message });
    await latin.end();
  });

  it.each([
    ['schema', { schema: '' }],
    ['schema', { schema: 'a\0b' }],
    ['schema', { schema: 'é'.repeat(32) }],
    ['prefix', { prefix: '' }],
    ['prefix', { prefix: 'a"b' }],
    ['prefix', { prefix: '1a' }],
    ['prefix', { prefix: 'a'.repeat(33) }],
  ])('cannot have every %s: %j', (option, place) => {
    expect(() => postgresStore(pool, place)).toThrowError(expect.objectContaining({ code: 'invalid-option', option }));
    expect(() => outboxSchema(place)).toThrowError(expect.objectContaining({ code: 'invalid-option', option }));
  });

  it('need a pool', () => {
    // @ts-expect-error: no pool
    expect(() => postgresStore({})).toThrowError(expect.objectContaining({ code: 'invalid-option', option: 'pool' }));
  });
});

const activity = async (where: string): Promise<number> => {
  const { rows } = await pool.query(
    `SELECT count(*)::int AS count FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND (${where})`,
  );
  return rows[0]?.count;
};

const listeners = () => activity("query LIKE 'LISTEN %'");

const endListeners = () =>
  pool.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN %'");
