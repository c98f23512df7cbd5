// How an outbox behaves with very many mails waiting: npm run bench:outbox-scale -- [sqlite|postgres|redis] [mails]
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { argv, stdout } from 'node:process';
import { SmtpBackend } from '../src/backends/smtp.ts';
import { Outbox } from '../src/outbox/outbox.ts';
import type { OutboxStore } from '../src/outbox/store.ts';
import { bullmqStore } from '../src/outbox/stores/bullmq.ts';
import { postgresStore } from '../src/outbox/stores/postgres.ts';
import { sqliteStore } from '../src/outbox/stores/sqlite.ts';
import { SmtpServer } from '../src/smtp-server/server.ts';
import { Postgres } from '../test/servers/postgres.ts';
import { Redis } from '../test/servers/redis.ts';
import { type BenchRow, median, report } from './report.ts';

const [kind = 'sqlite', count = kind === 'sqlite' ? 1_000_000 : 200_000] = argv.slice(2);
const MAILS = Number(count);
const AT_ONCE = 10_000;
const CLAIMS = 100;
const CODES = 20;
/** How long the server takes for the reply to a mail, in milliseconds. */
const SERVER_MS = 10;
const MB = 1_000_000;

/** What every reader of the newsletter gets alike, which is kept once. */
const HTML = `<p>${'All that was new this month. '.repeat(600)}</p>`;

interface Subject {
  readonly store: OutboxStore;
  /** What it takes on disk, or in the memory of Redis, in bytes. */
  size(): Promise<number>;
  end(): Promise<void>;
}

const SUBJECTS: Readonly<Record<string, () => Promise<Subject>>> = {
  async sqlite() {
    const folder = mkdtempSync(join(tmpdir(), 'amsdal-mail-bench-'));
    return {
      store: sqliteStore(join(folder, 'mail.db')),
      size: async () => readdirSync(folder).reduce((sum, file) => sum + statSync(join(folder, file)).size, 0),
      end: async () => rmSync(folder, { recursive: true }),
    };
  },
  async postgres() {
    const server = await Postgres.start();
    const pool = server.pool();
    return {
      store: postgresStore(pool),
      async size() {
        const { rows } = await pool.query('SELECT pg_database_size(current_database())::float8 AS bytes');
        return Number(rows[0]?.bytes);
      },
      async end() {
        await pool.end();
        await server.stop();
      },
    };
  },
  async redis() {
    const server = await Redis.start(['--appendonly', 'yes', '--appendfsync', 'everysec']);
    const client = server.client();
    return {
      store: bullmqStore({ connection: server.url }),
      size: async () => Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1]),
      async end() {
        client.disconnect();
        await server.stop();
      },
    };
  },
};

const open = SUBJECTS[kind];
if (open === undefined) throw new Error(`the store is one of: ${Object.keys(SUBJECTS).join(', ')}`);
const { store, size, end } = await open();
const arrivals = new Map<string, number>();
const server = await SmtpServer.start({
  onMessage: ({ envelope }) => {
    const [to = ''] = envelope.rcptTo;
    if (to.includes('code-')) arrivals.set(to, performance.now());
    return new Promise((resolve) => setTimeout(() => resolve(undefined), SERVER_MS));
  },
});
const smtp = new SmtpBackend({ host: '127.0.0.1', port: server.port });
const outbox = new Outbox({ store, connection: smtp });
await outbox.migrate();

const rows: BenchRow[] = [];
const add = (name: string, value: number, unit: string) => rows.push({ name, results: { 'amsdal-mail': value }, unit });
const common = { fromEmail: 'news@example.com', htmlBody: HTML, subject: 'News' } as const;
const memory = () => {
  globalThis.gc?.();
  return process.memoryUsage().rss / MB;
};

const emptySize = await size();
const start = performance.now();
const memories: number[] = [];
for (let from = 0; from < MAILS; from += AT_ONCE) {
  const some = Array.from({ length: Math.min(AT_ONCE, MAILS - from) }, (_, place) => ({
    ...common,
    body: `Dear reader ${from + place},\n\nall that was new this month is in the other part of this mail.\n`,
    to: `reader-${from + place}@example.org`,
  }));
  await outbox.enqueue(some, { lane: 'bulk' });
  memories.push(memory());
  if (stdout.isTTY) stdout.write(`\r${from + some.length} of ${MAILS} written down`);
}
const seconds = (performance.now() - start) / 1_000;
if (stdout.isTTY) stdout.write('\r\u001b[K');
add(`enqueue ${MAILS.toLocaleString('en')} of a newsletter`, MAILS / seconds, 'mails/s');
add('what the store takes, a mail', ((await size()) - emptySize) / MAILS, 'B');
add('memory after a tenth of them', memories[Math.floor(memories.length / 10)] ?? 0, 'MB');
add('memory after all', memories.at(-1) ?? 0, 'MB');

const claims: number[] = [];
for (let claim = 0; claim < CLAIMS; claim++) {
  const from = performance.now();
  const { mails } = await store.claim({ lanes: [{ lane: 'bulk', limit: 100 }], limit: 100, leaseMs: 60_000 });
  claims.push(performance.now() - from);
  const back = {
    from: ['claimed'],
    to: 'queued',
    afterMs: 0,
    isTried: false,
    facts: null,
    keepsRequest: false,
    dropsContent: false,
  } as const;
  await store.settle(mails.map(({ id, fence }) => ({ id, fence, ...back })));
}
add('a claim of 100', median(claims), 'ms');

const counted = performance.now();
await outbox.stats();
add('how many there are', performance.now() - counted, 'ms');

/** How long codes take to the server while a worker is busy with the newsletter, as fast as `perSecond` lets it. */
async function waitsFor(perSecond?: number): Promise<readonly number[]> {
  const lanes = { transactional: { weight: 10 }, bulk: perSecond === undefined ? {} : { perSecond } };
  const busy = new Outbox({ store, connection: smtp, lanes });
  const stop = new AbortController();
  const working = busy.work({ signal: stop.signal, concurrency: 50 });
  const waits: number[] = [];
  for (let code = 0; code < CODES; code++) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    const to = `code-${code}@example.org`;
    arrivals.delete(to);
    await busy.enqueue({ fromEmail: 'login@example.com', to, subject: 'Your code', body: '123456' });
    const from = performance.now();
    while (!arrivals.has(to)) await new Promise((resolve) => setTimeout(resolve, 1));
    waits.push((arrivals.get(to) ?? 0) - from);
  }
  stop.abort();
  await working;
  return waits;
}

const idle = await waitsFor(200);
add('a code behind them, places are free', median(idle), 'ms');
add('the slowest of twenty', Math.max(...idle), 'ms');
add('a code behind them, no place is free', median(await waitsFor()), 'ms');
add('memory while a worker sends', memory(), 'MB');
await outbox.close();
await server.close();
await end();
report(`An outbox with many mails: ${kind}`, rows);
