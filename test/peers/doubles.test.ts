import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createMessage, type Transport } from '@upyo/core';
import { PoolTransport } from '@upyo/pool';
import { SmtpTransport } from '@upyo/smtp';
import { createTransport } from 'nodemailer';
import { expect, test } from 'vitest';
import { failover } from '../../src/connection/wrappers.ts';
import { ROOT } from '../docs/code-blocks.ts';
import { FAULTS, type Fault, PROVIDERS, type StandIn } from '../wrappers/matrix/providers.ts';

const FROM = 'shop@example.com';
const TO = ['ann.1@example.org', 'bob.1@example.org', 'cas.1@example.org'];
/** The time that each gives to a try. */
const TIMEOUT_MS = 300;

/** Sends one mail over the first provider, and over the second where that fails; true when it says that the mail was sent. */
type Peer = (providers: readonly StandIn[]) => Promise<boolean>;

const portOf = ({ port }: StandIn): number => port ?? 0;

const PEERS: Readonly<Record<string, Peer>> = {
  'amsdal-mail': async (providers) => {
    const connection = failover(providers.map((provider) => provider.connection));
    const mail = { subject: 'Hi', body: 'Hello.', fromEmail: FROM, to: TO };
    const { isSuccess } = await connection.sendMessages([mail], { failSilently: true });
    return isSuccess;
  },
  [`\`@upyo/pool\` ${versionOf('@upyo/pool')}`]: async (providers) => {
    const transports = providers.map((provider, place) => {
      const transport: Transport = new SmtpTransport({
        host: '127.0.0.1',
        port: portOf(provider),
        secure: false,
        connectionTimeout: TIMEOUT_MS,
        socketTimeout: TIMEOUT_MS,
      });
      return { transport, priority: -place };
    });
    await using pool = new PoolTransport({ strategy: 'priority', transports, timeout: TIMEOUT_MS });
    const { successful } = await pool.send(
      createMessage({ from: FROM, to: TO as `${string}@${string}`[], subject: 'Hi', content: { text: 'Hello.' } }),
    );
    return successful;
  },
  [`\`nodemailer\` ${versionOf('nodemailer')}, in a loop`]: async (providers) => {
    for (const provider of providers) {
      const transport = createTransport({
        host: '127.0.0.1',
        port: portOf(provider),
        ignoreTLS: true,
        socketTimeout: TIMEOUT_MS,
      });
      try {
        await transport.sendMail({ from: FROM, to: TO, subject: 'Hi', text: 'Hello.' });
        return true;
      } catch {
        // the next one
      } finally {
        transport.close();
      }
    }
    return false;
  },
};

function versionOf(name: string): string {
  const { version } = JSON.parse(
    readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url), 'utf8'),
  ) as { version: string };
  return version;
}

/** What became of a mail. */
interface Count {
  /** Recipients who got it twice. */
  doubled: number;
  /** Recipients who got none, although the call succeeds. */
  missed: number;
}

/** Past which a call is held to hang. */
const HUNG_MS = 3_000;

async function count(peer: Peer, fault: Fault): Promise<Count> {
  const started = await Promise.all([
    PROVIDERS['smtp']?.(fault, Number.POSITIVE_INFINITY),
    PROVIDERS['smtp']?.(null, 0),
  ]);
  const providers = started.flatMap((provider) => provider ?? []);
  try {
    const giveUp = new AbortController();
    const late = sleep(HUNG_MS, null, { signal: giveUp.signal }).catch(() => null);
    const isSent = await Promise.race([peer(providers), late]);
    giveUp.abort();
    if (isSent === null) throw new Error(`after ${HUNG_MS} ms the call has not ended: ${fault}`);
    const got = providers.flatMap((provider) => provider.taken()).flatMap(({ recipients }) => recipients);
    const times = TO.map((address) => got.filter((each) => each === address).length);
    return {
      doubled: times.filter((each) => each > 1).length,
      missed: isSent ? times.filter((each) => each === 0).length : 0,
    };
  } finally {
    await Promise.all(providers.map(({ connection, close }) => connection.close().then(close)));
  }
}

test('docs/resilience.md tells what others do (npm run trial:wrappers -- -u writes it)', {
  timeout: 300_000,
}, async () => {
  const rows = [
    '| One mail to three, at each point of failure | Doubled | Got nothing, though the call succeeds |',
    '| --- | --- | --- |',
  ];
  for (const [name, peer] of Object.entries(PEERS)) {
    let calls = 0;
    const total: Count = { doubled: 0, missed: 0 };
    for (const fault of FAULTS) {
      // Not all of them can log in here.
      if (fault === 'the login is refused') continue;
      const { doubled, missed } = await count(peer, fault);
      if (doubled + missed > 0) console.info(`${name}: ${fault}: ${doubled} doubled, ${missed} missed`);
      calls++;
      total.doubled += doubled;
      total.missed += missed;
    }
    rows.push(`| ${name} | ${total.doubled} of ${calls * TO.length} | ${total.missed} |`);
  }
  const path = `${ROOT}docs/resilience.md`;
  const table = rows.join('\n');
  console.info(table);
  const written = readFileSync(path, 'utf8').replace(
    /<!-- others -->[\s\S]*?<!-- \/others -->/,
    () => `<!-- others -->\n${table}\n<!-- /others -->`,
  );
  expect(written).toContain(table);
  await expect(written).toMatchFileSnapshot(path);
});
