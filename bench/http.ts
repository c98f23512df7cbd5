// How fast mail goes to vendors with an HTTP API, beside their own SDKs: npm run bench:http [-- NAME ...]
import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { Agent } from 'node:https';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { EmailBackend } from '../src/backend/backend.ts';
import { FROM, type Mail, type Sdk, VENDORS, type Vendor } from './http-vendors.ts';
import { type BenchRow, median, report } from './report.ts';

/** BENCH_SCALE=0.1 for a quick look. */
const SCALE = Number(process.env['BENCH_SCALE'] ?? 1);
const ONLY = process.argv.slice(2);
const AT_ONCE = 50;
const ROUNDS = 5;
const WARM_UP = 2;
/** Rounds of the first comparison before it counts: until then the engine compiles what all the others use, too. */
const FIRST_WARM_UP = 8;
const TEXT = 'Thank you for your order. It is on its way to you. '.repeat(40);
const FILE = new Uint8Array(100_000).map((_, at) => at * 7);
const SIZES = [
  { size: '2 KB', file: null, awaited: 500, atOnce: 2_000, list: 10_000, cpu: 1 / 0.45 },
  { size: '100 KB', file: FILE, awaited: 200, atOnce: 500, list: 1_000, cpu: 1 / 0.9 },
] as const;

interface Cost {
  readonly wallUs: number;
  readonly cpuUs: number;
}

type Send = (mails: readonly Mail[]) => Promise<unknown>;

async function costOf(send: Send, mails: readonly Mail[]): Promise<Cost> {
  const cpu = process.cpuUsage();
  const before = performance.now();
  await send(mails);
  const { user, system } = process.cpuUsage(cpu);
  return { wallUs: ((performance.now() - before) * 1_000) / mails.length, cpuUs: (user + system) / mails.length };
}

/** Takes turns, so that a busy moment of the machine meets both; the first rounds warm up. */
async function compare(
  mails: readonly Mail[],
  ours: Send,
  theirs: Send,
  warmUp = WARM_UP,
): Promise<readonly [Cost, Cost]> {
  const costs: [Cost, Cost][] = [];
  for (let round = 0; round < warmUp + ROUNDS; round++) {
    const pair: [Cost, Cost] = [await costOf(ours, mails), await costOf(theirs, mails)];
    if (round >= warmUp) costs.push(pair);
  }
  const middle = (side: 0 | 1): Cost => ({
    wallUs: median(costs.map((pair) => pair[side].wallUs)),
    cpuUs: median(costs.map((pair) => pair[side].cpuUs)),
  });
  return [middle(0), middle(1)];
}

/** Runs a task for each item, so many at once: the loop that everybody would write. */
async function each<T>(items: readonly T[], width: number, task: (item: T) => Promise<unknown>): Promise<void> {
  const queue = items[Symbol.iterator]();
  const work = async () => {
    for (const item of queue) await task(item);
  };
  await Promise.all(Array.from({ length: width }, work));
}

function sendList(backend: EmailBackend, mails: readonly Mail[]): Promise<unknown> {
  return backend.sendMessages(
    mails.map(({ subject, text, to, file }) => ({
      ...{ subject, body: text, fromEmail: FROM, to },
      attachments: file === null ? [] : [{ filename: 'a.bin', content: file }],
    })),
  );
}

/** As a user of the SDK would send many: by its call for many, or some at once. */
function sendManyByIt({ send, batch }: Sdk, hasFiles: boolean): Send {
  if (batch === undefined || (hasFiles && !batch.takesFiles)) return (mails) => each(mails, AT_ONCE, send);
  return async (mails) => {
    for (let at = 0; at < mails.length; at += batch.max) await batch.send(mails.slice(at, at + batch.max));
  };
}

async function benchVendor({ ours, theirs }: Vendor, url: string): Promise<BenchRow[]> {
  const sdk = theirs(url);
  const backend = ours(AT_ONCE);
  const one = (mail: Mail) => sendList(backend, [mail]);
  const rows: BenchRow[] = [];
  for (const { size, file, cpu, ...counts } of SIZES) {
    const mailsOf = (count: number): Mail[] =>
      Array.from({ length: Math.ceil(count * SCALE) }, (_, index) => ({
        ...{ subject: `Order ${index}`, text: TEXT, to: `user${index}@example.org`, file },
      }));
    const show = (label: string, [mine, its]: readonly [Cost, Cost], wantedCpu?: number, wantedTime?: number): void => {
      const row = (what: string, key: keyof Cost, target?: number): BenchRow => ({
        name: `${size}, ${label}, ${what} a mail`,
        results: { 'amsdal-mail': mine[key], SDK: its[key] },
        unit: 'us',
        ...(target !== undefined && { target: Number(target.toFixed(2)) }),
      });
      rows.push(row('CPU', 'cpuUs', wantedCpu), row('time', 'wallUs', wantedTime));
    };
    const awaited = await compare(
      mailsOf(counts.awaited),
      (mails) => each(mails, 1, one),
      (mails) => each(mails, 1, sdk.send),
      file === null ? FIRST_WARM_UP : WARM_UP,
    );
    show('awaited', awaited, cpu);
    const atOnce = await compare(
      mailsOf(counts.atOnce),
      (mails) => each(mails, AT_ONCE, one),
      (mails) => each(mails, AT_ONCE, sdk.send),
    );
    show(`${AT_ONCE} at once`, atOnce, cpu);
    const list = mailsOf(counts.list);
    const many = await compare(list, (mails) => sendList(backend, mails), sendManyByIt(sdk, file !== null));
    show(`list of ${list.length}`, many, sdk.batch ? undefined : cpu);
    if (sdk.batch && file === null) show('list beside awaited SDK', [many[0], awaited[1]], cpu, 8);
  }
  await backend.close();
  return rows;
}

async function main(): Promise<void> {
  const installed = fileURLToPath(new URL('../../../../test/sdk/node_modules', import.meta.url));
  if (!existsSync(installed)) {
    console.error('The SDKs are not installed: npm ci --prefix test/sdk --ignore-scripts');
    process.exitCode = 1;
    return;
  }
  const sink = fork(fileURLToPath(new URL('./http-sink.js', import.meta.url)));
  const port = await new Promise<number>((resolve) => sink.once('message', (told) => resolve(Number(told))));
  // Most SDKs know one host and https only: that leads here, without TLS, for them and for ours alike.
  Agent.prototype.createConnection = () => connect(port, '127.0.0.1');
  for (const vendor of VENDORS)
    if (ONLY.length === 0 || ONLY.includes(vendor.name))
      report(`http-${vendor.name}`, await benchVendor(vendor, `http://127.0.0.1:${port}`));
  sink.kill();
}

await main();
