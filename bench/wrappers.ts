// What a wrapper costs a mail that goes well, over connections that cost nothing themselves: npm run bench:wrappers
import type { EmailBackend } from '../src/backend/backend.ts';
import { DummyBackend } from '../src/backends/dummy.ts';
import { EmailMessage } from '../src/model/message.ts';
import { FailoverBackend } from '../src/wrappers/failover.ts';
import { MirrorBackend } from '../src/wrappers/mirror.ts';
import { RateLimitBackend } from '../src/wrappers/rate-limit.ts';
import { RetryBackend } from '../src/wrappers/retry.ts';
import { RoundRobinBackend } from '../src/wrappers/round-robin.ts';
import { RouteBackend } from '../src/wrappers/route.ts';
import { WeightedBackend } from '../src/wrappers/weighted.ts';
import { type BenchRow, median, report } from './report.ts';

const ROUNDS = 21;
const MAILS = 20_000;
/** What a wrapper may cost, in microseconds a mail. */
const MOST_US = 2;

const message = new EmailMessage({ subject: 's', body: 'b', fromEmail: 'a@example.com', to: 'b@example.org' });
const list = new Array<EmailMessage>(MAILS).fill(message);

const dummy = new DummyBackend();
const spare = new DummyBackend();
const connections = [dummy, spare];
const SUBJECTS: Readonly<Record<string, EmailBackend>> = {
  'no wrapper': dummy,
  failover: new FailoverBackend({ connections }),
  'round-robin': new RoundRobinBackend({ connections }),
  weighted: new WeightedBackend({ connections, weights: [1, 1] }),
  mirror: new MirrorBackend({ connections: [dummy, spare] }),
  route: new RouteBackend({ connections, choose: () => dummy }),
  retry: new RetryBackend({ connections: [dummy] }),
  'rate-limit': new RateLimitBackend({ connections: [dummy], perSecond: 1_000_000_000, perDay: 1_000_000_000 }),
  'failover in failover': new FailoverBackend({ connections: [new FailoverBackend({ connections }), spare] }),
};

async function oneByOne(backend: EmailBackend): Promise<void> {
  for (let turn = 0; turn < MAILS; turn++) await backend.sendMessages([message]);
}

async function atOnce(backend: EmailBackend): Promise<void> {
  await backend.sendMessages(list);
}

/** CPU a mail of each, in microseconds, by rounds that take turns, as the machine is not alike at all times. */
async function measure(send: (backend: EmailBackend) => Promise<void>): Promise<ReadonlyMap<string, number>> {
  const rounds = new Map<string, number[]>();
  for (let round = -2; round < ROUNDS; round++) {
    for (const [name, backend] of Object.entries(SUBJECTS)) {
      const start = process.cpuUsage();
      await send(backend);
      const { user, system } = process.cpuUsage(start);
      if (round >= 0) rounds.set(name, [...(rounds.get(name) ?? []), (user + system) / MAILS]);
    }
  }
  return new Map([...rounds].map(([name, all]) => [name, median(all)]));
}

const rows: BenchRow[] = [];
const costs = { 'each awaited': await measure(oneByOne), 'in one call': await measure(atOnce) };
for (const [how, cost] of Object.entries(costs)) {
  const bare = cost.get('no wrapper') ?? 0;
  for (const [name, us] of cost) {
    rows.push({ name: `${name}, ${how}`, results: { 'amsdal-mail': us }, unit: 'us' });
    if (name === 'no wrapper') continue;
    rows.push({ name: `${name}, ${how}: added`, results: { 'amsdal-mail': us - bare }, unit: 'us' });
    if (name !== 'mirror') continue;
    // It sends every mail twice.
    rows.push({ name: `${name}, ${how}: added to two mails`, results: { 'amsdal-mail': us - 2 * bare }, unit: 'us' });
  }
}
report('wrappers', rows);
console.log(`(wanted: a wrapper adds at most ${MOST_US} us to a mail, mirror to the mail and its copy)`);
