import { describe, expect, it, vi } from 'vitest';
import { EmailBackend } from '../../src/backend/backend.ts';
import { deliverEach } from '../../src/backend/deliver-each.ts';
import type { DeliveryResult, Job } from '../../src/backend/job.ts';
import { Outbox } from '../../src/connection/outbox.ts';
import { EmailConnectionError, SendError } from '../../src/model/errors.ts';
import { ALL_FEATURES, type Feature } from '../../src/model/features.ts';
import { recipientStatus } from '../../src/model/status.ts';
import { HOUR, mail, setUp } from './outbox-set-up.ts';

/** Does not know of the first recipient, and is to try the others again. */
class HalfBackend extends EmailBackend {
  override readonly name = 'half';
  protected override readonly features: ReadonlySet<Feature> = ALL_FEATURES;

  protected override deliver(jobs: AsyncIterable<Job>): AsyncIterable<DeliveryResult> {
    return deliverEach(jobs, ({ index, message }) => {
      const recipients = message.recipients.map(({ address }, place) =>
        recipientStatus(address, place === 0 ? 'unknown' : 'failed', { retryable: place > 0 }),
      );
      return { index, messageId: null, recipients: new Map(recipients.map((each) => [each.address, each])) };
    });
  }
}

describe('an outbox', () => {
  it('writes a mail down, and sends it when a worker comes', async () => {
    const { outbox, dummy } = setUp();
    const [written] = await outbox.enqueue(mail());
    expect(written).toMatchObject({ isDuplicate: false });
    expect(dummy.messages).toEqual([]);
    expect(await outbox.get(written?.id ?? '')).toMatchObject({ state: 'queued', lane: 'transactional', tries: 0 });
    expect(await outbox.flush()).toEqual({ sent: 1, failed: 0, retried: 0, inDoubt: 0 });
    expect(dummy.messages.map(({ subject }) => subject)).toEqual(['Welcome']);
    const sent = await outbox.get(written?.id ?? '');
    expect(sent).toMatchObject({ state: 'sent', tries: 1, subject: 'Welcome', from: 'shop@example.com' });
    expect(sent?.recipients).toMatchObject([
      { address: 'jane@example.org', status: 'sent', isOpen: false, via: 'dummy' },
    ]);
    expect(sent?.events.map(({ what }) => what)).toEqual(['tried']);
    expect(await outbox.message(written?.id ?? '')).toBeNull();
  });

  it('keeps every field, text and attachment of a message', async () => {
    const { outbox, dummy } = setUp({ keepSent: true, sealKey: 'ab'.repeat(32) });
    const content = new Uint8Array(10_000).map((_, place) => place % 256);
    const given = mail({
      ...{ body: 'long '.repeat(1_000), htmlBody: `<p>${'höher '.repeat(1_000)}</p>`, cc: 'Zoë <zoe@example.org>' },
      attachments: [
        { filename: 'a.bin', content },
        { filename: 'b.txt', content: 'text\r\nwith lines' },
        { filename: 'logo.png', content: content.subarray(0, 8), contentId: 'logo' },
      ],
      ...{ tags: ['news'], metadata: { a: '1' }, headers: { 'X-A': 'b' }, date: new Date(1_700_000_000_000) },
    });
    const [written] = await outbox.enqueue(given);
    const kept = await outbox.message(written?.id ?? '');
    await outbox.flush();
    const [sent] = dummy.messages;
    expect(sent?.toJSON()).toEqual(kept?.toJSON());
    expect(sent).toMatchObject({
      body: given.body,
      htmlBody: given.htmlBody,
      tags: ['news'],
      cc: ['Zoë <zoe@example.org>'],
    });
    expect(
      sent?.attachments.map((each) => [each.filename, each.contentId, Buffer.from(each.content as string).length]),
    ).toEqual([
      ['a.bin', null, 10_000],
      ['b.txt', null, 16],
      ['logo.png', 'logo', 8],
    ]);
  });

  it('sends what is certainly not sent again, with the same Message-ID and Date', async () => {
    const { outbox, dummy, advance } = setUp();
    const seen: string[] = [];
    dummy.failNext(new EmailConnectionError('refused', 'nobody listens', { retryable: true }));
    const [written] = await outbox.enqueue(mail());
    const before = await outbox.message(written?.id ?? '');
    expect(await outbox.flush()).toMatchObject({ sent: 0, retried: 1 });
    expect(await outbox.get(written?.id ?? '')).toMatchObject({ state: 'queued', tries: 1 });
    expect(await outbox.flush()).toMatchObject({ sent: 0, retried: 0 });
    advance(90_000);
    expect(await outbox.flush()).toMatchObject({ sent: 1 });
    for (const { messageId, date } of [before, ...dummy.messages].flatMap((each) => each ?? []))
      seen.push(`${messageId} ${date?.toISOString()}`);
    expect(new Set(seen).size).toBe(1);
  });

  it('sends to those alone who have not got it', async () => {
    const { outbox, dummy, advance } = setUp();
    dummy.refuse('busy@example.org', 450, '4.2.1');
    dummy.refuse('gone@example.org');
    const [written] = await outbox.enqueue(mail({ to: ['jane@example.org', 'busy@example.org', 'gone@example.org'] }));
    await outbox.flush();
    const states = async () =>
      (await outbox.get(written?.id ?? ''))?.recipients.map(({ status, isOpen }) => [status, isOpen]);
    expect(await states()).toEqual([
      ['sent', false],
      ['failed', true],
      ['invalid', false],
    ]);
    dummy.clear();
    advance(HOUR);
    await outbox.flush();
    expect(dummy.messages.map(({ to }) => to)).toEqual([['busy@example.org']]);
    expect(await states()).toEqual([
      ['sent', false],
      ['sent', false],
      ['invalid', false],
    ]);
    expect((await outbox.get(written?.id ?? ''))?.state).toBe('failed');
  });

  it('gives up after the last wait', async () => {
    const { outbox, dummy, advance } = setUp({ retry: { delaysMs: [1_000, 2_000] } });
    dummy.refuse('jane@example.org', 450);
    const [written] = await outbox.enqueue(mail());
    for (const state of ['queued', 'queued', 'failed']) {
      await outbox.flush();
      expect((await outbox.get(written?.id ?? ''))?.state).toBe(state);
      advance(HOUR);
    }
    expect((await outbox.get(written?.id ?? ''))?.tries).toBe(3);
  });

  it('holds what was perhaps sent until somebody decides', async () => {
    const { outbox, dummy } = setUp();
    const doubt = new SendError('uncertain', 'the connection broke after the content', { outcome: 'unknown' });
    dummy.failNext(doubt);
    dummy.failNext(doubt);
    const [one, two] = await outbox.enqueue([mail(), mail()]);
    expect(await outbox.flush()).toMatchObject({ inDoubt: 2 });
    expect(await outbox.health()).toMatchObject({ status: 'attention', inDoubt: 2 });
    expect((await outbox.list({ state: 'in-doubt' })).map(({ id }) => id)).toEqual([two?.id, one?.id]);
    expect(await outbox.flush()).toMatchObject({ sent: 0, inDoubt: 0 });
    expect(await outbox.resolve(one?.id ?? '', 'sent')).toBe(true);
    expect(await outbox.resolve(two?.id ?? '', 'resend')).toBe(true);
    expect(await outbox.resolve(two?.id ?? '', 'resend')).toBe(false);
    expect(await outbox.flush()).toMatchObject({ sent: 1 });
    expect(dummy.messages.length).toBe(1);
    expect(await outbox.health()).toMatchObject({ status: 'ok', inDoubt: 0 });
    expect((await outbox.get(one?.id ?? ''))?.recipients[0]?.status).toBe('sent');
  });

  it('sends again what was perhaps sent where that is said', async () => {
    const { outbox, dummy, advance } = setUp();
    dummy.failNext(new SendError('uncertain', 'the connection broke after the content', { outcome: 'unknown' }));
    await outbox.enqueue(mail(), { onDoubt: 'resend' });
    expect(await outbox.flush()).toMatchObject({ retried: 1, inDoubt: 0 });
    advance(HOUR);
    expect(await outbox.flush()).toMatchObject({ sent: 1 });
  });

  it('holds a mail with which workers die again and again, though it may be doubled', async () => {
    const { outbox, store, advance } = setUp({ onDoubt: 'resend', retry: { delaysMs: [1, 1] } });
    const [written] = await outbox.enqueue(mail());
    for (let death = 0; death < 3; death++) {
      const lanes = [{ lane: 'transactional', limit: 1 }];
      const { mails } = await store.claim({ lanes, limit: 1, leaseMs: 1_000 });
      await store.mark(mails);
      advance(1_001);
      await store.recover();
    }
    expect(await outbox.flush()).toEqual({ sent: 0, failed: 0, retried: 0, inDoubt: 1 });
    expect((await outbox.get(written?.id ?? ''))?.state).toBe('in-doubt');
    expect(await outbox.resolve(written?.id ?? '', 'resend')).toBe(true);
    expect(await outbox.flush()).toMatchObject({ sent: 1 });
  });

  it('pauses a lane for a wrong password, and loses no mail and no try of it', async () => {
    const { outbox, dummy, advance } = setUp();
    const wrong = new EmailConnectionError('auth', '535 wrong password');
    for (let place = 0; place < 3; place++) dummy.failNext(wrong);
    await outbox.enqueue([mail(), mail(), mail()]);
    await outbox.enqueue(mail(), { lane: 'bulk' });
    dummy.failNext(wrong);
    await outbox.flush();
    expect(await outbox.health()).toMatchObject({ status: 'attention', failed: 0, paused: ['transactional', 'bulk'] });
    expect((await outbox.stats()).paused[0]).toMatchObject({ reason: expect.stringContaining('535') });
    const mails = await outbox.list();
    expect(mails.map(({ state, tries }) => [state, tries])).toEqual(Array.from({ length: 4 }, () => ['queued', 0]));
    dummy.clear();
    expect(await outbox.flush()).toMatchObject({ sent: 0 });
    advance(HOUR);
    expect(await outbox.flush()).toMatchObject({ sent: 4 });
    expect(await outbox.health()).toMatchObject({ status: 'ok', paused: [] });
  });

  it('pauses a lane as long for a hundred mails with a wrong password as for one', async () => {
    const { outbox, dummy, advance } = setUp();
    const pausedMs = async () => (await outbox.stats()).paused[0]?.ms;
    for (let place = 0; place < 200; place++) dummy.failNext(new EmailConnectionError('auth', '535 wrong password'));
    await outbox.enqueue(Array.from({ length: 100 }, () => mail()));
    const stop = new AbortController();
    const working = outbox.work({ signal: stop.signal });
    await vi.waitFor(async () => expect(await pausedMs()).toBe(30_000));
    advance(30_000);
    await outbox.enqueue(mail());
    await vi.waitFor(async () => expect(await pausedMs()).toBe(60_000));
    stop.abort();
    await working;
  });

  it('writes down one mail of a key', async () => {
    const { outbox, dummy } = setUp();
    const [[one], [two]] = await Promise.all([
      outbox.enqueue(mail(), { idempotencyKey: 'order-7' }),
      outbox.enqueue(mail({ idempotencyKey: 'order-7' })),
    ]);
    expect(two?.id).toBe(one?.id);
    expect([one?.isDuplicate, two?.isDuplicate].toSorted()).toEqual([false, true]);
    await outbox.flush();
    expect(dummy.messages.length).toBe(1);
  });

  it('sends later what is to be sent later', async () => {
    const { outbox, dummy, advance } = setUp();
    await outbox.enqueue(mail(), { sendAt: new Date(Date.now() + HOUR) });
    await outbox.flush();
    expect(dummy.messages).toEqual([]);
    advance(HOUR + 1_000);
    await outbox.flush();
    expect(dummy.messages.map(({ sendAt }) => sendAt)).toEqual([null]);
  });

  it('cancels what waits', async () => {
    const { outbox, dummy } = setUp();
    const [one, two] = await outbox.enqueue([mail(), mail()]);
    expect(await outbox.cancel(one?.id ?? '')).toBe(true);
    await outbox.flush();
    expect(await outbox.cancel(two?.id ?? '')).toBe(false);
    expect(await outbox.cancel('nobody')).toBe(false);
    expect(dummy.messages.length).toBe(1);
    expect((await outbox.get(one?.id ?? ''))?.state).toBe('cancelled');
  });

  it('keeps a mail in doubt that is cancelled before its next try', async () => {
    const { outbox } = setUp({ connection: new HalfBackend() });
    const [written] = await outbox.enqueue(mail({ to: ['doubt@example.org', 'busy@example.org'] }));
    expect(await outbox.flush()).toMatchObject({ retried: 1 });
    expect(await outbox.cancel(written?.id ?? '')).toBe(true);
    expect((await outbox.list({ state: 'in-doubt' })).map(({ id }) => id)).toEqual([written?.id]);
    expect(await outbox.resolve(written?.id ?? '', 'sent')).toBe(true);
    const { state, recipients } = (await outbox.get(written?.id ?? '')) ?? {};
    expect([state, recipients?.map(({ status, isOpen }) => [status, isOpen])]).toEqual([
      'failed',
      [
        ['sent', false],
        ['failed', false],
      ],
    ]);
  });

  it('sends to nobody twice when a retry is asked for while a worker tries it', async () => {
    const { outbox, dummy, store } = setUp({ retry: { delaysMs: [0, 1_000] } });
    dummy.refuse('busy@example.org', 450);
    const [written] = await outbox.enqueue(mail({ to: ['jane@example.org', 'busy@example.org'] }));
    const query = store.query.bind(store);
    let isFirst = true;
    Object.assign(store, {
      query: async (...asked: Parameters<typeof query>) => {
        const answer = await query(...asked);
        if (asked[0] === 'mail' && isFirst) {
          isFirst = false;
          await outbox.flush();
        }
        return answer;
      },
    });
    expect(await outbox.retry(written?.id ?? '')).toBe(true);
    await outbox.flush();
    expect(dummy.messages.flatMap(({ to }) => to).filter((address) => address === 'jane@example.org').length).toBe(1);
  });

  it('sends again what has failed, when somebody says so', async () => {
    const { outbox, dummy } = setUp();
    dummy.refuse('jane@example.org');
    const [written] = await outbox.enqueue(mail());
    expect(await outbox.flush()).toMatchObject({ failed: 1 });
    dummy.clear();
    expect(await outbox.retry(written?.id ?? '')).toBe(true);
    expect(await outbox.flush()).toMatchObject({ sent: 1 });
  });

  it('lets a code go before the newsletter that came before it', async () => {
    const { outbox, dummy } = setUp();
    await outbox.enqueue(
      Array.from({ length: 300 }, (_, place) => mail({ subject: `News ${place}` })),
      { lane: 'bulk' },
    );
    await outbox.enqueue(mail({ subject: 'Code' }));
    await outbox.flush({ concurrency: 1 });
    expect(dummy.messages.map(({ subject }) => subject).indexOf('Code')).toBe(0);
    expect(dummy.messages.length).toBe(301);
  });

  it('takes lane, priority and order from the message itself', async () => {
    const { outbox, dummy } = setUp();
    const [written] = await outbox.enqueue(
      mail({ espExtra: { outbox: { lane: 'bulk', priority: 3 }, dummy: { a: 1 } } }),
    );
    expect(await outbox.get(written?.id ?? '')).toMatchObject({ lane: 'bulk', priority: 3 });
    await outbox.flush();
    expect(dummy.messages[0]?.espExtra).toEqual({ dummy: { a: 1 } });
  });

  it.each([
    [{ espExtra: { outbox: { lane: 'fast' } } }, 'espExtra.outbox.lane'],
    [{ espExtra: { outbox: { speed: 1 } } }, 'espExtra.outbox.speed'],
    [{ espExtra: { outbox: { onDoubt: 'maybe' } } }, 'espExtra.outbox.onDoubt'],
    [{ to: 'nobody' }, 'to'],
  ])('refuses %j, and says where', async (fields, path) => {
    const { outbox } = setUp();
    const refused = outbox.enqueue(mail(fields as object));
    await expect(refused).rejects.toMatchObject({ code: 'invalid-message', message: expect.stringContaining(path) });
    expect(await outbox.list()).toEqual([]);
  });

  it.each([
    [{ lane: 'fast' }, /there is no lane 'fast'/],
    [{ priority: 1.5 }, /priority: must be a whole number/],
    [{ orderKey: 7 }, /orderKey: must be a text of at most 256 characters/],
    [{ orderKey: 'a\0b' }, /orderKey: must be a text of .* no NUL/],
    [{ orderKey: 'x'.repeat(257) }, /orderKey: must be a text of at most 256 characters/],
    [{ onDoubt: 'maybe' }, /onDoubt: must be 'hold' or 'resend'/],
    [{ retries: 3 }, /retries: the outbox knows/],
  ])('enqueues nothing with the options %j', async (options, message) => {
    const { outbox } = setUp();
    await expect(outbox.enqueue(mail(), options as object)).rejects.toMatchObject({
      code: 'invalid-option',
      message: expect.stringMatching(message),
    });
    expect(await outbox.list()).toEqual([]);
  });

  it.each([
    [{ lane: 'fast' }, /there is no lane 'fast'/],
    [{ lanes: {} }, /lanes must be/],
    [{ lanes: { a: '14/s' } }, /lanes must be/],
    [{ lanes: { 'a\0b': {} } }, /lanes: a name must be .* no NUL/],
    [{ lanes: { 'a\ud800': {} } }, /lanes: a name must be .* no half of one/],
    [{ lanes: { a: { weight: 0 } } }, /lane a: weight must be/],
    [{ lanes: { a: { rate: '14/week' } } }, /lane a: rate must be rates such as '14\/s, 50000\/day', got '14\/week'/],
    [{ lanes: { a: { perHour: 0 } } }, /lane a: perHour must be an integer from 1/],
    [{ lanes: { a: { rate: '5/s', perSecond: 5 } } }, /lane a: rate and perSecond say the same/],
    [{ sealKey: 'short' }, /sealKey must be 32 bytes/],
    [{ store: 'mongodb:x' }, /the store of an outbox is/],
    [{ connection: '@nobody' }, /nobody/],
  ])('refuses the options %j', (options, message) => {
    expect(() => setUp(options as object)).toThrow(message);
  });

  it('says which key is missing, and loses nothing that is sealed', async () => {
    const { outbox, dummy, store, advance } = setUp({ sealKey: 'ab'.repeat(32) });
    await outbox.enqueue(mail());
    const without = new Outbox({ store, connection: dummy });
    await without.flush();
    expect((await without.stats()).paused[0]?.reason).toContain('sealKey');
    advance(HOUR);
    const rotated = new Outbox({ store, connection: dummy, sealKey: ['cd'.repeat(32), 'ab'.repeat(32)] });
    expect(await rotated.flush()).toMatchObject({ sent: 1 });
  });

  it('holds back to whom the staging guard lets nothing go, whoever wrote it down', async () => {
    const { outbox, dummy } = setUp();
    await outbox.enqueue(mail());
    process.env['AMSDAL_EMAIL_REDIRECT_TO'] = 'qa@example.com';
    try {
      await outbox.flush();
    } finally {
      delete process.env['AMSDAL_EMAIL_REDIRECT_TO'];
    }
    expect(dummy.messages.map(({ to }) => to)).toEqual([['qa@example.com']]);
  });

  it('ends with its signal when what is under way is done, and gives back the rest', async () => {
    const { outbox, store } = setUp();
    const stop = new AbortController();
    await outbox.enqueue(Array.from({ length: 50 }, () => mail()));
    const report = await outbox.work({
      signal: stop.signal,
      concurrency: 10,
      onProgress: () => stop.abort(),
    });
    const { lanes } = await outbox.stats();
    const { queued = 0, sent = 0, ...others } = lanes['transactional'] ?? {};
    expect([queued + sent, report.sent, others]).toEqual([50, sent, {}]);
    expect(store.wakers.size).toBe(0);
  });
});
