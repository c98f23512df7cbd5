import assert from 'node:assert/strict';
import { claim, enqueue, idsOf, LEASE, mail, settlement, stateOf } from './contract-mails.ts';
import type { OutboxStore } from './store.ts';

/** A store to be held to the contract, empty. */
export interface OutboxStoreSubject {
  /** The store. */
  readonly store: OutboxStore;
  /** A second one over the same mails, as another process has it; where there can be one. */
  readonly other?: OutboxStore;
  /** Makes so many milliseconds pass on the store's clock. */
  advance(ms: number): void | Promise<void>;
  /** Runs `work` with a transaction of the caller's own, and commits it, or rolls it back where `work` rejects; where there can be one. */
  readonly transaction?: <T>(work: (tx: unknown) => Promise<T>) => Promise<T>;
  /** Frees what it took; the store is closed. */
  readonly close?: () => void | Promise<void>;
}

/** What a case does. */
export type Check = (store: OutboxStore, subject: OutboxStoreSubject) => Promise<void>;

/** What becomes of mails whose worker is gone. */
export const DOUBT_CASES: Readonly<Record<string, Check>> = {
  'takes what was claimed back, and what was being sent into doubt': async (store, { advance }) => {
    const [, sending, resent] = await enqueue(store, mail(), mail(), mail({ onDoubt: 'resend' }));
    const held = await claim(store);
    await store.mark(held.slice(1));
    await advance(LEASE + 1);
    const { requeued, doubtful } = await store.recover();
    assert.deepEqual([idsOf(requeued), idsOf(doubtful).toSorted()], [[held[0]?.id], [sending, resent]]);
    assert.equal(await stateOf(store, sending ?? ''), 'in-doubt');
    assert.equal(await stateOf(store, resent ?? ''), 'queued');
    assert.deepEqual((await store.recover()).doubtful, [], 'once');
    assert.deepEqual(idsOf(await claim(store)).toSorted(), [held[0]?.id, resent].toSorted());
  },
  'takes back what may be asked again, with its request and the time that is left, then into doubt': async (
    store,
    subject,
  ) => {
    const { other = store, advance } = subject;
    const [one, two, plain] = await enqueue(store, mail(), mail(), mail());
    const held = await claim(store);
    assert.deepEqual([held[0]?.request, (await store.query('mail', { id: one ?? '' }))?.request], [null, null]);
    const times = [10 * LEASE, LEASE / 2, 10 * LEASE];
    await store.mark(
      held.map((each, place) => ({ ...each, request: each.id === plain ? null : 'r', repeatMs: times[place] ?? 0 })),
    );
    await advance(LEASE + 1);
    const { doubtful } = await other.recover();
    assert.deepEqual(
      doubtful.map(({ id, state }) => [id, state]).toSorted(),
      [
        [one, 'queued'],
        [plain, 'in-doubt'],
        [two, 'in-doubt'],
      ].toSorted(),
    );
    const [again] = await claim(other);
    assert.ok(again && again.fence > (held[0]?.fence ?? 0), 'under a new fence');
    assert.deepEqual([again.id, again.request, again.tries], [one, 'r', 1]);
    assert.ok(again.repeatMs > 0 && again.repeatMs < 9 * LEASE, String(again.repeatMs));
    assert.equal((await store.query('mail', { id: one ?? '' }))?.request, 'r');
    await other.mark([{ ...again, repeatMs: 100 * LEASE }]);
    for (let passed = 0; passed < 9; passed++) await advance(LEASE);
    assert.deepEqual(
      (await store.recover()).doubtful.map(({ state }) => state),
      ['in-doubt'],
      'the same request keeps its time',
    );
  },
  'finds by its Message-ID what may have been sent, and nothing else': async (store) => {
    const named = () => mail({ messageId: 'a@example.com' });
    const [sent = '', sending, doubtful, asked] = await enqueue(store, named(), named(), named(), named());
    await enqueue(store, named(), mail({ messageId: 'b@example.com' }), mail());
    const held = (await claim(store, 4)).map((each) => ({ ...each, request: each.id === asked ? 'r' : null }));
    const [first, , third, fourth] = held;
    assert.ok(first && third && fourth);
    await store.mark(held);
    await store.settle([
      settlement(first, 'sent'),
      settlement(third, 'in-doubt'),
      settlement(fourth, 'queued', { keepsRequest: true, afterMs: LEASE }),
    ]);
    assert.equal((await store.query('mail', { id: sent }))?.messageId, 'a@example.com');
    const found = await store.query('doubts', { messageId: 'a@example.com' });
    assert.deepEqual(idsOf(found).toSorted(), [sending, doubtful, asked].toSorted());
    assert.deepEqual(await store.query('doubts', { messageId: 'c@example.com' }), []);
  },
  'forgets a request that is not to be asked again': async (store, { advance }) => {
    await enqueue(store, mail(), mail());
    const [one, two] = await claim(store);
    assert.ok(one && two);
    await store.mark([one, two].map((each) => ({ ...each, request: 'r', repeatMs: 10 * LEASE })));
    await store.settle([settlement(one, 'queued', { keepsRequest: true }), settlement(two, 'queued')]);
    const again = await claim(store);
    assert.deepEqual(
      again.map(({ id, request }) => [id, request]),
      [
        [one.id, 'r'],
        [two.id, null],
      ],
    );
    await store.mark(again.map((each) => ({ ...each, request: 'other', repeatMs: 10 * LEASE })));
    await advance(LEASE + 1);
    const { doubtful } = await store.recover();
    assert.deepEqual(
      doubtful.map(({ state, request }) => [state, request]),
      Array(2).fill(['queued', 'other']),
    );
  },
  'takes the word of a worker that was thought dead, as long as nobody else has decided': async (store, subject) => {
    await enqueue(store, mail(), mail());
    const [one, two] = await claim(store);
    assert.ok(one && two);
    await store.mark([one, two]);
    await subject.advance(LEASE + 1);
    await store.recover();
    assert.deepEqual(await store.settle([settlement(one, 'sent')]), [one.id]);
    assert.equal(await stateOf(store, one.id), 'sent');
    await store.settle([{ ...settlement(two, 'queued'), fence: null, from: ['in-doubt'] }]);
    assert.deepEqual(await store.settle([settlement(two, 'sent')]), [], 'somebody has it sent again');
    assert.equal(await stateOf(store, two.id), 'queued');
  },
};
