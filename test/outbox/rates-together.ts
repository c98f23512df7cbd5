import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { DummyBackend } from '../../src/backends/dummy.ts';
import { Outbox } from '../../src/connection/outbox.ts';
import type { OutboxStore } from '../../src/outbox/store.ts';
import { until } from '../servers/process.ts';
import { countingServer } from './kill-trial.ts';
import { mail } from './outbox-set-up.ts';

const WORKER = fileURLToPath(new URL('kill-worker.js', import.meta.url));
const SECOND = 1_000;

/** When a place was taken: somewhere between the two, by the clock of this machine. */
interface Taking {
  readonly worker: number;
  readonly asked: number;
  readonly answered: number;
}

/**
 * Has eight workers, each over a store of its own, send more mails than the day of their lane allows, and compares what went with the
 * rates of the lane.
 *
 * @param storeOf one of the stores, all over the same database, whose tables are made
 */
export async function eightWorkers(storeOf: () => OutboxStore): Promise<void> {
  const [perSecond, perDay, count] = [200, 500, 620];
  const lanes = { transactional: { rate: `${perSecond}/s, ${perDay}/day` } };
  const takings: Taking[] = [];
  const errors: unknown[] = [];
  const dummies = Array.from({ length: 8 }, () => new DummyBackend({ store: true }));
  const outboxes = dummies.map((connection, worker) => {
    const store = storeOf();
    const take = store.take.bind(store);
    store.take = async (rates, places) => {
      const asked = Date.now();
      try {
        const ms = await take(rates, places);
        if (ms === 0) takings.push({ worker, asked, answered: Date.now() });
        return ms;
      } catch (error) {
        errors.push(error);
        throw error;
      }
    };
    return new Outbox({ store, connection, lanes });
  });
  const [outbox] = outboxes;
  if (outbox === undefined) throw new Error('no worker');
  const stop = new AbortController();
  try {
    await outbox.enqueue(Array.from({ length: count }, (_, place) => mail({ messageId: `${place}@example.com` })));
    // Few places each, so that nobody has all of them.
    const working = outboxes.map((each) => each.work({ signal: stop.signal, concurrency: 10 }));
    const isOver = async () => {
      const { queued, sent, ...others } = (await outbox.stats()).lanes['transactional'] ?? {};
      return queued === count - perDay && sent === perDay && Object.keys(others).length === 0;
    };
    await until(isOver, () => `${takings.length} places were taken`, 60_000);
    stop.abort();
    await Promise.all(working);
    expect(await isOver()).toBe(true); // nothing is left half-way, and nothing more has gone
    expect(await outbox.stats()).toMatchObject({ left: { transactional: { day: 0 } } });
  } finally {
    stop.abort();
    for (const each of outboxes) await each.close();
  }
  expect(errors).toEqual([]);
  expect(takings).toHaveLength(perDay);
  const messageIds = dummies.flatMap(({ messages }) => messages.map(({ messageId }) => messageId));
  expect(new Set(messageIds).size).toBe(perDay);
  expect(messageIds).toHaveLength(perDay);
  expect(Math.max(...takings.map(({ asked }) => mostWithin(takings, asked, SECOND)))).toBeLessThanOrEqual(perSecond);
  expect(Math.min(...dummies.map(({ messages }) => messages.length))).toBeGreaterThan(5); // nobody starves
}

/** How many have certainly been taken in a time that begins at `since`. */
function mostWithin(takings: readonly Taking[], since: number, ms: number): number {
  return takings.filter(({ asked, answered }) => asked >= since && answered <= since + ms).length;
}

/**
 * Kills workers, and what keeps their mails, in the middle of a second and of a day, and begins anew: what had gone before counts.
 *
 * @param store where the outbox is, as a text
 * @param server what is killed and launched again
 */
export async function restarts(
  store: string,
  server: { killAndLaunch(): Promise<void> } = { killAndLaunch: async () => {} },
): Promise<void> {
  const [perSecond, perDay, count] = [25, 100, 150];
  const lanes = { transactional: { rate: `${perSecond}/s, ${perDay}/day` } };
  const counting = await countingServer();
  const outbox = new Outbox({ store, connection: new DummyBackend(), lanes });
  const via = `smtp://127.0.0.1:${counting.server.port}`;
  const environment = { NODE_V8_COVERAGE: undefined, STORE: store, VIA: via, LANES: JSON.stringify(lanes) };
  const begin = async (): Promise<ChildProcess> => {
    const worker = spawn(process.execPath, [WORKER], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (worker.stdout !== null) await once(worker.stdout, 'data');
    return worker;
  };
  let workers: readonly ChildProcess[] = [];
  try {
    await outbox.migrate();
    await outbox.enqueue(Array.from({ length: count }, (_, place) => mail({ messageId: `${place}@example.com` })));
    const since = performance.now();
    for (const taken of [20, 45, 70]) {
      workers = await Promise.all([begin(), begin(), begin()]);
      const hasTaken = () => counting.taken.size >= taken;
      await until(hasTaken, () => `${counting.taken.size} of ${taken} were taken`, 60_000);
      const gone = counting.taken.size;
      expect(performance.now() - since).toBeGreaterThan(((gone - 1) / perSecond) * SECOND - 100);
      for (const worker of workers) {
        worker.kill('SIGKILL');
        await once(worker, 'exit');
      }
      await server.killAndLaunch();
    }
    workers = await Promise.all([begin(), begin(), begin()]);
    const isOver = async () => {
      const stats = await outbox.stats().catch(() => null); // the store may have just begun
      const { queued = 0, claimed = 0, sending = 0 } = stats?.lanes['transactional'] ?? {};
      return queued > 0 && claimed + sending === 0 && stats?.left['transactional']?.day === 0;
    };
    await until(isOver, () => `${counting.taken.size} mails were taken`, 60_000);
    const { size } = counting.taken;
    expect(size).toBeLessThanOrEqual(perDay);
    expect(size).toBeGreaterThan(perDay / 2); // who was killed has taken places for nothing, but few
    expect([...counting.taken.values()]).toEqual(Array(size).fill(1));
  } finally {
    for (const worker of workers) {
      worker.kill('SIGTERM');
      if (worker.exitCode === null && worker.signalCode === null) await once(worker, 'exit');
    }
    await outbox.close();
    await counting.server.close();
  }
}
