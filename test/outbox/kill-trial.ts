import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { EmailConnectionError } from '../../src/model/errors.ts';
import type { Outbox } from '../../src/outbox/outbox.ts';
import { SmtpServer } from '../../src/smtp-server/server.ts';
import { until } from '../servers/process.ts';

/** The program of a worker; it says `working` when it begins. */
const WORKER = fileURLToPath(new URL('kill-worker.js', import.meta.url));

/** As the worker has it. */
const LEASE_MS = 1_000;

/** What is done to workers, and how often. */
export interface KillPlan {
  readonly mails: number;
  readonly workers: number;
  readonly kills: number;
  /** Workers that are stopped for longer than their lease, and go on then. */
  readonly sleeps: number;
  /** How long after the server has taken a mail at most, in milliseconds. */
  readonly latestMs: number;
}

/** What else happens meanwhile, such as that the database is killed. */
export interface Disturbance {
  readonly times: number;
  run(): Promise<void>;
}

/** What came of it. */
export interface KillReport {
  readonly kills: number;
  readonly sleeps: number;
  /** How many mails the server took, each counted once. */
  readonly taken: number;
  readonly doubled: readonly string[];
  /** Mails that the server never took and of which nobody is in doubt, or that count as sent. */
  readonly lost: readonly string[];
  /** Mails that somebody has to look at. */
  readonly inDoubt: number;
  /** Those of them that the server has taken. */
  readonly inDoubtAndTaken: number;
}

/** What {@link countingServer} gives. */
export interface CountingServer {
  readonly server: SmtpServer;
  /** How often it took a mail, by Message-ID. */
  readonly taken: ReadonlyMap<string, number>;
  /** Resolves when it has taken another one. */
  next(): Promise<void>;
}

/** A server that counts what it takes by Message-ID: before it answers, as a real one has it on disk by then. */
export async function countingServer(): Promise<CountingServer> {
  const taken = new Map<string, number>();
  const waiting: (() => void)[] = [];
  const server = await SmtpServer.start({
    async onMessage({ bytes }) {
      const id = /^Message-ID: <(.+)>\r$/m.exec(Buffer.from(bytes).toString('latin1'))?.[1] ?? '';
      await wait(Math.random() * 10);
      taken.set(id, (taken.get(id) ?? 0) + 1);
      for (const resolve of waiting.splice(0)) resolve();
      await wait(Math.random() * 10); // a worker that dies now leaves a mail that was taken and never answered
      return undefined;
    },
  });
  return { server, taken, next: () => new Promise((resolve) => waiting.push(resolve)) };
}

/** Lets workers die at random moments until `plan` is through and nothing is left to send, then compares both sides. */
export async function killTrial(
  outbox: Outbox,
  { taken, next }: Pick<CountingServer, 'taken' | 'next'>,
  environment: NodeJS.ProcessEnv,
  plan: KillPlan,
  disturbance: Disturbance = { times: 0, run: () => Promise.resolve() },
): Promise<KillReport> {
  const steps = plan.kills + plan.sleeps;
  const sleepers: ChildProcess[] = [];
  const workers = await Promise.all(
    Array.from({ length: plan.workers }, (_, place) => startWorker(environment, place)),
  );
  let [kills, sleeps, written] = [0, 0, 0];
  const isDone = async () => {
    const { lanes } = await outbox.stats();
    const { queued = 0, claimed = 0, sending = 0 } = lanes['transactional'] ?? {};
    return queued + claimed + sending === 0;
  };
  try {
    for (let step = 1; step <= steps; step++) {
      // Some more for each, so that there is something to be killed at.
      const upTo = Math.ceil((plan.mails * step) / steps);
      const another = next();
      await enqueue(
        outbox,
        Array.from({ length: upTo - written }, (_, place) => numbered(written + place)),
      );
      written = upTo;
      await another;
      if (step % Math.ceil(steps / (disturbance.times + 1)) === 0) await disturbance.run();
      if (plan.latestMs > 0) await wait(Math.random() * plan.latestMs);
      const place = Math.floor(Math.random() * workers.length);
      const victim = workers[place];
      if (victim === undefined) continue;
      if (sleeps < plan.sleeps && (kills >= plan.kills || Math.random() < plan.sleeps / steps)) {
        sleeps++;
        victim.kill('SIGSTOP');
        setTimeout(() => victim.kill('SIGCONT'), 2 * LEASE_MS); // others take what it has
        workers[place] = await startWorker(environment, place);
        sleepers.push(victim);
      } else {
        kills++;
        victim.kill('SIGKILL');
        workers[place] = await startWorker(environment, place);
      }
    }
    await until(
      () => isDone().catch(isAway),
      () => `${taken.size} of ${written} mails were taken`,
      120_000,
    );
  } finally {
    for (const worker of [...workers, ...sleepers]) {
      worker.kill('SIGCONT');
      worker.kill('SIGTERM');
      const timer = setTimeout(() => worker.kill('SIGKILL'), 20_000);
      if (worker.exitCode === null && worker.signalCode === null) await once(worker, 'exit');
      clearTimeout(timer);
    }
  }
  return compare(outbox, taken, { kills, sleeps });
}

