import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mail, settlement } from '../../src/outbox/contract-mails.ts';
import type { MailState, NewMail, OutboxStore } from '../../src/outbox/store.ts';
import { bullmqStore } from '../../src/outbox/stores/bullmq.ts';
import { advance, claim, newName, redisForTests } from './bullmq-subject.ts';

const DAY = 86_400_000;
const HOUR = 3_600_000;

const redis = redisForTests();
let name = '';
let store: OutboxStore;

beforeEach(() => {
  name = newName();
  store = bullmqStore({ connection: redis.client, name });
});

afterEach(() => store.close());

const blob = (hash: string) => ({ hash, bytes: new TextEncoder().encode(hash) });

async function enqueue(...mails: readonly NewMail[]): Promise<readonly string[]> {
  return (await store.enqueue(mails, {})).map(({ id }) => id);
}

/** As people decide, whatever the fence is. */
function decide(id: string, from: MailState, to: MailState, afterMs = 0): Promise<readonly string[]> {
  return store.settle([{ ...settlement({ id, fence: 0 }, to, { afterMs }), fence: null, from: [from] }]);
}

/** Runs work, of which one step finds what `first` has done just before it. */
async function beforeStep<T>(step: string, first: () => Promise<unknown>, work: () => Promise<T>): Promise<T> {
  const command = `amsdalMail:${step}`;
  const run: unknown = Reflect.get(redis.client, command);
  const after = async (...values: readonly unknown[]) => {
    await first();
    return typeof run === 'function' ? run.apply(redis.client, values) : null;
  };
  Object.assign(redis.client, { [command]: after });
  try {
    return await work();
  } finally {
    Object.assign(redis.client, { [command]: run });
  }
}

const claimed = async () => (await claim(store)).map(({ id }) => id);

describe('an order', () => {
  it('begins anew with a mail before the others that is tried again', async () => {
    const [one = '', two = '', three = ''] = await enqueue(...[1, 2, 3].map(() => mail({ orderKey: 'o' })));
    await decide(one, 'queued', 'failed');
    await decide(one, 'failed', 'queued', 1_000);
    expect(await claimed(), 'the first waits, and two behind it').toEqual([]);
    await advance(redis.client, name, 1_001);
    expect(await claimed()).toEqual([one]);
    await decide(one, 'claimed', 'sent');
    expect(await claimed()).toEqual([two]);
    await decide(one, 'sent', 'queued');
    await decide(two, 'claimed', 'queued');
    expect(await claimed(), 'two was under way, and is behind the first again').toEqual([one]);
    await decide(two, 'queued', 'cancelled');
    await decide(one, 'claimed', 'in-doubt');
    expect(await claimed()).toEqual([three]);
  });

  it('goes on with one that is due later when its time has come', async () => {
    const [one = '', two] = await enqueue(mail({ orderKey: 'o' }), mail({ orderKey: 'o', dueAt: Date.now() + 30_000 }));
    await decide(one, 'queued', 'cancelled');
    expect(await claimed()).toEqual([]);
    await advance(redis.client, name, 30_001);
    expect(await claimed()).toEqual([two]);
  });
});

describe('blobs', () => {
  it('are kept once, as long as a mail needs them, and for a day after they were used', async () => {
    const [one = '', two = ''] = await enqueue(mail({ blobs: [blob('b')] }), mail({ blobs: [blob('b')] }));
    const hashes = { hashes: ['b'] };
    for (const id of [one, two]) {
      await advance(redis.client, name, DAY);
      await store.recover(DAY);
      expect(await store.query('blobs', hashes)).toHaveLength(1);
      await store.settle([
        { ...settlement({ id, fence: 0 }, 'sent', { dropsContent: true }), fence: null, from: ['queued'] },
      ]);
    }
    await enqueue(mail({ blobs: [blob('b')] }));
    await store.recover(DAY);
    const [held] = await claim(store);
    if (held === undefined) throw new Error('one was claimed');
    await store.settle([settlement(held, 'sent', { dropsContent: true })]);
    await store.recover(DAY);
    expect(await store.query('blobs', hashes), 'somebody may be about to need it').toHaveLength(1);
    await advance(redis.client, name, DAY + 1);
    await store.recover(DAY);
    expect(await store.query('blobs', hashes)).toEqual([]);
  });

  it('that nobody needed for long are kept once a mail is about to need them', async () => {
    const [id = ''] = await enqueue(mail({ blobs: [blob('f')] }));
    await decide(id, 'queued', 'cancelled');
    await store.settle([
      { ...settlement({ id, fence: 0 }, 'sent', { dropsContent: true }), fence: null, from: ['cancelled'] },
    ]);
    await advance(redis.client, name, 2 * DAY);
    await beforeStep(
      'enqueue',
      () => store.recover(30 * DAY),
      () => enqueue(mail({ blobs: [blob('f')] })),
    );
    expect(await store.query('blobs', { hashes: ['f'] })).toHaveLength(1);
  });

  it('that were lost meanwhile are missed before the mail is written down', async () => {
    await enqueue(mail({ blobs: [blob('c')] }));
    // Redis forgets what it had not written to disk.
    const forget = () => redis.client.hdel(`bull:${name}:outbox:refs`, 'c');
    const writing = beforeStep('enqueue', forget, () => enqueue(mail(), mail({ blobs: [blob('c')] })));
    await expect(writing).rejects.toMatchObject({ retryable: true, outcome: 'not-sent', message: /GONE/ });
    expect(await store.query('list', { limit: 5 })).toHaveLength(1);
  });
});

