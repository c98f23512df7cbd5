// How fast mail goes to Amazon SES, beside a bare loop over the AWS SDK: npm run bench:ses
import { type ChildProcess, fork } from 'node:child_process';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { SESv2Client, SendBulkEmailCommand, SendEmailCommand } from '@aws-sdk/client-sesv2';
import { createTransport } from 'nodemailer';
import { SesBackend } from '../src/backends/ses.ts';
import { type BenchRow, median, report } from './report.ts';

const FROM = 'shop@example.com';
const BODY = 'Thank you for your order. It is on its way to you. '.repeat(40);
const SOCKETS = 50;
const ROUNDS = 9;
const WARM_UP = 4;
const KEYS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' };
const REGION = 'us-east-1';

const FILE = new Uint8Array(100_000).map((_, at) => at * 7);

/** Mails that go one by one; `cpu` is how many times that of ours the SDK is to take. */
interface SingleCase {
  readonly name: string;
  readonly file: Uint8Array | null;
  readonly count: number;
  readonly atOnce: number;
  readonly cpu: number;
}

const SINGLE_CASES: readonly SingleCase[] = [
  { name: '2,000 mails', file: null, count: 2_000, atOnce: SOCKETS, cpu: 1 / 0.3 },
  { name: '1,000 mails, awaited', file: null, count: 1_000, atOnce: 1, cpu: 1 / 0.3 },
  { name: '300 mails of 100 KB', file: FILE, count: 300, atOnce: SOCKETS, cpu: 1 / 0.8 },
];

interface Cost {
  readonly wallUs: number;
  readonly cpuUs: number;
}

/** A service that takes everything, in a process of its own; with a rate it throttles as SES does. */
function serve(rate: number): void {
  let balance = rate;
  let since = performance.now();
  let throttled = 0;
  const server = createServer(async (request, response) => {
    let body = '';
    request.setEncoding('latin1');
    for await (const chunk of request) body += chunk;
    const isBulk = request.url?.endsWith('bulk-emails') === true;
    const count = isBulk ? body.split('"ReplacementTemplateData"').length - 1 : 1;
    const now = performance.now();
    balance = Math.min(rate, balance + ((now - since) * rate) / 1_000);
    since = now;
    response.setHeader('content-type', 'application/json');
    if (request.url === '/throttled') response.end(String(throttled));
    else if (request.url?.endsWith('account')) response.end(JSON.stringify({ SendQuota: { MaxSendRate: rate } }));
    else if (balance <= 0) {
      throttled++;
      response
        .writeHead(429, { 'x-amzn-errortype': 'TooManyRequestsException' })
        .end('{"message":"Maximum sending rate exceeded."}');
    } else {
      balance -= count;
      const result = { Status: 'SUCCESS', MessageId: '0100019a-2b3c-4d5e-6f70-8192a3b4c5d6-000000' };
      response.end(JSON.stringify(isBulk ? { BulkEmailEntryResults: Array(count).fill(result) } : result));
    }
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    process.send?.(typeof address === 'object' ? address?.port : 0);
  });
}

async function start(rate: number): Promise<{ readonly endpoint: string; readonly child: ChildProcess }> {
  const child = fork(fileURLToPath(import.meta.url), ['serve', String(rate)]);
  const port = await new Promise<unknown>((resolve) => child.once('message', resolve));
  return { endpoint: `http://127.0.0.1:${port}`, child };
}

async function cost(recipients: number, run: () => Promise<unknown>): Promise<Cost> {
  const cpu = process.cpuUsage();
  const before = performance.now();
  await run();
  const { user, system } = process.cpuUsage(cpu);
  return { wallUs: ((performance.now() - before) * 1_000) / recipients, cpuUs: (user + system) / recipients };
}

/** Takes turns, so that a busy moment of the machine meets all of them; the first rounds warm up. */
async function compare(
  recipients: number,
  runs: Readonly<Record<string, () => Promise<unknown>>>,
): Promise<Record<string, Cost>> {
  const costs: Record<string, Cost[]> = {};
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    for (const [name, run] of Object.entries(runs)) {
      const measured = await cost(recipients, run);
      if (round >= WARM_UP) costs[name] = [...(costs[name] ?? []), measured];
    }
  }
  return Object.fromEntries(
    Object.entries(costs).map(([name, list]) => [
      name,
      { wallUs: median(list.map(({ wallUs }) => wallUs)), cpuUs: median(list.map(({ cpuUs }) => cpuUs)) },
    ]),
  );
}

