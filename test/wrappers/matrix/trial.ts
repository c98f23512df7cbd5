import type { EmailBackend } from '../../../src/backend/backend.ts';
import type { DummyBackend } from '../../../src/backends/dummy.ts';
import { EmailError } from '../../../src/model/errors.ts';
import type { EmailMessageInit } from '../../../src/model/message-init.ts';
import { isDelivered, type MessageResult, type RecipientStatus } from '../../../src/model/status.ts';
import { forgetServers } from '../../../src/smtp/session/server-record.ts';
import { FAULTS, type Fault, PROVIDERS, type StandIn, type Taken } from './providers.ts';
import { TREES, type Tree } from './trees.ts';

/** Which connections fail, and how often. */
export const HOW = {
  'the first, once': { failing: 1, times: 1 },
  'the first': { failing: 1, times: Number.POSITIVE_INFINITY },
  all: { failing: 3, times: Number.POSITIVE_INFINITY },
} as const;

/** One case of the matrix. */
export interface Case {
  readonly tree: Tree;
  readonly fault: Fault;
  /** The provider of the first connection; those of the others follow it in the list. */
  readonly provider: string;
  readonly how: keyof typeof HOW;
}

const NAMES = ['a', 'b', 'c'] as const;
const KINDS = Object.keys(PROVIDERS);

/** Every case. */
export const CASES: readonly Case[] = TREES.flatMap((tree) =>
  FAULTS.flatMap((fault) =>
    KINDS.flatMap((provider) =>
      (Object.keys(HOW) as (keyof typeof HOW)[]).map((how) => ({ tree, fault, provider, how })),
    ),
  ),
);

const base = { subject: 'Matrix', body: 'Hello.', fromEmail: 'shop@example.com' };
const at = (mail: number, ...names: readonly string[]) => names.map((name) => `${name}.${mail}@example.org`);
/** Calls, the first two at once; no recipient is in two mails. */
const CALLS: readonly (readonly EmailMessageInit[])[] = [
  [
    { ...base, to: at(1, 'ann', 'bob'), cc: at(1, 'cas') },
    { ...base, to: at(5, 'dan') },
  ],
  [{ ...base, to: at(2, 'bob'), bcc: at(2, 'eve') }],
  [
    { ...base, to: at(3, 'ann'), cc: at(3, 'bob') },
    { ...base, to: at(4, 'bob') },
  ],
];

/** What became of a case. */
export interface Verdict {
  readonly contradictions: readonly string[];
  /** What was sent, tried and got, for whoever looks into a contradiction. */
  readonly story: string;
}

/** Plays a case, and holds what was told against what providers took. */
export async function play({ tree, fault, provider, how }: Case): Promise<Verdict | null> {
  const { failing, times } = HOW[how];
  const from = KINDS.indexOf(provider);
  const kinds = NAMES.map((_, place) => KINDS[(from + place) % KINDS.length] ?? '');
  const starting = kinds.map(async (kind, place) => {
    const start = PROVIDERS[kind] as (typeof PROVIDERS)[string]; // of that list
    const failed = place < failing ? await start(fault, times) : null;
    return { standIn: failed ?? (await start(null, 0)), fails: failed !== null };
  });
  const started = await Promise.all(starting);
  const standIns = started.map(({ standIn }) => standIn as StandIn); // without a fault there is one
  const parts = standIns.map(({ connection }, place) => {
    const name = NAMES[place] ?? '';
    return { text: name, name, connection };
  });
  const copies: DummyBackend[] = [];
  const backend = tree.make(parts, copies);
  try {
    if (!started[0]?.fails) return null; // the provider cannot fail so
    const [first = [], second = [], third = []] = CALLS;
    const results = (await Promise.all([send(backend, first), send(backend, second)])).flat();
    results.push(...(await send(backend, third)));
    await backend.close(); // it waits for copies
    const taken = standIns.map((standIn) => standIn.taken());
    const copied = copies.map(takenBy);
    const contradictions = [...judge(results, taken, copied), ...judgeCopies(tree, results, copied)];
    return { contradictions, story: storyOf(kinds, results, taken, copied) };
  } finally {
    await backend.close();
    await Promise.all(standIns.map(({ connection, close }) => connection.close().then(close)));
    forgetServers();
  }
}

async function send(backend: EmailBackend, mails: readonly EmailMessageInit[]): Promise<readonly MessageResult[]> {
  try {
    return (await backend.sendMessages(mails, { failSilently: true })).results;
  } catch (error) {
    if (error instanceof EmailError && error.status) return error.status.results;
    throw error;
  }
}

type TakenBy = readonly (readonly Taken[])[];

