// How fast mail leaves: npm run bench:smtp. Every case sends to the same server with every library, in one run.
import { type ChildProcess, execFileSync, fork, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { makeCertificates } from '../test/servers/certificates.ts';
import { Postfix } from '../test/servers/postfix.ts';
import { raw } from './raw-smtp.ts';
import { type BenchRow, median, report } from './report.ts';
import { type Client, type ClientOptions, nodemailer, ours, upyo } from './smtp-clients.ts';

const SINK = '/usr/sbin/smtp-sink';
const POSTFIX = '/usr/sbin/postfix';
const HALF_TRIP_MS = 25;
/** BENCH_SCALE=0.1 for a quick look. */
const SCALE = Number(process.env['BENCH_SCALE'] ?? 1);

/** Arguments: only the cases whose name holds one of them. */
const ONLY = process.argv.slice(2);
const isWanted = (name: string) => ONLY.length === 0 || ONLY.some((part) => name.includes(part));

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

type Maker = (options: ClientOptions) => Client | Promise<Client>;
type Way = 'awaited' | 'bulk';

interface Measured {
  readonly us: number;
  readonly cpu: number;
}

/** Microseconds a mail, by the clock and by the processor time of this process; the middle one of three runs. */
async function measure(make: Maker, options: ClientOptions, way: Way, count: number): Promise<Measured> {
  const client = await make(options);
  await client[way](Math.max(5, Math.round(count / 5)));
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
  /** Mails in a run: what is slower sends fewer, and 0 is left out. */
  readonly counts: { readonly ours: number; readonly nodemailer: number; readonly upyo: number };
  /** Also measures a bare socket, with as many mails as ours: what of the time is the server's and Node's. */
  readonly hasFloor?: boolean;
  /** Also compares the processor time of the client. */
  readonly cpuTarget?: number;
}

async function run({ name, way, target, ours: own, peers, counts, hasFloor, cpuTarget }: Case): Promise<void> {
  if (!isWanted(name)) return;
  const scaled = (count: number) => Math.max(5, Math.round(count * SCALE));
  const measured: Record<string, Measured> = {
    'amsdal-mail': await measure(ours, own, way, scaled(counts.ours)),
    nodemailer: await measure(nodemailer, peers, way, scaled(counts.nodemailer)),
  };
  if (counts.upyo > 0) measured['@upyo/smtp'] = await measure(upyo, peers, way, scaled(counts.upyo));
  if (hasFloor) measured['bare socket'] = await measure(raw, own, way, scaled(counts.ours));
  const pick = (what: keyof Measured) =>
    Object.fromEntries(Object.entries(measured).map(([library, value]) => [library, value[what]]));
  console.error(`${name}: ${JSON.stringify(measured)}`);
  rows.push({ name, unit: 'us', target, results: pick('us') });
  if (cpuTarget !== undefined) {
    rows.push({ name: `${name}: CPU of the client`, unit: 'us', target: cpuTarget, results: pick('cpu') });
  }
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
  counts: { ours: 5_000, nodemailer: 2_000, upyo: 1_000 },
  hasFloor: true,
});
await run({
  name: 'loopback, bulk, PIPELINING, 1 connection',
  way: 'bulk',
  target: 4.5,
  ours: at(sink),
  peers: at(sink),
  counts: { ours: 20_000, nodemailer: 3_000, upyo: 1_000 },
  hasFloor: true,
});
await run({
  name: 'loopback, bulk, PIPELINING, 5 connections',
  way: 'bulk',
  target: 15,
  ours: at(sink, 5),
  peers: at(sink, 5),
  counts: { ours: 50_000, nodemailer: 3_000, upyo: 1_000 },
  hasFloor: true,
  cpuTarget: 10,
});
await run({
  name: 'loopback, bulk, CHUNKING, 1 connection',
  way: 'bulk',
  target: 30,
  ours: at(chunking),
  peers: at(sink),
  counts: { ours: 50_000, nodemailer: 3_000, upyo: 1_000 },
});
await run({
  name: 'loopback, bulk, CHUNKING, 1 connection, maxInFlight 100',
  way: 'bulk',
  target: 30,
  ours: at(chunking, 1, { maxInFlight: 100 }),
  peers: at(sink),
  counts: { ours: 100_000, nodemailer: 3_000, upyo: 0 },
});
await run({
  name: '50 ms, 1 connection, bulk, PIPELINING',
  way: 'bulk',
  target: 1.9,
  ours: at(far),
  peers: at(far),
  counts: { ours: 30, nodemailer: 10, upyo: 5 },
});
await run({
  name: '50 ms, 1 connection, bulk, CHUNKING',
  way: 'bulk',
  target: 8,
  ours: at(farChunking),
  peers: at(far),
  counts: { ours: 400, nodemailer: 10, upyo: 0 },
});
await run({
  name: '50 ms, 1 connection, bulk, CHUNKING, maxInFlight 1000',
  way: 'bulk',
  target: 50,
  ours: at(farChunking, 1, { maxInFlight: 1_000 }),
  peers: at(far),
  counts: { ours: 10_000, nodemailer: 10, upyo: 0 },
});
await run({
  name: '50 ms, 100 recipients a mail, PIPELINING',
  way: 'bulk',
  target: 1.5,
  ours: at(far, 1, { recipients: 100 }),
  peers: at(far, 1, { recipients: 100 }),
  counts: { ours: 30, nodemailer: 10, upyo: 0 },
});
await run({
  name: '50 ms, 100 recipients a mail, CHUNKING, maxInFlight 100',
  way: 'bulk',
  target: 20,
  ours: at(farChunking, 1, { recipients: 100, maxInFlight: 100 }),
  peers: at(far, 1, { recipients: 100 }),
  counts: { ours: 1_000, nodemailer: 10, upyo: 0 },
});

const hasPostfix = existsSync(POSTFIX) && process.getuid?.() === 0;
if (!hasPostfix) console.error('left out: real Postfix, which needs Postfix and root');
else if (isWanted('real Postfix')) {
  await using postfix = await Postfix.start(makeCertificates());
  const farPostfix = at(await relay(postfix.ports.plain));
  for (const [maxInFlight, target, count] of [
    [8, 8, 400],
    [1_000, 50, 5_000],
  ] as const) {
    await run({
      name: `50 ms, 1 connection, bulk, real Postfix with CHUNKING, maxInFlight ${maxInFlight}`,
      way: 'bulk',
      target,
      ours: { ...farPostfix, maxInFlight },
      peers: farPostfix,
      counts: { ours: count, nodemailer: 10, upyo: 0 },
    });
  }
}

async function measureMemory(): Promise<void> {
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
}
if (isWanted('memory')) await measureMemory();

/** Milliseconds of processor time to start Node and import; the middle one of fifteen starts. */
function startUp(code: string): number {
  const measured = `${code}; const { user, system } = process.cpuUsage(); process.stdout.write(String((user + system) / 1000));`;
  const start = () =>
    Number(execFileSync(process.execPath, ['--input-type=module', '-e', measured], { encoding: 'utf8' }));
  return median(Array.from({ length: 15 }, start));
}
function measureImport(): void {
  const bare = startUp('');
  const imported = {
    'amsdal-mail': startUp("await import('amsdal-mail')") - bare,
    nodemailer: startUp("await import('nodemailer')") - bare,
  };
  rows.push({ name: 'import, CPU over bare Node (at most 25)', unit: 'ms', results: imported });
}
if (isWanted('import')) measureImport();

for (const child of children) child.kill();
report('smtp', rows);
console.log('\nThe round trip of 50 ms is made by a TCP relay that holds bytes back for 25 ms each way.');
