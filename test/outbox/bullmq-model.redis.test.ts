import { describe, expect, it } from 'vitest';
import { memoryStore } from '../../src/outbox/memory-store.ts';
import type { Held, MailState, NewMail, OutboxStore, Settlement } from '../../src/outbox/store.ts';
import { bullmqStore } from '../../src/outbox/stores/bullmq.ts';
import { advance, newName, redisForTests } from './bullmq-subject.ts';

const HOUR = 3_600_000;
const LANES: readonly [string, ...string[]] = ['a', 'b', 'c'];
const STATES: readonly MailState[] = ['queued', 'claimed', 'sending', 'in-doubt', 'sent', 'failed', 'cancelled'];
const STEPS = 150;

const redis = redisForTests();

/** The same numbers for the same seed. */
class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  below(count: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.#state / 2 ** 32) * count);
  }

  one<T>(values: readonly [T, ...T[]]): T {
    return values[this.below(values.length)] ?? values[0];
  }
}

/** Both stores, with the fences that each of them has given. */
class Pair {
  readonly stores: readonly [OutboxStore, OutboxStore];
  /** By mail, in the order of claims. */
  readonly #fences: readonly [Map<string, number>, Map<string, number>] = [new Map(), new Map()];

  constructor(redis: OutboxStore, model: OutboxStore) {
    this.stores = [redis, model];
  }

  /** What both say, without what may differ. */
  async both<T>(ask: (store: OutboxStore, fenceOf: (id: string) => number) => Promise<T>): Promise<[T, T]> {
    const [redis, model] = this.stores;
    const fences = this.#fences.map((each) => (id: string) => each.get(id) ?? -1);
    return [await ask(redis, fences[0] ?? (() => -1)), await ask(model, fences[1] ?? (() => -1))];
  }

  learn(place: 0 | 1, { id, fence }: Held): void {
    this.#fences[place].set(id, fence);
  }
}

const newMail = (dice: Dice, id: string, at: number): NewMail => ({
  id,
  key: dice.below(4) === 0 ? `k${dice.below(20)}` : null,
  lane: dice.one(LANES),
  priority: dice.below(3),
  orderKey: dice.below(2) === 0 ? `o${dice.below(4)}` : null,
  messageId: `<${dice.below(10)}@example.org>`,
  dueAt: dice.below(3) === 0 ? at + dice.one([HOUR, 3 * HOUR]) : null,
  onDoubt: dice.one(['hold', 'resend']),
  facts: JSON.stringify({ to: id }),
  content: new TextEncoder().encode(id),
  blobs: [],
});

const FROM: readonly [readonly MailState[], ...(readonly (readonly MailState[])[])] = [
  ['claimed', 'sending', 'in-doubt'],
  ['queued'],
  ['queued', 'claimed'],
  ['in-doubt', 'failed'],
];

const settlementOf = (dice: Dice, id: string, fence: number | null): Settlement => ({
  id,
  fence,
  from: dice.one<readonly MailState[]>(FROM),
  to: dice.one(['queued', 'queued', 'sent', 'failed', 'cancelled', 'in-doubt']),
  afterMs: dice.one([0, 0, 2 * HOUR]),
  isTried: dice.below(2) === 0,
  facts: dice.below(2) === 0 ? JSON.stringify({ told: dice.below(100) }) : null,
  keepsRequest: dice.below(2) === 0,
  dropsContent: false,
});

/** All that can be read of a store, but for times of this very second. */
async function told(store: OutboxStore): Promise<unknown> {
  const mails = await store.query('list', { limit: 1_000 });
  const counts = await store.query('counts', {});
  const doubts = await Promise.all(
    Array.from({ length: 10 }, (_, n) => store.query('doubts', { messageId: `<${n}@example.org>` })),
  );
  return {
    mails: mails.map(({ fence: _f, dueAt: _d, createdAt: _c, changedAt: _a, ...mail }) => mail),
    counts: counts.map(({ lane, state, count }) => `${lane} ${state} ${count}`).toSorted(),
    lists: await Promise.all(
      STATES.map(async (state) => (await store.query('list', { state, limit: 1_000 })).map(({ id }) => id)),
    ),
    doubts: doubts.map((each) => each.map(({ id }) => id).toSorted()),
    paused: (await store.query('pauses', {})).map(({ lane }) => lane).toSorted(),
  };
}

/** Every mail is shown as a job, where its state says. */
async function shown(name: string): Promise<readonly string[]> {
  const q = `bull:${name}:`;
  const sets = ['prioritized', 'delayed', 'completed', 'failed'];
  const all = await Promise.all(
    sets.map(async (set) => (await redis.client.zrange(q + set, 0, -1)).map((id) => [id, set])),
  );
  const active = (await redis.client.lrange(`${q}active`, 0, -1)).map((id) => [id, 'active']);
  return [...all.flat(), ...active].map(([id, set]) => `${id} ${set}`).toSorted();
}

const SHOWN: Readonly<Record<MailState, string>> = {
  queued: 'queued',
  claimed: 'active',
  sending: 'active',
  'in-doubt': 'failed',
  sent: 'completed',
  failed: 'failed',
  cancelled: 'failed',
};

