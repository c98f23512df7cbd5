import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DummyBackend } from '../../src/backends/dummy.ts';
import { Outbox } from '../../src/connection/outbox.ts';
import type { LaneOptions } from '../../src/outbox/outbox-options.ts';
import { Postgres } from '../servers/postgres.ts';
import { until } from '../servers/process.ts';
import { countingServer } from './kill-trial.ts';
import { mail } from './outbox-set-up.ts';

const WORKER = fileURLToPath(new URL('kill-worker.js', import.meta.url));
const MAILS = 200;

let postgres: Postgres;

beforeAll(async () => {
  postgres = await Postgres.start();
});

afterAll(async () => {
  await postgres?.stop();
});

interface Trial {
  readonly processes: number;
  readonly lanes: Readonly<Record<string, LaneOptions>>;
}

/** Has processes, each with a worker, send mails over one Postgres; what the server took when, and who was connected. */
async function sendFrom({ processes, lanes }: Trial) {
  const { server, taken } = await countingServer();
  const { host, port, user } = postgres.config();
  const database = `pods_${processes}`;
  const pool = postgres.pool();
  await pool.query(`CREATE DATABASE ${database}`);
  const store = `postgres://${user}@${host}:${port}/${database}`;
  const outbox = new Outbox({ store, connection: new DummyBackend(), lanes });
  const environment = {
    ...{ ...process.env, NODE_V8_COVERAGE: undefined, PGAPPNAME: 'pod', STORE: store },
    ...{ VIA: `smtp://127.0.0.1:${server.port}`, LANES: JSON.stringify(lanes), LEASE_MS: '60000' },
  };
  const pods: ChildProcess[] = [];
  let connections = 0;
  try {
    await outbox.migrate();
    for (let count = 0; count < processes; count++) {
      pods.push(spawn(process.execPath, [WORKER], { env: environment, stdio: ['ignore', 'pipe', 'inherit'] }));
    }
    await Promise.all(pods.map(({ stdout }) => stdout && once(stdout, 'data')));
    const ids = (
      await outbox.enqueue(Array.from({ length: MAILS }, (_, place) => mail({ messageId: `${place}@example.com` })))
    ).map(({ id }) => id);
    const since = performance.now();
    const isSent = async () => {
      const { rows } = await pool.query(
        `SELECT count(*) AS n FROM pg_stat_activity WHERE application_name = 'pod' AND datname = '${database}'`,
      );
      connections = Math.max(connections, Number(rows[0]?.n));
      const { lanes: counts } = await outbox.stats();
      return Object.values(counts).every(
        ({ queued = 0, claimed = 0, sending = 0 }) => queued + claimed + sending === 0,
      );
    };
    await until(isSent, () => `${taken.size} mails were taken`, 60_000);
    const tookMs = performance.now() - since;
    const mails = await Promise.all(ids.map((id) => outbox.get(id)));
    return { taken, mails, tookMs, connections };
  } finally {
    for (const pod of pods) {
      pod.kill('SIGTERM');
      if (pod.exitCode === null && pod.signalCode === null) await once(pod, 'exit');
    }
    await outbox.close();
    await pool.end();
    await server.close();
  }
}

it('five processes keep to the rate of a lane together, with four connections each at most', async () => {
  const lanes = { transactional: { perSecond: 40, burst: 20 } };
  const { taken, mails, tookMs, connections } = await sendFrom({ processes: 5, lanes });
  expect([...taken.values()]).toEqual(Array(MAILS).fill(1));
  expect(mails.map((each) => [each?.state, each?.tries])).toEqual(Array(MAILS).fill(['sent', 1]));
  // 20 at once, and the others at 40 a second.
  expect(tookMs).toBeGreaterThan(((MAILS - 20) / 40) * 1_000 - 50);
  expect(connections).toBeGreaterThan(5);
  expect(connections).toBeLessThanOrEqual(5 * 4);
});

it('eight processes claim no mail twice', async () => {
  const { taken, mails } = await sendFrom({ processes: 8, lanes: { transactional: {} } });
  expect([...taken.values()]).toEqual(Array(MAILS).fill(1));
  expect(mails.map((each) => [each?.state, each?.tries, each?.events.length])).toEqual(
    Array(MAILS).fill(['sent', 1, 1]),
  );
});
