import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SesBackend } from '../../src/backends/ses.ts';
import { Outbox, type OutboxStore } from '../../src/connection/outbox.ts';
import { memoryStore } from '../../src/outbox/memory-store.ts';
import { sqliteStore } from '../../src/outbox/stores/sqlite.ts';
import { StrictSes } from '../servers/strict-ses.ts';
import { mail } from './outbox-set-up.ts';

const mails = (count: number) => Array.from({ length: count }, (_, place) => mail({ to: `user${place}@example.org` }));

describe('two workers over SES', () => {
  const RATE = 20;
  let keys = 0;

  /** Workers as two processes have them: each with a connection, and so a limiter, of its own. */
  async function sendOver(stores: readonly OutboxStore[], quota: object, options: object = {}) {
    const ses = await StrictSes.start();
    ses.account = { SendingEnabled: true, SendQuota: quota };
    const outboxes = stores.map((store) => {
      const credentials = { accessKeyId: `AKIDRATES${++keys}`, secretAccessKey: 'k' };
      const connection = new SesBackend({ endpoint: ses.endpoint, region: 'eu-west-1', ...credentials, ...options });
      return new Outbox({ store, connection });
    });
    try {
      await outboxes[0]?.enqueue(mails(3 * RATE), { lane: 'bulk' });
      const since = performance.now();
      const reports = await Promise.all(outboxes.map((outbox) => outbox.flush({ concurrency: 10 })));
      const tookMs = performance.now() - since;
      const { accountLeft } = (await outboxes[0]?.stats()) ?? {};
      const questions = ses.requests.filter(({ operation }) => operation === 'GetAccount').length;
      return { sent: reports.map(({ sent }) => sent), tookMs, accepted: ses.accepted.length, accountLeft, questions };
    } finally {
      for (const outbox of outboxes) await outbox.close();
      await ses.close();
    }
  }

  const quotaOf = (fields: object) => ({ MaxSendRate: RATE, Max24HourSend: 50_000, SentLast24Hours: 0, ...fields });

  it.each([
    ['memory', () => ({ stores: Array(2).fill(memoryStore()) as OutboxStore[], close: () => {} })],
    [
      'one file',
      () => {
        const folder = mkdtempSync(join(tmpdir(), 'amsdal-mail-rates-'));
        const path = join(folder, 'mail.db');
        return { stores: [sqliteStore(path), sqliteStore(path)], close: () => rmSync(folder, { recursive: true }) };
      },
    ],
  ])('keep to the rate of the account together: %s', async (_, open) => {
    const { stores, close } = open();
    const { sent, tookMs, accepted, accountLeft } = await sendOver(stores, quotaOf({ SentLast24Hours: 100 }));
    close();
    expect([accepted, sent.reduce((sum, each) => sum + each, 0)]).toEqual([3 * RATE, 3 * RATE]);
    expect(Math.min(...sent), 'both have sent').toBeGreaterThan(0);
    // In no second more than the rate: those of the third need two seconds to have passed.
    expect(tookMs).toBeGreaterThan(2_000);
    expect(accountLeft).toEqual({ day: 50_000 - 100 - 3 * RATE });
  });

  it('stop when the day of the account is over, and leave the rest queued', async () => {
    const store = memoryStore();
    const result = await sendOver(
      [store, store],
      quotaOf({ MaxSendRate: 1_000, Max24HourSend: 200, SentLast24Hours: 190 }),
    );
    expect(result).toMatchObject({ accepted: 10, accountLeft: { day: 0 } });
    expect(result.questions).toBeLessThanOrEqual(2); // once for each process
    expect(await store.query('pauses', {})).toEqual([]);
  });

  it('keep to the rate that is given, without asking', async () => {
    const store = memoryStore();
    const { tookMs, questions } = await sendOver([store, store], quotaOf({}), { ratePerSecond: RATE });
    expect(tookMs).toBeGreaterThan(2_000);
    expect(questions).toBe(0);
  });
});