describe('the store in Redis, asked at random', () => {
  for (const seed of [1, 2, 3, 4]) {
    it(`does as the one in memory does, with the seed ${seed}`, async () => {
      const dice = new Dice(seed);
      const name = newName();
      let aheadMs = 0;
      const model = memoryStore({ now: () => Date.now() + aheadMs });
      const pair = new Pair(bullmqStore({ connection: redis.client, name }), model);
      const ids: string[] = [];
      const some = (most: number) => Array.from({ length: dice.below(most) + 1 }, () => dice.below(ids.length));
      const idsOf = (places: readonly number[]) => places.map((place) => ids[place] ?? '');
      const steps: Readonly<Record<string, () => Promise<readonly [unknown, unknown]>>> = {
        enqueue: async () => {
          const start = ids.length;
          // The clocks of the two are as far apart as time was moved.
          const template = Array.from({ length: dice.below(6) + 1 }, (_, n) =>
            newMail(dice, `m${String(start + n).padStart(6, '0')}`, 0),
          );
          ids.push(...template.map(({ id }) => id));
          const at = Date.now();
          const mails = (offset: number) =>
            template.map((mail) => ({ ...mail, dueAt: mail.dueAt === null ? null : mail.dueAt + at + offset }));
          const [redis, memory] = pair.stores;
          return [await redis.enqueue(mails(0), {}), await memory.enqueue(mails(aheadMs), {})];
        },
        claim: async () => {
          const lanes = LANES.filter(() => dice.below(3) > 0).map((lane) => ({ lane, limit: dice.below(4) + 1 }));
          const request = { lanes, limit: dice.below(8) + 1, leaseMs: HOUR };
          const [one, two] = await pair.both((store) => store.claim(request));
          for (const mail of one.mails) pair.learn(0, mail);
          for (const mail of two.mails) pair.learn(1, mail);
          const view = (claim: typeof one) =>
            claim.mails.map(({ fence: _f, createdAt: _c, repeatMs: _r, ...mail }) => ({
              ...mail,
              content: new TextDecoder().decode(mail.content),
            }));
          return [view(one), view(two)];
        },
        mark: async () => {
          const chosen = idsOf(some(4)).map((id) => ({ id, request: dice.one([null, 'r1', 'r2']) }));
          const answers = await pair.both((store, fenceOf) =>
            store.mark(chosen.map((each) => ({ ...each, fence: fenceOf(each.id), repeatMs: 2 * HOUR }))),
          );
          return [answers[0].map(({ id }) => id), answers[1].map(({ id }) => id)];
        },
        renew: async () => {
          const chosen = idsOf(some(4));
          const answers = await pair.both((store, fenceOf) =>
            store.renew(
              chosen.map((id) => ({ id, fence: fenceOf(id) })),
              2 * HOUR,
            ),
          );
          return [answers[0].map(({ id }) => id), answers[1].map(({ id }) => id)];
        },
        settle: async () => {
          const chosen = idsOf(some(6)).map((id) => settlementOf(dice, id, dice.below(2) === 0 ? null : 0));
          const pauses =
            dice.below(4) === 0 ? [{ lane: dice.one(['a', 'b']), ms: dice.one([0, 0, 2 * HOUR]), reason: 'r' }] : [];
          return pair.both((store, fenceOf) =>
            store.settle(
              chosen.map((each) => ({ ...each, fence: each.fence === null ? null : fenceOf(each.id) })),
              pauses,
            ),
          );
        },
        recover: async () => {
          const pruneMs = dice.below(3) === 0 ? 5 * HOUR : undefined;
          const answers = await pair.both((store) => store.recover(pruneMs));
          const view = ({ requeued, doubtful, pruned }: (typeof answers)[0]) => ({
            requeued: requeued.map(({ id, state }) => [id, state]).toSorted(),
            doubtful: doubtful.map(({ id, state, tries, request }) => [id, state, tries, request]).toSorted(),
            pruned,
          });
          return [view(answers[0]), view(answers[1])];
        },
        advance: async () => {
          const ms = dice.one([HOUR / 2, HOUR + 60_000]);
          await advance(redis.client, name, ms);
          aheadMs += ms;
          return [null, null];
        },
      };
      const names = ['enqueue', 'claim', 'claim', 'mark', 'mark', 'renew', 'settle', 'settle', 'recover', 'advance'];
      for (let step = 0; step < STEPS; step++) {
        const what = step === 0 ? 'enqueue' : (names[dice.below(names.length)] ?? 'claim');
        const [redis, memory] = (await steps[what]?.()) ?? [];
        expect(redis, `${what}, step ${step}`).toEqual(memory);
        expect(await told(pair.stores[0]), `after ${what}, step ${step}`).toEqual(await told(model));
        const mails = await model.query('list', { limit: 1_000 });
        const jobs = (await shown(name)).map((job) => job.replace(/prioritized|delayed/, 'queued'));
        expect(jobs, `jobs after ${what}, step ${step}`).toEqual(
          mails.map(({ id, state }) => `${id} ${SHOWN[state]}`).toSorted(),
        );
      }
    });
  }
});
