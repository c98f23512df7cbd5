import { it } from 'vitest';
import { Postgres } from '../servers/postgres.ts';
import { TIMEOUT_MS } from './kill-plans.ts';
import { killWithServer } from './kill-server-trial.ts';

it(
  'loses and doubles no mail in Postgres when producers, workers with wrong clocks and the database are killed, and lists every doubt',
  async () => {
    await using postgres = await Postgres.start();
    const { host, port, user, database } = postgres.config();
    await killWithServer('postgres', `postgres://${user}@${host}:${port}/${database}`, postgres);
  },
  TIMEOUT_MS,
);
