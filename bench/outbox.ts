// What an outbox in a file costs: npm run bench:outbox
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DummyBackend } from '../src/backends/dummy.ts';
import { SmtpBackend } from '../src/backends/smtp.ts';
import { EmailMessage } from '../src/model/message.ts';
import { Outbox } from '../src/outbox/outbox.ts';
import { sqliteStore } from '../src/outbox/stores/sqlite.ts';
import { SmtpServer } from '../src/smtp-server/server.ts';
import { type BenchRow, median, report } from './report.ts';

const ROUNDS = 7;
const BULK = 10_000;
const SENT = 2_000;
/** How many mails wait while claims are measured. */
const QUEUED = 100_000;
const CLAIMS = 100;
/** How long the server takes for the reply to a mail, in milliseconds. */
const SERVER_MS = 10;

const folder = mkdtempSync(join(tmpdir(), 'amsdal-mail-bench-'));
let files = 0;
const newStore = () => sqliteStore(join(folder, `${++files}.db`));
const message = new EmailMessage({
  subject: 'Your order',
  body: 'Thank you for your order. '.repeat(60),
  fromEmail: 'shop@example.com',
  to: 'jane@example.org',
});
const mails = (count: number) => new Array<EmailMessage>(count).fill(message);

async function msOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function perSecond(count: number, work: (outbox: Outbox) => Promise<unknown>): Promise<number> {
  const rates: number[] = [];
  for (let round = -1; round < ROUNDS; round++) {
    const outbox = new Outbox({ store: newStore(), connection: new DummyBackend() });
    const ms = await msOf(() => work(outbox));
    await outbox.close();
    if (round >= 0) rates.push((count * 1_000) / ms);
  }
  return median(rates);
}

const rows: BenchRow[] = [];
const add = (name: string, value: number, unit: string) => rows.push({ name, results: { 'amsdal-mail': value }, unit });

add(
  'enqueue, each awaited',
  await perSecond(200, async (outbox) => {
    for (let place = 0; place < 200; place++) await outbox.enqueue(message);
  }),
  'mails/s',
);
add(
  'enqueue, 1,000 calls at once',
  await perSecond(1_000, (outbox) => Promise.all(mails(1_000).map((each) => outbox.enqueue(each)))),
  'mails/s',
);
add('enqueue, 10,000 in one call', await perSecond(BULK, (outbox) => outbox.enqueue(mails(BULK))), 'mails/s');

const server = await SmtpServer.start({
  onMessage: () => new Promise((resolve) => setTimeout(() => resolve(undefined), SERVER_MS)),
});
const smtp = new SmtpBackend({ host: '127.0.0.1', port: server.port });
const [direct, over]: [number[], number[]] = [[], []];
for (let round = -1; round < ROUNDS; round++) {
  const directMs = await msOf(() => smtp.sendMessages(mails(SENT)));
  const store = newStore();
  const outbox = new Outbox({ store, connection: smtp });
  await outbox.enqueue(mails(SENT));
  const overMs = await msOf(() => outbox.flush());
  await store.close();
  if (round < 0) continue;
  direct.push(directMs);
  over.push(overMs);
}
await smtp.close();
await server.close();
add('2,000 mails sent directly, server 10 ms', median(direct), 'ms');
add('the same mails by a worker', median(over), 'ms');

const store = newStore();
const outbox = new Outbox({ store, connection: new DummyBackend() });
await outbox.enqueue(mails(QUEUED), { lane: 'bulk' });
const claims: number[] = [];
for (let claim = 0; claim < CLAIMS; claim++) {
  const lanes = [{ lane: 'bulk', limit: 100 }];
  claims.push(await msOf(() => store.claim({ lanes, limit: 100, leaseMs: 60_000 })));
}
add('a claim of 100 of 100,000', median(claims), 'ms');
const codes: number[] = [];
for (let code = 0; code < CLAIMS; code++) {
  await outbox.enqueue(message);
  codes.push(
    await msOf(() => store.claim({ lanes: [{ lane: 'transactional', limit: 1 }], limit: 1, leaseMs: 60_000 })),
  );
}
add('a claim of a code behind them', median(codes), 'ms');
await outbox.close();
rmSync(folder, { recursive: true });

report('An outbox in a file', rows);
