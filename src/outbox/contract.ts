import assert from 'node:assert/strict';
import { type Check, DOUBT_CASES, type OutboxStoreSubject } from './contract-doubt.ts';
import { claim, enqueue, idsOf, LEASE, mail, settlement, stateOf } from './contract-mails.ts';
import { RATE_CASES } from './contract-rates.ts';
import type { Held, Settlement } from './store.ts';

export type { OutboxStoreSubject } from './contract-doubt.ts';

/** One case of the contract. */
export interface OutboxStoreCase {
  /** What must hold, in words. */
  readonly name: string;
  /** @throws {AssertionError} when it does not hold. */
  run(): Promise<void>;
}

/**
 * What outboxes rely on, as cases, independent of a test runner.
 *
 * @param make makes an empty store; called once per case.
 */
export function outboxStoreContract(
  make: () => OutboxStoreSubject | Promise<OutboxStoreSubject>,
): readonly OutboxStoreCase[] {
  return Object.entries(CASES).map(([name, check]) => ({
    name,
    run: async () => {
      const subject = await make();
      try {
        await check(subject.store, subject);
      } finally {
        await subject.other?.close();
        await subject.store.close();
        await subject.close?.();
      }
    },
  }));
}

const CASES: Readonly<Record<string, Check>> = {
  'keeps a mail as it was written down': async (store) => {
    const bytes = new TextEncoder().encode('a blob, 2 €, \0');
    const written = mail({
      ...{ key: 'key', priority: -3, orderKey: 'order', onDoubt: 'resend', facts: '{"subject":"Grüße, 2 € 👋"}' },
      blobs: [{ hash: 'f00', bytes }],
    });
    assert.deepEqual(await store.enqueue([written], {}), [{ id: written.id, isDuplicate: false }]);
    const { content, blobs: _, dueAt: __, ...same } = written;
    const stored = await store.query('mail', { id: written.id });
    assert.ok(stored);
    const { dueAt, createdAt, changedAt, fence: ___, ...rest } = stored;
    assert.deepEqual(rest, { ...same, state: 'queued', tries: 0, request: null });
    assert.ok(dueAt === createdAt && createdAt === changedAt, `${dueAt}, ${createdAt}, ${changedAt}`);
    const found = await store.query('blobs', { hashes: ['f00', 'absent'] });
    assert.deepEqual(
      found.map(({ hash, bytes: each }) => [hash, Buffer.from(each).toString()]),
      [['f00', Buffer.from(bytes).toString()]],
    );
    const read = await store.query('content', { id: written.id });
    assert.equal(Buffer.from(read ?? []).toString(), Buffer.from(content).toString());
    const [claimed] = await claim(store);
    assert.equal(claimed?.facts, written.facts);
    assert.equal(Buffer.from(claimed?.content ?? []).toString(), Buffer.from(content).toString());
  },
  'knows nothing of what was never written down': async (store) => {
    assert.equal(await store.query('mail', { id: 'none' }), null);
    assert.equal(await store.query('content', { id: 'none' }), null);
    assert.deepEqual(await store.settle([settlement({ id: 'none', fence: 1 }, 'sent')]), []);
    assert.deepEqual(await store.mark([{ id: 'none', fence: 1, request: null, repeatMs: 0 }]), []);
    assert.deepEqual(await claim(store), []);
  },
  'writes down one mail of a key': async (store, { other = store }) => {
    const mails = Array.from({ length: 20 }, () => mail({ key: 'order-7' }));
    const [first, ...rest] = await Promise.all(
      mails.map((each, place) => (place % 2 ? other : store).enqueue([each, mail()], {})),
    );
    const all = [first, ...rest].flatMap((each) => each?.[0] ?? []);
    assert.equal(all.filter(({ isDuplicate }) => !isDuplicate).length, 1);
    assert.equal(new Set(idsOf(all)).size, 1, 'all are told of the same mail');
    assert.equal((await claim(store, 100)).length, 21);
  },
  'writes down one mail of a key that is twice in a list': async (store) => {
    const [one, two] = [mail({ key: 'k' }), mail({ key: 'k' })];
    assert.deepEqual(await store.enqueue([one, two], {}), [
      { id: one.id, isDuplicate: false },
      { id: one.id, isDuplicate: true },
    ]);
  },
  'gives a mail to one worker': async (store, { other = store }) => {
    await enqueue(store, ...Array.from({ length: 200 }, () => mail()));
    const workers = Array.from({ length: 8 }, (_, place) => (place % 2 ? other : store));
    const claims = await Promise.all(workers.map((each) => claim(each, 40)));
    const ids = claims.flatMap(idsOf);
    assert.equal(new Set(ids).size, ids.length, 'no id twice');
    const left = await claim(store, 300);
    assert.equal(ids.length + left.length, 200);
  },
  'gives the earlier mail first, and one of higher priority before it': async (store) => {
    const [one, two, three] = await enqueue(store, mail(), mail(), mail({ priority: 1 }));
    assert.deepEqual(idsOf(await claim(store, 2)), [three, one]);
    assert.deepEqual(idsOf(await claim(store)), [two]);
  },
  'gives no more of a lane than was asked for while others have any, then what is left over': async (store) => {
    await enqueue(store, ...Array.from({ length: 10 }, () => mail()), mail({ lane: 'b' }), mail({ lane: 'c' }));
    const lanes = [
      { lane: 'a', limit: 3 },
      { lane: 'b', limit: 3 },
    ];
    const { mails } = await store.claim({ lanes, limit: 6, leaseMs: LEASE });
    assert.deepEqual(mails.map(({ lane }) => lane).toSorted(), ['a', 'a', 'a', 'a', 'a', 'b']);
  },
  'gives nothing before its time, and says when that is': async (store, { advance }) => {
    const stored = await store.enqueue([mail()], {});
    const createdAt = (await store.query('mail', { id: stored[0]?.id ?? '' }))?.createdAt ?? 0;
    await claim(store);
    const [later] = await enqueue(store, mail({ dueAt: createdAt + 60_000 }));
    const early = await store.claim({ lanes: [{ lane: 'a', limit: 1 }], limit: 1, leaseMs: LEASE });
    assert.deepEqual(early.mails, []);
    assert.ok(early.nextMs !== null && early.nextMs > 50_000 && early.nextMs <= 60_000, `${early.nextMs}`);
    await advance(60_001);
    assert.deepEqual(idsOf(await claim(store)), [later]);
  },
  'gives of several with one order key the first alone, until nothing more is tried for it': async (store) => {
    const [one, two] = await enqueue(store, mail({ orderKey: 'o' }), mail({ orderKey: 'o', priority: 9 }), mail());
    const first = await claim(store);
    assert.equal(first.length, 2);
    const held = first.find(({ id }) => id === one);
    assert.ok(held, 'the first of the order');
    await store.settle([settlement(held, 'queued', { afterMs: LEASE })]);
    assert.deepEqual(await claim(store), [], 'the first waits for another try');
    await store.settle([{ ...settlement(held, 'cancelled'), fence: null, from: ['queued'] }]);
    assert.deepEqual(idsOf(await claim(store)), [two]);
  },
  'lets the next of an order go when the one before it is in doubt': async (store) => {
    const [, two] = await enqueue(store, mail({ orderKey: 'o' }), mail({ orderKey: 'o' }));
    const held = await claim(store);
    await store.mark(held);
    await store.settle(held.map((each) => settlement(each, 'in-doubt')));
    assert.deepEqual(idsOf(await claim(store)), [two]);
  },
  'marks what is still held, once': async (store) => {
    await enqueue(store, mail(), mail());
    const held = await claim(store);
    assert.deepEqual(idsOf(await store.mark(held)), idsOf(held));
    assert.equal(await stateOf(store, held[0]?.id ?? ''), 'sending');
    assert.deepEqual(await store.mark(held), [], 'it is being sent already');
  },
  'marks nothing of which the lease has run out': async (store, { advance }) => {
    await enqueue(store, mail());
    const held = await claim(store);
    await advance(LEASE + 1);
    assert.deepEqual(await store.mark(held), []);
  },
  'marks nothing that another worker has by now': async (store, { advance, other = store }) => {
    await enqueue(store, mail());
    const asleep = await claim(store);
    await advance(LEASE + 1);
    await other.recover();
    const held = await claim(other);
    assert.deepEqual(idsOf(held), idsOf(asleep));
    assert.deepEqual(await store.mark(asleep), []);
    assert.deepEqual(idsOf(await other.mark(held)), idsOf(held));
  },
  'renews what is held, and nothing else': async (store, { advance }) => {
    await enqueue(store, mail(), mail());
    const held = await claim(store);
    const [first, second] = held;
    assert.ok(first && second);
    await store.mark([second]);
    await advance(LEASE - 1_000);
    assert.deepEqual(idsOf(await store.renew([...held, { id: first.id, fence: first.fence + 1 }], LEASE)), idsOf(held));
    await advance(LEASE - 1_000);
    const { requeued, doubtful } = await store.recover();
    assert.deepEqual([requeued, doubtful], [[], []]);
    assert.deepEqual(idsOf(await store.mark([first])), [first.id]);
    await store.settle([settlement(first, 'sent')]);
    assert.deepEqual(idsOf(await store.renew(held, LEASE)), [second.id]);
  },
  ...DOUBT_CASES,
  'settles once, with facts and tries': async (store) => {
    const [id = ''] = await enqueue(store, mail());
    const [held] = await claim(store);
    assert.ok(held);
    await store.mark([held]);
    assert.deepEqual(await store.settle([settlement(held, 'sent', { facts: '{"new":1}', dropsContent: true })]), [id]);
    assert.deepEqual(await store.settle([settlement(held, 'failed')]), []);
    const stored = await store.query('mail', { id });
    assert.deepEqual([stored?.state, stored?.facts, stored?.tries], ['sent', '{"new":1}', 1]);
    assert.equal(await store.query('content', { id }), null);
  },
  'lets a mail go again after the time that was said': async (store, { advance }) => {
    await enqueue(store, mail());
    const [held] = await claim(store);
    assert.ok(held);
    await store.mark([held]);
    await store.settle([settlement(held, 'queued', { afterMs: 5_000 })]);
    assert.deepEqual(await claim(store), []);
    await advance(5_001);
    const [again] = await claim(store);
    assert.deepEqual([again?.id, again?.tries], [held.id, 1]);
    assert.ok(again && again.fence > held.fence, 'under a new fence');
  },
  'cancels what nobody has, and nothing else': async (store) => {
    const [one = '', two = ''] = await enqueue(store, mail(), mail());
    await claim(store, 1);
    const cancel = (id: string): Settlement => ({
      ...settlement({ id, fence: 0 }, 'cancelled', { isTried: false }),
      fence: null,
      from: ['queued'],
    });
    assert.deepEqual(await store.settle([cancel(one), cancel(two)]), [two]);
    assert.deepEqual([await stateOf(store, one), await stateOf(store, two)], ['claimed', 'cancelled']);
    assert.deepEqual(await claim(store), []);
  },
  'changes nothing that has changed since it was read': async (store) => {
    const [id = ''] = await enqueue(store, mail());
    const read = await store.query('mail', { id });
    const [held] = await claim(store);
    assert.ok(read && held);
    assert.equal((await store.query('mail', { id }))?.fence, held.fence);
    await store.settle([settlement(held, 'queued')]);
    const cancel = ({ fence }: Pick<Held, 'fence'>) =>
      settlement({ id, fence }, 'cancelled', { from: ['queued'], isTried: false });
    assert.deepEqual(await store.settle([cancel(read)]), []);
    const now = await store.query('mail', { id });
    assert.ok(now);
    assert.deepEqual(await store.settle([cancel(now)]), [id]);
  },
  'gives nothing of a paused lane, then a single mail, and all once it is let go': async (store, { advance }) => {
    await enqueue(store, ...Array.from({ length: 5 }, () => mail()), mail({ lane: 'b' }));
    const [held] = await claim(store, 1, ['a']);
    assert.ok(held && !held.isProbe);
    await store.settle(
      [settlement(held, 'queued', { isTried: false })],
      [{ lane: 'a', ms: 30_000, reason: 'the password is wrong' }],
    );
    assert.deepEqual(
      (await claim(store)).map(({ lane }) => lane),
      ['b'],
    );
    const [pause] = await store.query('pauses', {});
    assert.ok(pause && pause.ms > 0 && pause.ms <= 30_000, String(pause?.ms));
    assert.deepEqual([pause.lane, pause.reason], ['a', 'the password is wrong']);
    await advance(30_001);
    const [probe, ...more] = await claim(store);
    assert.deepEqual([probe?.isProbe, more.length], [true, 0]);
    assert.deepEqual(await claim(store), [], 'until it is known what became of that one');
    assert.ok(probe);
    await store.settle([settlement(probe, 'sent')], [{ lane: 'a', ms: 0, reason: '' }]);
    assert.equal((await claim(store)).length, 4);
    assert.deepEqual(await store.query('pauses', {}), []);
  },
  'lists by state, lane and text, newest first, in pages': async (store) => {
    const ids = await enqueue(store, mail(), mail({ lane: 'b', facts: '{"subject":"Invoice 7_%"}' }), mail(), mail());
    const [held] = await claim(store, 1);
    assert.ok(held);
    const list = async (query: object) => idsOf(await store.query('list', { limit: 10, ...query }));
    assert.deepEqual(await list({}), ids.toReversed());
    assert.deepEqual(await list({ state: 'claimed' }), [ids[0]]);
    assert.deepEqual(await list({ lane: 'b' }), [ids[1]]);
    assert.deepEqual(await list({ text: 'iNVOICE 7_%' }), [ids[1]]);
    assert.deepEqual(await list({ text: 'e_7' }), []);
    assert.deepEqual(await list({ text: 'subject' }), [], 'it is the name of what is told, and in no text');
    assert.deepEqual(await list({ limit: 2 }), [ids[3], ids[2]]);
    assert.deepEqual(await list({ limit: 2, before: ids[2] }), [ids[1], ids[0]]);
  },
  'counts by lane and state': async (store, { advance }) => {
    await enqueue(store, mail(), mail(), mail({ lane: 'b' }));
    await advance(1_000);
    await claim(store, 1, ['a']);
    await enqueue(store, mail({ lane: 'c' }), mail({ lane: 'c', dueAt: Date.now() + 3_600_000 }));
    await store.settle((await claim(store, 1, ['c'])).map((held) => settlement(held, 'failed')));
    const counts = await store.query('counts', {});
    const shown = counts.map(({ lane, state, count: each }) => `${lane} ${state} ${each}`).toSorted();
    assert.deepEqual(shown, ['a claimed 1', 'a queued 1', 'b queued 1', 'c failed 1', 'c queued 1']);
    const oldest = new Map(counts.map(({ lane, state, oldestMs }) => [`${lane} ${state}`, oldestMs]));
    const [due = 0, later = 0] = [oldest.get('a queued'), oldest.get('c queued')];
    assert.ok(due !== null && due >= 1_000 && due < 60_000, String(due));
    assert.ok(later !== null && later < 0, String(later));
    assert.equal(oldest.get('c failed'), null);
  },
  'deletes what was ended long ago, its key and what it alone needed': async (store, { advance }) => {
    const shared = { hash: 'shared', bytes: new Uint8Array([1]) };
    const ids = await enqueue(
      ...([store] as const),
      mail({ key: 'k', blobs: [shared, { hash: 'own', bytes: new Uint8Array([2]) }] }),
      mail({ blobs: [shared] }),
    );
    const [held] = await claim(store, 1);
    assert.ok(held);
    await store.settle([settlement(held, 'sent')]);
    assert.equal((await store.recover(LEASE)).pruned, 0);
    await advance(48 * 3_600_000);
    assert.equal((await store.recover(LEASE)).pruned, 1);
    assert.equal(await store.query('mail', { id: ids[0] ?? '' }), null);
    assert.deepEqual(
      (await store.query('blobs', { hashes: ['own', 'shared'] })).map(({ hash }) => hash),
      ['shared'],
    );
    assert.deepEqual((await store.enqueue([mail({ key: 'k' })], {}))[0]?.isDuplicate, false);
  },
  ...RATE_CASES,
  'wakes who waits when there is something to claim': async (store) => {
    let woken = 0;
    store.wakers.add(() => void woken++);
    await enqueue(store, mail());
    assert.ok(woken > 0 || store.pollMs !== null);
  },
  'writes down in the transaction of its caller, or not at all': async (store, { transaction }) => {
    if (transaction === undefined) {
      await assert.rejects(store.enqueue([mail()], { tx: {} }), { code: 'invalid-option' });
      return;
    }
    const [kept, lost] = [mail(), mail()];
    await transaction((tx) => store.enqueue([kept], { tx }));
    const failing = transaction(async (tx) => {
      await store.enqueue([lost], { tx });
      throw new Error('rolled back');
    });
    await assert.rejects(failing, { message: 'rolled back' });
    assert.equal(await stateOf(store, kept.id), 'queued');
    assert.equal(await store.query('mail', { id: lost.id }), null);
  },
};
