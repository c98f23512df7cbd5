import { afterAll, beforeAll, expect, it } from 'vitest';
import { postgresStore } from '../../src/outbox/stores/postgres.ts';
import { Postgres } from '../servers/postgres.ts';
import { newSchema } from './postgres-subject.ts';
import { eightWorkers, restarts } from './rates-together.ts';

let postgres: Postgres;

beforeAll(async () => {
  postgres = await Postgres.start();
});

afterAll(async () => {
  await postgres?.stop();
});

it('eight workers over one Postgres keep to the rates of a lane, and all of them send', async () => {
  const schema = newSchema();
  const pools = Array.from({ length: 8 }, () => postgres.pool({ max: 4 }));
  const stores = pools.map((pool) => postgresStore(pool, { schema }));
  try {
    await stores[0]?.migrate();
    await eightWorkers(() => stores.shift() ?? expect.unreachable());
  } finally {
    for (const pool of pools) await pool.end();
  }
});

it('workers and Postgres that are killed and begin anew go on counting', async () => {
  const { host, port, user, database } = postgres.config();
  await restarts(`postgres://${user}@${host}:${port}/${database}`, postgres);
});