/** Again when the store fails: each mail has a key, so that it is written down once. */
async function enqueue(outbox: Outbox, mails: readonly ReturnType<typeof numbered>[]): Promise<void> {
  await until(
    () => outbox.enqueue(mails).then(() => true, isAway),
    () => 'the mails could not be written down',
  );
}

/** False for a store that is away; what else is wrong is thrown. */
function isAway(error: unknown): false {
  if (error instanceof EmailConnectionError) return false;
  throw error;
}

function numbered(place: number) {
  const idempotencyKey = `mail-${place}`;
  const text = {
    idempotencyKey,
    subject: `Mail ${place}`,
    body: `This is mail ${place}.`,
    messageId: `mail-${place}@example.com`,
  };
  return { ...text, fromEmail: 'shop@example.com', to: `user${place}@example.org` };
}

async function compare(
  outbox: Outbox,
  taken: ReadonlyMap<string, number>,
  done: { readonly kills: number; readonly sleeps: number },
): Promise<KillReport> {
  const all = await outbox.list({ limit: 1_000_000 });
  const lost: string[] = [];
  let [inDoubt, inDoubtAndTaken] = [0, 0];
  for (const { messageId, state, recipients } of all) {
    const isTaken = taken.has(messageId ?? '');
    if (state === 'in-doubt') {
      inDoubt++;
      if (isTaken) inDoubtAndTaken++;
    } else if (!isTaken || state !== 'sent') lost.push(`${messageId} ${state} ${JSON.stringify(recipients)}`);
  }
  const doubled = [...taken].filter(([, count]) => count > 1).map(([id, count]) => `${id} ${count} times`);
  return { ...done, taken: taken.size, doubled, lost, inDoubt, inDoubtAndTaken };
}

/** What gives one process another clock, where Debian's libfaketime is installed; else its Date is another one. */
const [FAKETIME] = ['x86_64', 'aarch64']
  .map((machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketime.so.1`)
  .filter((path) => existsSync(path));

function clockOf(ms: number): NodeJS.ProcessEnv {
  if (FAKETIME === undefined || ms === 0) return { CLOCK_MS: String(ms) };
  return { LD_PRELOAD: FAKETIME, FAKETIME: `${ms < 0 ? '-' : '+'}${Math.abs(ms) / 1_000}s`, DONT_FAKE_MONOTONIC: '1' };
}

/**
 * Starts a worker with the clock of its place, so that whoever judges leases in a file by one that is ahead has a successor.
 *
 * @param environment its `CLOCKS` are milliseconds of error, with commas between them
 */
async function startWorker({ CLOCKS = '0', ...environment }: NodeJS.ProcessEnv, place: number): Promise<ChildProcess> {
  const clocks = CLOCKS.split(',');
  const own = { ...environment, ...clockOf(Number(clocks[place % clocks.length])) };
  const child = spawn(process.execPath, [WORKER], {
    env: { ...process.env, NODE_V8_COVERAGE: undefined, ...own },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`a worker ended with ${code ?? signal} before it began`);
  });
  await Promise.race([once(child.stdout, 'data'), ended]);
  ended.catch(() => {});
  child.stdout.resume();
  return child;
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
