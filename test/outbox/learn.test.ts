import { describe, expect, it } from 'vitest';
import { OutboxChange } from '../../src/events/outbox-events.ts';
import type { DeliveryEvent } from '../../src/outbox/learn.ts';
import { mail, setUp } from './outbox-set-up.ts';

const ID = 'order-7@example.com';
const event = (type: DeliveryEvent['type'], recipient: string | null = 'jane@example.org'): DeliveryEvent => ({
  ...{ type, recipient, messageId: `<${ID}>` },
});

/** An outbox with a mail whose worker dies while it sends it. */
async function inDoubt(to: string | readonly string[] = 'jane@example.org') {
  const { outbox, store, advance } = setUp();
  const [written] = await outbox.enqueue(mail({ to, messageId: ID }));
  const { mails } = await store.claim({ lanes: [{ lane: 'transactional', limit: 9 }], limit: 9, leaseMs: 60_000 });
  await store.mark(mails);
  const id = written?.id ?? '';
  const die = async () => {
    advance(60_001);
    await store.recover();
  };
  return { outbox, store, id, die, held: mails };
}

describe('an event of delivery', () => {
  it.each([
    ['delivered', 'sent', 'sent'],
    ['sent', 'sent', 'sent'],
    ['opened', 'sent', 'sent'],
    ['complained', 'sent', 'sent'],
    ['queued', 'sent', 'queued'],
    ['deferred', 'sent', 'queued'],
    ['bounced', 'failed', 'failed'],
    ['rejected', 'failed', 'rejected'],
  ] as const)('%s makes a mail in doubt %s', async (type, state, status) => {
    const { outbox, id, die } = await inDoubt();
    await die();
    const told: unknown[] = [];
    const stop = OutboxChange.subscribe((change, next) => {
      told.push([change.id, change.state]);
      return next(change);
    });
    expect(await outbox.learn({ ...event(type, 'Jane@Example.org'), reason: 'as they say' })).toBe(true);
    stop();
    expect(await outbox.get(id)).toMatchObject({
      state,
      recipients: [{ status, isOpen: false, response: 'as they say' }],
      events: [{ what: 'learned', text: `${type} Jane@Example.org as they say` }],
    });
    expect(told).toEqual([[id, state]]);
    expect((await outbox.health()).inDoubt).toBe(0);
  });

  it.each([
    ['of another mail', { ...event('delivered'), messageId: 'other@example.com' }],
    ['without a Message-ID', { ...event('delivered'), messageId: null }],
    ['of somebody else', event('delivered', 'joe@example.org')],
    ['that is not known', event('unknown')],
  ])('%s says nothing', async (_, given) => {
    const { outbox, id, die } = await inDoubt();
    await die();
    expect(await outbox.learn(given)).toBe(false);
    expect(await outbox.get(id)).toMatchObject({ state: 'in-doubt', events: [] });
  });

  it('is about one recipient: the others stay in doubt', async () => {
    const { outbox, id, die } = await inDoubt(['jane@example.org', 'joe@example.org']);
    await die();
    expect(await outbox.learn(event('delivered', null))).toBe(false);
    expect(await outbox.learn(event('delivered'))).toBe(true);
    expect(await outbox.get(id)).toMatchObject({ state: 'in-doubt' });
    expect(await outbox.learn(event('bounced', 'joe@example.org'))).toBe(true);
    expect(await outbox.get(id)).toMatchObject({
      state: 'failed',
      recipients: [{ status: 'sent' }, { status: 'failed' }],
    });
  });

  it('counts once: what was learned first stays', async () => {
    const { outbox, id, die } = await inDoubt(['jane@example.org', 'joe@example.org']);
    await die();
    await outbox.learn(event('bounced'));
    expect(await outbox.learn(event('opened'))).toBe(false);
    expect(await outbox.get(id)).toMatchObject({ recipients: [{ status: 'failed' }, { isOpen: true }] });
  });

  it.each(['sent', 'resend'] as const)('changes nothing that somebody has decided: %s', async (decision) => {
    const { outbox, id, die } = await inDoubt();
    await die();
    await outbox.resolve(id, decision);
    const before = await outbox.get(id);
    expect(await outbox.learn(event('bounced'))).toBe(false);
    expect(await outbox.get(id)).toEqual(before);
  });

  it('that comes before anybody knows that the worker died leaves no doubt', async () => {
    const { outbox, id, die } = await inDoubt();
    expect(await outbox.learn(event('delivered'))).toBe(true);
    await die();
    expect(await outbox.get(id)).toMatchObject({ state: 'sent' });
  });

  it('takes no mail to several from a worker that will know more', async () => {
    const { outbox, store, held, id } = await inDoubt(['jane@example.org', 'joe@example.org']);
    expect(await outbox.learn(event('delivered'))).toBe(false);
    expect(await store.renew(held, 60_000)).toHaveLength(1);
    expect(await outbox.get(id)).toMatchObject({ state: 'sending' });
  });

  it('leaves several mails with one Message-ID in doubt when it may be about each, and settles the one that it names', async () => {
    const { outbox, store, advance } = setUp();
    for (const to of ['jane@example.org', 'jane@example.org', 'joe@example.org'])
      await outbox.enqueue(mail({ to, messageId: ID }));
    const { mails } = await store.claim({ lanes: [{ lane: 'transactional', limit: 9 }], limit: 9, leaseMs: 60_000 });
    await store.mark(mails);
    advance(60_001);
    await store.recover();
    expect(await outbox.learn(event('delivered', null))).toBe(false);
    expect(await outbox.learn(event('delivered'))).toBe(false);
    expect((await outbox.health()).inDoubt).toBe(3);
    expect(await outbox.learn(event('delivered', 'joe@example.org'))).toBe(true);
    expect((await outbox.list({ state: 'sent' })).map(({ recipients }) => recipients[0]?.address)).toEqual([
      'joe@example.org',
    ]);
    expect((await outbox.health()).inDoubt).toBe(2);
  });

  it('that tells of a try before does not fail a mail that is being sent again', async () => {
    const { outbox, store, id, die } = await inDoubt();
    await die();
    await outbox.resolve(id, 'resend');
    const { mails } = await store.claim({ lanes: [{ lane: 'transactional', limit: 9 }], limit: 9, leaseMs: 60_000 });
    await store.mark(mails);
    expect(await outbox.learn(event('bounced'))).toBe(false);
    expect(await outbox.get(id)).toMatchObject({ state: 'sending' });
    await die();
    expect(await outbox.learn(event('delivered'))).toBe(true);
    expect(await outbox.get(id)).toMatchObject({ state: 'sent' });
  });
});
