import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { outboxStoreContract } from '../../src/outbox/contract.ts';
import { postgresStore } from '../../src/outbox/stores/postgres.ts';
import { Postgres } from '../servers/postgres.ts';
import { advance, newSchema, transaction } from './postgres-subject.ts';

let server: Postgres;
let pool: Pool;
let otherPool: Pool;

beforeAll(async () => {
  server = await Postgres.start();
  pool = server.pool();
  otherPool = server.pool();
});

afterAll(async () => {
  await pool?.end();
  await otherPool?.end();
  await server?.stop();
});

describe('the store in Postgres', () => {
  const cases = outboxStoreContract(async () => {
    const schema = newSchema();
    const store = postgresStore(pool, { schema });
    await store.migrate();
    return {
      store,
      other: postgresStore(otherPool, { schema }),
      advance: (ms) => advance(pool, schema, ms),
      transaction: (work) => transaction(otherPool, work),
    };
  });
  for (const { name, run } of cases) it(name, run);
});

describe('the store over nothing but a query', () => {
  const cases = outboxStoreContract(async () => {
    const schema = newSchema();
    const query = (text: string, values: string[]) => pool.query(text, values);
    const store = postgresStore({ query }, { schema });
    await store.migrate();
    return {
      store,
      other: postgresStore({ query }, { schema }),
      advance: (ms) => advance(pool, schema, ms),
      transaction: (work) =>
        transaction(otherPool, (client) =>
          work(async (text: string, values: string[]) => (await client.query(text, values)).rows),
        ),
    };
  });
  for (const { name, run } of cases) it(name, run);
});
