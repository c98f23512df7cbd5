import { expect, it } from 'vitest';
import { DummyBackend } from '../../src/backends/dummy.ts';
import { Outbox } from '../../src/connection/outbox.ts';
import { Redis } from '../servers/redis.ts';
import { isWhole, PLAN, PRODUCERS, TIMEOUT_MS } from './kill-plans.ts';
import { killProducers } from './kill-producers.ts';
import { countingServer, killTrial } from './kill-trial.ts';
import { HOUR } from './outbox-set-up.ts';

it(
  'loses and doubles no mail in Redis when producers, workers with wrong clocks and Redis are killed, and lists every doubt',
  async () => {
    await using redis = await Redis.start();
    const counting = await countingServer();
    const store = redis.url;
    const outbox = new Outbox({ store, connection: new DummyBackend() });
    try {
      const produced = await killProducers(outbox, store, PRODUCERS);
      expect(produced).toMatchObject({ lost: [] });
      await Promise.all((await outbox.list({ limit: 1_000 })).map(({ id }) => outbox.cancel(id)));
      await outbox.prune({ olderThanMs: 0 });
      const via = `smtp://127.0.0.1:${counting.server.port}`;
      const disturb = { times: isWhole ? 4 : 1, run: () => redis.killAndLaunch() };
      const report = await killTrial(
        outbox,
        counting,
        { STORE: store, VIA: via, CLOCKS: `0,${HOUR},${-HOUR}` },
        PLAN,
        disturb,
      );
      if (isWhole) console.table({ redis: { ...report, doubled: report.doubled.length, lost: report.lost.length } });
      expect(report).toMatchObject({ kills: PLAN.kills, sleeps: PLAN.sleeps, doubled: [], lost: [] });
      expect(report.taken + report.inDoubt - report.inDoubtAndTaken).toBe(PLAN.mails);
    } finally {
      await outbox.close();
      await counting.server.close();
    }
  },
  TIMEOUT_MS,
);
