import { expect } from 'vitest';
import { DummyBackend } from '../../src/backends/dummy.ts';
import { Outbox } from '../../src/connection/outbox.ts';
import { isWhole, PLAN, PRODUCERS } from './kill-plans.ts';
import { killProducers } from './kill-producers.ts';
import { countingServer, killTrial } from './kill-trial.ts';
import { HOUR } from './outbox-set-up.ts';

/**
 * Kills producers, workers of which the clocks are wrong, and the server that keeps their mails.
 *
 * @param store where the outbox is, as a text
 * @param server what is killed and launched again
 */
export async function killWithServer(
  name: string,
  store: string,
  server: { killAndLaunch(): Promise<void> },
): Promise<void> {
  const counting = await countingServer();
  const outbox = new Outbox({ store, connection: new DummyBackend() });
  try {
    await outbox.migrate();
    expect(await killProducers(outbox, store, PRODUCERS)).toMatchObject({ lost: [] });
    await Promise.all((await outbox.list({ limit: 1_000 })).map(({ id }) => outbox.cancel(id)));
    await outbox.prune({ olderThanMs: 0 });
    const via = `smtp://127.0.0.1:${counting.server.port}`;
    const disturb = { times: isWhole ? 4 : 1, run: () => server.killAndLaunch() };
    const settings = { STORE: store, VIA: via, CLOCKS: `0,${HOUR},${-HOUR}` };
    const report = await killTrial(outbox, counting, settings, PLAN, disturb);
    if (isWhole) console.table({ [name]: { ...report, doubled: report.doubled.length, lost: report.lost.length } });
    expect(report).toMatchObject({ kills: PLAN.kills, sleeps: PLAN.sleeps, doubled: [], lost: [] });
    expect(report.taken + report.inDoubt - report.inDoubtAndTaken).toBe(PLAN.mails);
  } finally {
    await outbox.close();
    await counting.server.close();
  }
}