function takenBy({ messages }: DummyBackend): readonly Taken[] {
  return messages.map(({ recipients, messageId }) => ({
    recipients: recipients.map(({ address }) => address),
    messageId,
  }));
}

function* judge(results: readonly MessageResult[], taken: TakenBy, copied: TakenBy): Generator<string> {
  const mails = CALLS.flat();
  if (results.length !== mails.length) yield `${mails.length} mails have ${results.length} results`;
  for (const [place, result] of results.entries()) {
    const mail = mails[place];
    const expected = [mail?.to ?? [], mail?.cc ?? [], mail?.bcc ?? []].flat();
    const told = [...result.recipients.keys()];
    if (told.join() !== expected.join()) yield `statuses are told of ${told.join()}, not of ${expected.join()}`;
    for (const status of result.recipients.values()) yield* judgeRecipient(status, taken);
    yield* judgeIds(told, [...taken, ...copied]);
  }
}

function* judgeRecipient(told: RecipientStatus, taken: TakenBy): Generator<string> {
  const { address, status, tries = [], error, retryable } = told;
  const takers = taken.flatMap((mails, place) =>
    mails.flatMap(({ recipients }) => recipients.filter((each) => each === address).map(() => NAMES[place] ?? '')),
  );
  const fault = (text: string) =>
    `${address} is ${status} via ${told.via} (${text}), taken by: ${takers.join() || '-'}`;
  const via = told.via?.split('/').at(-1);
  if (isDelivered(told) && takers.length !== 1) yield fault('must be taken once');
  else if (status === 'unknown' && takers.length > 1) yield fault('must be taken once at most');
  else if (!isDelivered(told) && status !== 'unknown' && takers.length > 0) yield fault('must not be taken');
  if (takers.length === 1 && takers[0] !== via) yield fault('another connection took it');
  if (status === 'unknown' && retryable) yield fault('invites to send it again');
  if (!isDelivered(told) && error === null) yield fault('has no error');
  const last = tries.at(-1);
  if (last?.status !== status || last.via !== told.via) yield fault('is not what the last try told');
  const before = tries.slice(0, -1).map((each) => each.status);
  if (before.some((each) => /sent|queued|unknown|invalid/.test(each))) yield fault(`was tried after ${before.join()}`);
}

/** A mirror copies, once, what went through it and was or may have been sent. */
function* judgeCopies({ mirrors }: Tree, results: readonly MessageResult[], copied: TakenBy): Generator<string> {
  if (copied.length !== mirrors.length) yield `${mirrors.length} mirrors copy to ${copied.length} places`;
  for (const [mirror, place] of mirrors.entries()) {
    const got = (copied[mirror] ?? []).flatMap(({ recipients }) => recipients);
    for (const { address, tries = [] } of results.flatMap(({ recipients }) => [...recipients.values()])) {
      const own = tries.filter(({ via }) => place === '' || via.split('/').includes(place));
      const isReached = own.some(({ status }) => /sent|queued|unknown/.test(status));
      const copies = got.filter((each) => each === address).length;
      if (copies !== (isReached ? 1 : 0))
        yield `${address} has ${copies} copies of mirror ${mirror} where it was ${own.map((each) => each.status).join() || 'not tried'}`;
    }
  }
}

/** Whoever got a Message-ID got the same. */
function* judgeIds(addresses: readonly string[], taken: TakenBy): Generator<string> {
  const mails = taken.flat().filter(({ recipients }) => recipients.some((each) => addresses.includes(each)));
  const ids = new Set(mails.flatMap(({ messageId }) => messageId ?? []));
  if (ids.size > 1) yield `the mail to ${addresses.join()} went under ${[...ids].join(' and ')}`;
  const strangers = mails.flatMap(({ recipients }) => recipients).filter((each) => !addresses.includes(each));
  if (strangers.length > 0) yield `the mail to ${addresses.join()} went to ${strangers.join()}, too`;
}

function storyOf(kinds: readonly string[], results: readonly MessageResult[], taken: TakenBy, copied: TakenBy): string {
  const listed = (mails: readonly Taken[] = []) =>
    mails.map(({ recipients, messageId }) => `${messageId} to ${recipients.join(' ')}`).join('; ');
  const lines = NAMES.map((name, place) => `${name} is ${kinds[place]}, and took: ${listed(taken[place])}`);
  lines.push(...copied.map((mails, mirror) => `mirror ${mirror} copied: ${listed(mails)}`));
  const told = results.flatMap(({ recipients }) =>
    [...recipients.values()].map(({ address, status, code, via, tries = [] }) => {
      const all = tries.map((each) => `${each.via} ${each.status} ${each.code}`).join(', ');
      return `${address}: ${status} ${code} via ${via} (${all})`;
    }),
  );
  return [...lines, ...told].join('\n');
}
