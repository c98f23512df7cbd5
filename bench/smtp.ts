// How fast mail leaves: npm run bench -- smtp. Every case sends to the same server with every library, in one run.
import { type ChildProcess, execFileSync, fork, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type BenchRow, median, report } from './report.ts';
import { type Client, type ClientOptions, nodemailer, ours, upyo } from './smtp-clients.ts';

const SINK = '/usr/sbin/smtp-sink';
const HALF_TRIP_MS = 25;
/** BENCH_SCALE=0.1 for a quick look. */
const SCALE = Number(process.env['BENCH_SCALE'] ?? 1);

const children: ChildProcess[] = [];

interface Report {
  readonly port: number;
  readonly peak: number;
  readonly blocked: number;
  readonly perCall: number;
}

function script(name: string, args: readonly (string | number)[] = []): Promise<Report> {
  const child = fork(fileURLToPath(new URL(name, import.meta.url)), args.map(String));
  children.push(child);
  return new Promise((resolve, reject) => {
    // Each script reports once, in this form.
    child.once('message', (message) => resolve(message as Report));
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code}`)));
  });
}

/** Postfix's own sink where it is installed, ours elsewhere: it has PIPELINING and no CHUNKING. */
async function startSink(): Promise<number> {
  if (!existsSync(SINK)) return (await script('./smtp-sink.js')).port;
  const server = createServer();
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : 0);
    });
  });
  await new Promise((resolve) => server.close(resolve));
  const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
  const child = spawn(SINK, [...user, `127.0.0.1:${port}`, '1000'], { stdio: 'ignore' });
  children.push(child);
  await new Promise((resolve) => setTimeout(resolve, 500));
  return port;
}

const relay = async (port: number) => (await script('./delay-relay.js', [port, HALF_TRIP_MS])).port;

type Maker = (options: ClientOptions) => Client;
type Way = 'awaited' | 'bulk';

/** Microseconds a mail, by the clock or by the processor time of this process; the middle one of three runs. */
async function measure(
  make: Maker,
  options: ClientOptions,
  way: Way,
  count: number,
): Promise<{ us: number; cpu: number }> {
  const client = make(options);
  await client[way](Math.max(20, Math.round(count / 10)));
  const clock: number[] = [];
  const cpu: number[] = [];
  for (let run = 0; run < 3; run++) {
    const usage = process.cpuUsage();
    const started = performance.now();
    await client[way](count);
    clock.push(((performance.now() - started) * 1000) / count);
    const { user, system } = process.cpuUsage(usage);
    cpu.push((user + system) / count);
  }
  await client.close();
  return { us: median(clock), cpu: median(cpu) };
}

const rows: BenchRow[] = [];

interface Case {
  readonly name: string;
  readonly way: Way;
  readonly target: number;
  readonly ours: ClientOptions;
  readonly peers: ClientOptions;
  /** Mails that we and that the peers send; slower ones send fewer. */
  readonly count: readonly [number, number];
  readonly cpuTarget?: number;
}

async function run({ name, way, target, ours: own, peers, count, cpuTarget }: Case): Promise<void> {
  const [many, few] = count.map((number) => Math.max(10, Math.round(number * SCALE))) as [number, number]; // a pair stays one
  const theirs = await measure(nodemailer, peers, way, few);
  const upyos = await measure(upyo, peers, way, few);
  const us = await measure(ours, own, way, many);
  const results = { 'amsdal-mail': us.us, nodemailer: theirs.us, '@upyo/smtp': upyos.us };
  console.error(`${name}: ${JSON.stringify(results)}`);
  rows.push({ name, unit: 'us', target, results });
  if (cpuTarget === undefined) return;
  const cpu = { 'amsdal-mail': us.cpu, nodemailer: theirs.cpu, '@upyo/smtp': upyos.cpu };
  rows.push({ name: `${name}: CPU of the client`, unit: 'us', target: cpuTarget, results: cpu });
}

const sink = await startSink();
const chunking = (await script('./smtp-sink.js', ['--chunking'])).port;
const far = await relay(sink);
const farChunking = await relay(chunking);

const at = (port: number, connections = 1, more: Partial<ClientOptions> = {}): ClientOptions => ({
  port,
  connections,
  ...more,
});

await run({
  name: 'loopback, 1 connection, each awaited',
  way: 'awaited',
  target: 2,
  ours: at(sink),
  peers: at(sink),
  count: [5_000, 2_000],
});
await run({
  name: 'loopback, bulk, PIPELINING, 1 connection',
  way: 'bulk',
  target: 4.5,
  ours: at(sink),
  peers: at(sink),
  count: [20_000, 3_000],
});
await run({
  name: 'loopback, bulk, PIPELINING, 5 connections',
  way: 'bulk',
  target: 15,
  ours: at(sink, 5),
  peers: at(sink, 5),
  count: [50_000, 3_000],
  cpuTarget: 10,
});
await run({
  name: 'loopback, bulk, CHUNKING, 1 connection',
  way: 'bulk',
  target: 30,
  ours: at(chunking),
  peers: at(sink),
  count: [50_000, 3_000],
});
await run({
  name: 'loopback, bulk, CHUNKING, 1 connection, maxInFlight 100',
  way: 'bulk',
  target: 30,
  ours: at(chunking, 1, { maxInFlight: 100 }),
  peers: at(sink),
  count: [100_000, 3_000],
});
await run({
  name: '50 ms, 1 connection, bulk, PIPELINING',
  way: 'bulk',
  target: 1.9,
  ours: at(far),
  peers: at(far),
  count: [60, 30],
});
await run({
  name: '50 ms, 1 connection, bulk, CHUNKING',
  way: 'bulk',
  target: 8,
  ours: at(farChunking),
  peers: at(far),
  count: [400, 30],
});
await run({
  name: '50 ms, 1 connection, bulk, CHUNKING, maxInFlight 1000',
  way: 'bulk',
  target: 50,
  ours: at(farChunking, 1, { maxInFlight: 1_000 }),
  peers: at(far),
  count: [10_000, 30],
});
await run({
  name: '50 ms, 100 recipients a mail, PIPELINING',
  way: 'bulk',
  target: 1.5,
  ours: at(far, 1, { recipients: 100 }),
  peers: at(far, 1, { recipients: 100 }),
  count: [60, 30],
});
await run({
  name: '50 ms, 100 recipients a mail, CHUNKING, maxInFlight 100',
  way: 'bulk',
  target: 20,
  ours: at(farChunking, 1, { recipients: 100, maxInFlight: 100 }),
  peers: at(far, 1, { recipients: 100 }),
  count: [1_000, 30],
});

const mails = Math.round(100_000 * SCALE);
const stream = await script('./smtp-memory.js', ['stream', sink, mails]);
const promises = await script('./smtp-memory.js', ['promises', sink, mails]);
const peer = await script('./smtp-memory.js', ['nodemailer', sink, mails]);
const both = (own: number, theirs: number) => ({ 'amsdal-mail': own, nodemailer: theirs });
rows.push(
  {
    name: `${mails} mails streamed: peak memory (wanted: under 120)`,
    unit: 'MB',
    results: both(stream.peak, peer.peak),
  },
  { name: `${mails} sendMail at once: peak memory (under 300)`, unit: 'MB', results: both(promises.peak, peer.peak) },
  {
    name: `${mails} sendMail at once: a call in the loop (at most 10)`,
    unit: 'us',
    results: both(promises.perCall, peer.perCall),
  },
  {
    name: `${mails} sendMail at once: longest block after it (under 50)`,
    unit: 'ms',
    results: both(promises.blocked, peer.blocked),
  },
);

/** Milliseconds of processor time to start Node and import; the middle one of seven starts. */
function startUp(code: string): number {
  const measured = `${code}; const { user, system } = process.cpuUsage(); process.stdout.write(String((user + system) / 1000));`;
  const start = () =>
    Number(execFileSync(process.execPath, ['--input-type=module', '-e', measured], { encoding: 'utf8' }));
  return median(Array.from({ length: 7 }, start));
}
const entry = new URL('../src/index.js', import.meta.url).href;
const bare = startUp('');
const imported = {
  'amsdal-mail': startUp(`await import(${JSON.stringify(entry)})`) - bare,
  nodemailer: startUp("await import('nodemailer')") - bare,
};
rows.push({ name: 'import, CPU over bare Node (at most 25)', unit: 'ms', results: imported });

for (const child of children) child.kill();
report('smtp', rows);
console.log('\nThe round trip of 50 ms is made by a TCP relay that holds bytes back for 25 ms each way.');