describe('lists', () => {
  it('have all mails of a state, in order, however many there are', async () => {
    const ids = await enqueue(...Array.from({ length: 6_500 }, (_, place) => mail({ lane: place % 2 ? 'a' : 'b' })));
    await decide(ids[10] ?? '', 'queued', 'failed');
    await decide(ids[6_000] ?? '', 'queued', 'failed');
    const list = async (query: object) => (await store.query('list', { limit: 10_000, ...query })).map(({ id }) => id);
    expect(await list({ state: 'failed' })).toEqual([ids[6_000], ids[10]]);
    expect(await list({ state: 'failed', limit: 1 })).toEqual([ids[6_000]]);
    expect(await list({ state: 'failed', before: ids[6_000] })).toEqual([ids[10]]);
    const queued = ids.toReversed().filter((id) => id !== ids[10] && id !== ids[6_000]);
    expect(await list({ state: 'queued' })).toEqual(queued);
    expect(await list({ lane: 'a', limit: 2, before: ids[2_000] })).toEqual([ids[1_999], ids[1_997]]);
  });

  it('find a text in any case of its letters, of any language', async () => {
    const [one] = await enqueue(
      mail({ facts: '{"subject":"ÄRGER im Büro"}' }),
      ...Array.from({ length: 1_500 }, () => mail()),
    );
    const found = await store.query('list', { limit: 5, text: 'ärger IM bÜRO' });
    expect(found.map(({ id }) => id)).toEqual([one]);
  });
});

describe('the keys of an outbox', () => {
  it('are gone with its mails', async () => {
    await enqueue(
      mail({ key: 'k', orderKey: 'o', messageId: 'm', blobs: [blob('d')] }),
      mail({ orderKey: 'o' }),
      mail({ dueAt: 1 }),
    );
    const held = await claim(store);
    const marked = await store.mark(held.map((each) => ({ ...each, request: 'r', repeatMs: 5 })));
    await store.settle(marked.map((each) => settlement(each, 'sent')));
    const [last] = await claim(store);
    if (last === undefined) throw new Error('the next of the order was claimed');
    await store.settle([settlement(last, 'failed')]);
    await store.take([{ bucket: 'a', perSecond: 1 }], 1);
    await advance(redis.client, name, 2 * DAY);
    expect((await store.recover(DAY)).pruned).toBe(3);
    const keys = (await redis.client.keys(`bull:${name}:*`)).map((key) => key.slice(`bull:${name}:`.length)).sort();
    expect(keys).toEqual(['meta', 'outbox:buckets', 'outbox:lanes', 'outbox:seq', 'outbox:version', 'outbox:wake']);
  });
});

describe('claims', () => {
  it('give a thousand that became due at once, and say that there are more', async () => {
    await enqueue(...Array.from({ length: 1_200 }, () => mail({ dueAt: Date.now() + 60_000 })));
    await advance(redis.client, name, 60_001);
    const request = { lanes: [{ lane: 'a', limit: 2_000 }], limit: 2_000, leaseMs: 60_000 };
    const first = await store.claim(request);
    expect([first.mails.length, first.nextMs]).toEqual([1_000, 0]);
    expect((await store.claim(request)).mails).toHaveLength(200);
  });

  it('end for a worker that was thought dead when its mail goes again', async () => {
    await enqueue(mail({ onDoubt: 'resend' }));
    const asleep = await claim(store);
    await store.mark(asleep);
    await advance(redis.client, name, 60_001);
    expect((await store.recover()).doubtful).toMatchObject([{ state: 'queued', tries: 1 }]);
    const all = ['queued', 'sending'] as const;
    expect(await store.settle(asleep.map((each) => settlement(each, 'sent', { from: all })))).toEqual([]);
    expect(await claimed()).toHaveLength(1);
  });

  it('keep bytes that are no text', async () => {
    const content = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    await enqueue(mail({ content, blobs: [{ hash: 'e', bytes: content }] }));
    const [held] = await claim(store);
    expect(Buffer.from(held?.content ?? []).equals(content)).toBe(true);
    const [kept] = await store.query('blobs', { hashes: ['e'] });
    expect(Buffer.from(kept?.bytes ?? []).equals(content)).toBe(true);
  });
});

it('holds no lane back when the clock of Redis is put back', async () => {
  const rates = [{ bucket: 'bulk', perSecond: 10, perMinute: 10 }];
  expect(await store.take(rates, 10)).toBe(0);
  expect(await store.take(rates, 10)).toBeGreaterThan(0);
  await advance(redis.client, name, -HOUR);
  expect(await store.take(rates, 10)).toBeLessThanOrEqual(60_600);
  await advance(redis.client, name, 60_600);
  expect(await store.take(rates, 10)).toBe(0);
});

it('makes room in a Redis that is full, though a worker has died meanwhile', async () => {
  await store.close();
  store = bullmqStore({ connection: redis.client, name, jobs: false });
  const [ended = ''] = await enqueue(mail(), mail());
  await decide(ended, 'queued', 'sent');
  await claim(store);
  await advance(redis.client, name, HOUR);
  await redis.client.config('SET', 'maxmemory', 1);
  try {
    expect(await store.recover(HOUR - 1)).toMatchObject({ pruned: 1, requeued: [{ state: 'queued' }] });
  } finally {
    await redis.client.config('SET', 'maxmemory', 0);
  }
});
