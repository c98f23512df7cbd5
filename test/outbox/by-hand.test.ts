import { describe, expect, it } from 'vitest';
import { EmailConnectionError } from '../../src/model/errors.ts';
import { HOUR, mail, setUp } from './outbox-set-up.ts';

describe('a mail that has failed, and is sent by hand', () => {
  it('is not in doubt when the password is wrong then, and goes once it is right', async () => {
    const { outbox, dummy, advance } = setUp({ retry: { delaysMs: [] } });
    dummy.failNext(new EmailConnectionError('refused', 'nobody listens', { retryable: true }));
    const [{ id } = { id: '' }] = await outbox.enqueue(mail());
    await outbox.flush();
    expect((await outbox.get(id))?.state).toBe('failed');
    await outbox.retry(id);
    dummy.failNext(new EmailConnectionError('auth', 'wrong password'));
    await outbox.flush();
    expect((await outbox.get(id))?.state).toBe('queued');
    advance(HOUR);
    await outbox.flush();
    expect(await outbox.get(id)).toMatchObject({ state: 'sent', recipients: [{ status: 'sent' }] });
  });

  it('is held again when the worker dies with it then, though it may be doubled', async () => {
    const { outbox, dummy, store, advance } = setUp({ onDoubt: 'resend', retry: { delaysMs: [] } });
    dummy.failNext(new EmailConnectionError('refused', 'nobody listens', { retryable: true }));
    const [{ id } = { id: '' }] = await outbox.enqueue(mail());
    await outbox.flush();
    await outbox.retry(id);
    const { mails } = await store.claim({ lanes: [{ lane: 'transactional', limit: 1 }], limit: 1, leaseMs: 1_000 });
    await store.mark(mails);
    advance(1_001);
    expect(await outbox.flush()).toMatchObject({ sent: 0, inDoubt: 1 });
    expect((await outbox.get(id))?.state).toBe('in-doubt');
  });
});
