import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { forgetServers } from '../../src/smtp/session/server-record.ts';
import { ROOT } from '../docs/code-blocks.ts';
import { FAULTS, type Fault, PROVIDERS } from '../wrappers/matrix/providers.ts';
import { HOW } from '../wrappers/matrix/trial.ts';
import { PEERS, type Peer, TO, VERSIONS } from './peers.ts';

/** What became of mails. */
interface Count {
  /** Mails to a recipient. */
  mails: number;
  /** Of these, those that came more than once. */
  doubled: number;
  /** Those that never came, although the call succeeds. */
  missed: number;
}

/** Past which a call is held to hang. */
const HUNG_MS = 30_000;
/** How many providers there are to send over. */
const PLACES = 2;

/** Sends one mail; null where the provider cannot fail so. */
async function count(peer: Peer, kind: string, fault: Fault, how: keyof typeof HOW): Promise<Count | null> {
  const { failing, times } = HOW[how];
  const start = PROVIDERS[kind];
  const starting = Array.from({ length: PLACES }, (_, place) =>
    place < failing ? start?.(fault, times) : start?.(null, 0),
  );
  const started = await Promise.all(starting);
  const providers = started.flatMap((provider) => provider ?? []);
  try {
    if (providers.length < PLACES) return null;
    const login = fault === 'the login is refused' ? { user: 'jane', pass: 'wrong' } : null;
    const places = providers.map(({ port, url }, place) => ({
      ...(port !== undefined && { port }),
      ...(url !== undefined && { url }),
      login: place < failing ? login : null,
    }));
    const giveUp = new AbortController();
    const late = sleep(HUNG_MS, null, { signal: giveUp.signal }).catch(() => null);
    const isSent = await Promise.race([peer(places), late]);
    giveUp.abort();
    if (isSent === null) throw new Error(`after ${HUNG_MS} ms the call has not ended: ${fault}`);
    const got = providers.flatMap((provider) => provider.taken()).flatMap(({ recipients }) => recipients);
    const copies = TO.map((address) => got.filter((each) => each === address).length);
    return {
      mails: TO.length,
      doubled: copies.filter((each) => each > 1).length,
      missed: isSent ? copies.filter((each) => each === 0).length : 0,
    };
  } finally {
    await Promise.all(providers.map(({ connection, close }) => connection.close().then(close)));
    forgetServers();
  }
}

async function countAll(name: string, peer: Peer, kind: string): Promise<Count> {
  const total: Count = { mails: 0, doubled: 0, missed: 0 };
  for (const fault of FAULTS) {
    for (const how of Object.keys(HOW) as (keyof typeof HOW)[]) {
      const counted = await count(peer, kind, fault, how);
      if (counted === null) continue;
      const { mails, doubled, missed } = counted;
      if (doubled + missed > 0)
        console.info(`${name}, ${kind}, ${how}: ${fault}: ${doubled} doubled, ${missed} missed`);
      total.mails += mails;
      total.doubled += doubled;
      total.missed += missed;
    }
  }
  return total;
}

/** What the providers of each column are called on the page. */
const COLUMNS = { smtp: 'SMTP', ses: 'SES', resend: 'Resend', postmark: 'Postmark' } as const;

async function table(): Promise<string> {
  const rows = [['One mail to three, over two providers', ...Object.values(COLUMNS)]];
  rows.push(rows[0]?.map(() => '---') ?? []);
  const counting = Object.entries(PEERS).map(async ([name, kinds]) => {
    const cells = Object.keys(COLUMNS).map(async (kind) => {
      const peer = kinds[kind];
      if (peer === undefined) return '-';
      const { mails, doubled, missed } = await countAll(name, peer, kind);
      return `${doubled} of ${mails}${missed > 0 ? `, and ${missed} lost` : ''}`;
    });
    return [name, ...(await Promise.all(cells))];
  });
  rows.push(...(await Promise.all(counting)));
  return rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

test('docs/resilience.md tells what others do (npm run trial:wrappers -- -u writes it)', {
  timeout: 600_000,
}, async () => {
  const path = `${ROOT}docs/resilience.md`;
  const made = await table();
  console.info(made);
  const page = readFileSync(path, 'utf8');
  for (const version of Object.values(VERSIONS)) expect(page).toContain(version);
  const written = page.replace(
    /<!-- others -->[\s\S]*?<!-- \/others -->/,
    () => `<!-- others -->\n${made}\n<!-- /others -->`,
  );
  expect(written).toContain(made);
  await expect(written).toMatchFileSnapshot(path);
});
