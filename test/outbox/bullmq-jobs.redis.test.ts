import { Queue } from 'bullmq';
import { describe, expect, it } from 'vitest';
import { mail, settlement } from '../../src/outbox/contract-mails.ts';
import type { MailState, OutboxStore } from '../../src/outbox/store.ts';
import { bullmqStore } from '../../src/outbox/stores/bullmq.ts';
import { advance, claim, newName, redisForTests } from './bullmq-subject.ts';

const redis = redisForTests();

/** A store, and its queue as a dashboard of BullMQ has it. */
async function withQueue(
  work: (store: OutboxStore, queue: Queue, name: string) => Promise<void>,
  jobs = true,
): Promise<void> {
  const name = newName();
  const store = bullmqStore({ connection: redis.client, name, jobs });
  const queue = new Queue(name, { connection: { port: redis.server.port } });
  try {
    await work(store, queue, name);
  } finally {
    await Promise.all([store.close(), queue.close()]);
  }
}

const shown = async (queue: Queue) =>
  Object.fromEntries(Object.entries(await queue.getJobCounts()).filter(([, count]) => count > 0));

describe('the jobs of an outbox in a queue of BullMQ', () => {
  it('are where the mails are', () =>
    withQueue(async (store, queue) => {
      const later = Date.now() + 3_600_000;
      const [one, two, three] = [mail(), mail({ priority: 1 }), mail({ dueAt: later })];
      await store.enqueue([one, two, three], {});
      expect(await shown(queue)).toEqual({ prioritized: 2, delayed: 1 });
      expect((await queue.getJobs(['prioritized'], 0, 10, true)).map((job) => job.id)).toEqual([two.id, one.id]);
      const job = await queue.getJob(one.id);
      expect(job).toMatchObject({ name: 'a', data: JSON.parse(one.facts), timestamp: expect.any(Number) });

      const held = await claim(store);
      expect(await shown(queue)).toEqual({ active: 2, delayed: 1 });
      await store.mark(held);
      expect(await queue.getJob(one.id)).toMatchObject({ processedOn: expect.any(Number) });

      const [first, second] = held;
      if (first === undefined || second === undefined) throw new Error('two were claimed');
      const facts = '{"subject":"sent"}';
      await store.settle([settlement(first, 'sent', { facts }), settlement(second, 'queued', { afterMs: 5_000 })]);
      expect(await shown(queue)).toEqual({ completed: 1, delayed: 2 });
      expect(await (await queue.getJob(first.id))?.getState()).toBe('completed');
      expect(await queue.getJob(first.id)).toMatchObject({ data: { subject: 'sent' }, returnvalue: 'sent' });
      expect(await queue.getJob(second.id)).toMatchObject({ attemptsMade: 1, delay: 5_000 });
    }));

  it.each<[MailState, string]>([
    ['in-doubt', 'in doubt: nobody knows whether it was sent'],
    ['failed', 'failed: nothing more is tried, see the recipients'],
    ['cancelled', 'cancelled'],
  ])('tell why they failed when a mail is %s, and go on when it does', (state, reason) =>
    withQueue(async (store, queue) => {
      await store.enqueue([mail()], {});
      const [held] = await claim(store);
      if (held === undefined) throw new Error('one was claimed');
      await store.settle([settlement(held, state)]);
      expect(await shown(queue)).toEqual({ failed: 1 });
      expect(await queue.getJob(held.id)).toMatchObject({ failedReason: reason });
      await store.settle([{ ...settlement(held, 'queued'), fence: null, from: [state] }]);
      expect(await shown(queue)).toEqual({ prioritized: 1 });
      const again = await queue.getJob(held.id);
      expect([again?.failedReason, again?.finishedOn]).toEqual([undefined, undefined]);
    }),
  );

  it('follow mails that are due, given up by their worker, and deleted', () =>
    withQueue(async (store, queue, name) => {
      const due = mail({ dueAt: Date.now() + 50_000 });
      await store.enqueue([due, mail()], {});
      const held = await claim(store);
      await store.mark(held);
      await advance(redis.client, name, 61_000);
      await claim(store, 0);
      expect(await shown(queue)).toEqual({ active: 1, prioritized: 1 });
      await store.recover();
      expect(await shown(queue)).toEqual({ failed: 1, prioritized: 1 });
      await store.settle(held.map((each) => settlement(each, 'sent')));
      await advance(redis.client, name, 1_000);
      expect((await store.recover(500)).pruned).toBe(1);
      expect(await shown(queue)).toEqual({ prioritized: 1 });
      expect(await queue.getJob(held[0]?.id ?? '')).toBeUndefined();
    }));

  it('are a view: what is done to them does nothing to the mails', () =>
    withQueue(async (store, queue) => {
      const written = mail();
      await store.enqueue([written], {});
      await queue.remove(written.id);
      await queue.obliterate({ force: true });
      const held = await claim(store);
      expect(held).toMatchObject([{ id: written.id, facts: written.facts }]);
      expect(await store.mark(held)).toHaveLength(1);
      expect(await store.settle(held.map((each) => settlement(each, 'sent')))).toEqual([written.id]);
    }));

  it('are none when nobody wants them', () =>
    withQueue(async (store, queue) => {
      await store.enqueue([mail(), mail()], {});
      await store.mark(await claim(store, 1));
      expect(await shown(queue)).toEqual({});
      expect(await redis.client.keys(`bull:${queue.name}:01*`)).toEqual([]);
    }, false));
});
