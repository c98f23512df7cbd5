import { expect, it } from 'vitest';
import type { Outbox } from '../../src/outbox/outbox.ts';
import type { MailState } from '../../src/outbox/store.ts';
import { mail, setUp } from './outbox-set-up.ts';

it.each<[string, (outbox: Outbox) => Promise<unknown>, RegExp]>([
  ['a state', (outbox) => outbox.list({ state: 'indoubt' as MailState }), /list: state must be one of .*'in-doubt'/],
  ['a limit', (outbox) => outbox.list({ limit: -1 }), /list: limit must be an integer from 0/],
  ['a limit that is none', (outbox) => outbox.list({ limit: Number.NaN }), /list: limit must be an integer from 0/],
  ['a question', (outbox) => outbox.list({ search: 'x' } as object), /list.* 'search'/],
  ['an age', (outbox) => outbox.prune({ olderThanMs: -1 }), /prune: olderThanMs must be an integer of at least 0/],
  ['its name', (outbox) => outbox.prune({ olderThan: 5 } as object), /prune.* 'olderThan'/],
])('%s that there is none of is an error, and no empty answer', async (_, ask, message) => {
  const { outbox } = setUp();
  await expect(ask(outbox)).rejects.toThrow(message);
});

it('a word that is no decision decides nothing', async () => {
  const { outbox, store } = setUp();
  const [{ id } = { id: '' }] = await outbox.enqueue(mail());
  const { mails } = await store.claim({ lanes: [{ lane: 'transactional', limit: 1 }], limit: 1, leaseMs: 1_000 });
  await store.settle(
    mails.map(({ fence }) => ({
      ...{ id, fence, from: ['claimed'], to: 'in-doubt', afterMs: 0, isTried: true, facts: null },
      ...{ keepsRequest: false, dropsContent: false },
    })),
  );
  await expect(outbox.resolve(id, 'Resend' as 'resend')).rejects.toThrow(/must be 'sent', it was, or 'resend'/);
  expect((await outbox.get(id))?.state).toBe('in-doubt');
});
