// What an outbox in Postgres costs, beside pg-boss 10: npm run bench:outbox-postgres
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { cwd } from 'node:process';
import { fileURLToPath } from 'node:url';
import { Pool } from 'pg';
import { postgresStore } from '../src/outbox/stores/postgres.ts';
import { Postgres } from '../test/servers/postgres.ts';
import { benchQueues, CONCURRENCY, DATA, hasWorked, outboxSubject, type QueueSubject } from './queues.ts';

/** What is used of pg-boss, which is installed apart. */
interface Boss {
  on(event: 'error', listener: () => void): unknown;
  start(): Promise<unknown>;
  createQueue(name: string): Promise<void>;
  send(name: string, data: object): Promise<unknown>;
  insert(jobs: readonly { readonly name: string; readonly data: object }[]): Promise<unknown>;
  work(
    name: string,
    options: { readonly batchSize: number; readonly pollingIntervalSeconds: number },
    handler: (jobs: readonly unknown[]) => Promise<void>,
  ): Promise<string>;
  stop(options: { readonly graceful: boolean; readonly wait: boolean }): Promise<void>;
}

async function pgBoss(connectionString: string, queue: string): Promise<QueueSubject> {
  const load = createRequire(join(cwd(), 'bench/pg-boss/'));
  const PgBoss = load('pg-boss') as new (options: object) => Boss; // the version of its lockfile
  const boss = new PgBoss({ connectionString, max: 4 });
  boss.on('error', () => {});
  await boss.start();
  await boss.createQueue(queue);
  return {
    add: async (count, isBulk) => {
      if (isBulk) await boss.insert(Array.from({ length: count }, () => ({ name: queue, data: DATA })));
      else for (let place = 0; place < count; place++) await boss.send(queue, DATA);
    },
    work: (onDone) =>
      boss.work(queue, { batchSize: CONCURRENCY, pollingIntervalSeconds: 0.5 }, async (jobs) => onDone(jobs.length)),
    close: () => boss.stop({ graceful: false, wait: true }),
  };
}

async function outbox(connectionString: string, schema: string): Promise<QueueSubject> {
  const pool = new Pool({ connectionString, max: 4 });
  const store = postgresStore(pool, { schema });
  await store.migrate();
  const subject = outboxSubject(store);
  return {
    ...subject,
    close: async () => {
      await subject.close();
      await pool.end();
    },
  };
}

const SUBJECTS = { 'amsdal-mail': outbox, 'pg-boss 10': pgBoss };

if (!(await hasWorked(SUBJECTS))) {
  await using server = await Postgres.start();
  const { host, port, user, database } = server.config();
  const pool = server.pool();
  const reset = () => pool.query('DROP SCHEMA IF EXISTS one0, two0, pgboss CASCADE');
  const file = fileURLToPath(import.meta.url);
  await benchQueues('An outbox in Postgres', file, SUBJECTS, `postgres://${user}@${host}:${port}/${database}`, reset);
  await pool.end();
}