/** Runs a task for each item, so many at once: the loop that everybody would write. */
async function each<T>(items: readonly T[], atOnce: number, task: (item: T) => Promise<unknown>): Promise<void> {
  const queue = items[Symbol.iterator]();
  const work = async () => {
    for (const item of queue) await task(item);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}

function rows(
  name: string,
  costs: Readonly<Record<string, Cost>>,
  wanted: { readonly wall: number; readonly cpu: number },
): BenchRow[] {
  const pick = (key: keyof Cost) =>
    Object.fromEntries(Object.entries(costs).map(([peer, value]) => [peer, value[key]]));
  return [
    { name: `${name}, time a recipient`, results: pick('wallUs'), unit: 'us', target: wanted.wall },
    { name: `${name}, CPU a recipient`, results: pick('cpuUs'), unit: 'us', target: Number(wanted.cpu.toFixed(2)) },
  ];
}

async function benchBulk(client: SESv2Client, ours: SesBackend): Promise<BenchRow[]> {
  const to = Array.from({ length: 10_000 }, (_, index) => `user${index}@example.org`);
  const data = to.map((_, index) => ({ name: `User ${index}`, order: index }));
  const mergeData = Object.fromEntries(to.map((address, index) => [address, data[index] ?? {}]));
  const chunks = Array.from({ length: 200 }, (_, index) => index * 50);
  const costs = await compare(to.length, {
    'amsdal-mail': () => ours.sendMessages([{ subject: '', fromEmail: FROM, to, templateId: 'welcome', mergeData }]),
    'AWS SDK': () =>
      each(chunks, SOCKETS, (from) =>
        client.send(
          new SendBulkEmailCommand({
            FromEmailAddress: FROM,
            DefaultContent: { Template: { TemplateName: 'welcome', TemplateData: '{}' } },
            BulkEmailEntries: to.slice(from, from + 50).map((address, index) => ({
              Destination: { ToAddresses: [address] },
              ReplacementEmailContent: {
                ReplacementTemplate: { ReplacementTemplateData: JSON.stringify(data[from + index]) },
              },
            })),
          }),
        ),
      ),
  });
  return rows('bulk of 10,000', costs, { wall: 0.8, cpu: 1 / 0.6 });
}

/** Mails with a file or without, each a request: given as a list, or one by one where `atOnce` is 1. */
async function benchSingle(
  client: SESv2Client,
  ours: SesBackend,
  { name, file, count, atOnce, cpu }: SingleCase,
): Promise<BenchRow[]> {
  const mails = Array.from({ length: count }, (_, index) => ({
    ...{ subject: `Order ${index}`, to: `user${index}@example.org`, fromEmail: FROM, body: BODY },
    attachments: file === null ? [] : [{ filename: 'a.bin', content: file }],
  }));
  const transport = createTransport({ SES: { sesClient: client, SendEmailCommand } });
  const costs = await compare(count, {
    'amsdal-mail': () =>
      atOnce === 1 ? each(mails, 1, (mail) => ours.sendMessages([mail])) : ours.sendMessages(mails),
    'AWS SDK': () =>
      each(mails, atOnce, ({ subject, to }) =>
        client.send(
          new SendEmailCommand({
            FromEmailAddress: FROM,
            Destination: { ToAddresses: [to] },
            Content: { Raw: { Data: rawMail(subject, to, file) } },
          }),
        ),
      ),
    nodemailer: () =>
      each(mails, atOnce, ({ subject, to }) =>
        transport.sendMail({
          ...{ from: FROM, to, subject, text: BODY },
          attachments: file === null ? [] : [{ filename: 'a.bin', content: Buffer.from(file) }],
        }),
      ),
  });
  return rows(name, costs, { wall: 0.8, cpu });
}

/** As somebody would write it who needs no library for that. */
function rawMail(subject: string, to: string, file: Uint8Array | null): Buffer {
  const head = `From: ${FROM}\r\nTo: ${to}\r\nSubject: ${subject}\r\nMIME-Version: 1.0\r\n`;
  const text = `Content-Type: text/plain\r\n\r\n${BODY}\r\n`;
  if (file === null) return Buffer.from(head + text);
  const base64 = Buffer.from(file).toString('base64').replace(/.{76}/g, '$&\r\n');
  const part = 'Content-Type: application/octet-stream; name=a.bin\r\nContent-Transfer-Encoding: base64\r\n';
  const parts = `--x\r\n${text}--x\r\n${part}\r\n${base64}\r\n--x--\r\n`;
  return Buffer.from(`${head}Content-Type: multipart/mixed; boundary=x\r\n\r\n${parts}`);
}

/** Through an account of 1,000 recipients a second. */
async function benchRate(): Promise<void> {
  const { endpoint, child } = await start(1_000);
  const ours = new SesBackend({ ...KEYS, endpoint, region: REGION });
  const to = Array.from({ length: 10_000 }, (_, index) => `user${index}@example.org`);
  const started = performance.now();
  const status = await ours.sendMessages([
    { subject: 'Hi', body: 'x', fromEmail: FROM, to, mergeData: {}, mergeGlobalData: {} },
  ]);
  const seconds = (performance.now() - started) / 1_000;
  const throttled = await (await fetch(`${endpoint}/throttled`)).text();
  const failed = status.getFailedRecipients().length;
  const rate = Math.round(to.length / seconds);
  console.log(`\nan account of 1,000 a second: ${rate} a second, ${failed} failed, ${throttled} requests throttled`);
  await ours.close();
  child.kill();
}

async function main(): Promise<void> {
  const { endpoint, child } = await start(1_000_000_000);
  const agent = { maxSockets: SOCKETS };
  const client = new SESv2Client({
    endpoint,
    region: REGION,
    credentials: { ...KEYS },
    requestHandler: { httpAgent: agent },
  });
  const ours = new SesBackend({ ...KEYS, endpoint, region: REGION, maxConnections: SOCKETS });
  const results = await benchBulk(client, ours);
  for (const single of SINGLE_CASES) results.push(...(await benchSingle(client, ours, single)));
  report('ses', results);
  client.destroy();
  await ours.close();
  child.kill();
  await benchRate();
}

if (process.argv[2] === 'serve') serve(Number(process.argv[3]));
else await main();
