import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { DummyBackend } from '../../src/backends/dummy.ts';
import { Outbox } from '../../src/connection/outbox.ts';
import { isWhole, NAIVE_PLAN, PLAN, PRODUCERS, TIMEOUT_MS } from './kill-plans.ts';
import { killProducers } from './kill-producers.ts';
import { countingServer, type KillPlan, type KillReport, killTrial } from './kill-trial.ts';
import { type CountingVendor, countingVendor } from './kill-vendor.ts';
import { HOUR } from './outbox-set-up.ts';

async function smtpServer(): Promise<CountingVendor> {
  const { server, taken, next } = await countingServer();
  return { via: `smtp://127.0.0.1:${server.port}`, taken, next, close: () => server.close() };
}

async function trial(
  plan: KillPlan,
  environment: NodeJS.ProcessEnv = {},
  counting: CountingVendor | null = null,
): Promise<KillReport> {
  const folder = mkdtempSync(join(tmpdir(), 'amsdal-mail-kill-'));
  const store = `sqlite:${join(folder, 'mail.db')}`;
  const server = counting ?? (await smtpServer());
  const outbox = new Outbox({ store, connection: new DummyBackend() });
  try {
    const report = await killTrial(outbox, server, { STORE: store, VIA: server.via, ...environment }, plan);
    if (isWhole) console.table({ sqlite: { ...report, doubled: report.doubled.length, lost: report.lost.length } });
    return report;
  } finally {
    await outbox.close();
    await server.close();
    rmSync(folder, { recursive: true });
  }
}

it(
  'loses and doubles no mail when workers are killed or fall asleep, and lists every doubt',
  async () => {
    const report = await trial(PLAN);
    expect(report).toMatchObject({ kills: PLAN.kills, sleeps: PLAN.sleeps, doubled: [], lost: [] });
    expect(report.taken + report.inDoubt - report.inDoubtAndTaken).toBe(PLAN.mails);
  },
  TIMEOUT_MS,
);

it(
  'would double mails if it wrote down that they leave once they have left',
  async () => {
    const report = await trial(NAIVE_PLAN, { NAIVE: '1' });
    expect(report.lost).toEqual([]);
    expect(report.doubled.length).toBeGreaterThan(0);
  },
  TIMEOUT_MS,
);

it(
  'leaves nothing in doubt over a provider that remembers keys',
  async () => {
    const report = await trial(PLAN, {}, await countingVendor());
    expect(report).toMatchObject({ kills: PLAN.kills, sleeps: PLAN.sleeps, doubled: [], lost: [], inDoubt: 0 });
    expect(report.taken).toBe(PLAN.mails);
  },
  TIMEOUT_MS,
);

it(
  'loses and doubles no mail when the clock of a worker is an hour ahead, and that of another an hour back',
  async () => {
    const report = await trial(PLAN, { CLOCKS: `0,${HOUR},${-HOUR}` });
    expect(report).toMatchObject({ kills: PLAN.kills, sleeps: PLAN.sleeps, doubled: [], lost: [] });
    expect(report.taken + report.inDoubt - report.inDoubtAndTaken).toBe(PLAN.mails);
  },
  TIMEOUT_MS,
);

it(
  'loses no mail of a process that dies right after it was written down',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'amsdal-mail-kill-'));
    const store = `sqlite:${join(folder, 'mail.db')}`;
    const outbox = new Outbox({ store, connection: new DummyBackend() });
    try {
      const { written, lost } = await killProducers(outbox, store, PRODUCERS);
      expect(written).toBeGreaterThanOrEqual(PRODUCERS);
      expect(lost).toEqual([]);
    } finally {
      await outbox.close();
      rmSync(folder, { recursive: true });
    }
  },
  TIMEOUT_MS,
);
