import { describe, expect, it } from 'vitest';
import { EmailBackend } from '../../src/backend/backend.ts';
import { type DeliveryResult, type Job, sameForAll } from '../../src/backend/job.ts';
import { EmailConnectionError } from '../../src/model/errors.ts';
import { ALL_FEATURES, type Feature } from '../../src/model/features.ts';
import type { AccountRates } from '../../src/util/rates.ts';
import { RateLimitBackend } from '../../src/wrappers/rate-limit.ts';
import { until } from '../servers/process.ts';
import { HOUR, mail, setUp } from './outbox-set-up.ts';

const DAY = 24 * HOUR;
const mails = (count: number) => Array.from({ length: count }, (_, place) => mail({ to: `user${place}@example.org` }));

/** Sends at once, for an account that has rates. */
class Limited extends EmailBackend {
  override readonly name = 'limited';
  protected override readonly features: ReadonlySet<Feature> = ALL_FEATURES;
  /** Asked each time; null: the provider does not answer. */
  account: AccountRates | null;
  asked = 0;
  sent = 0;

  constructor(account: AccountRates | null) {
    super();
    this.account = account;
  }

  protected override async accountRates(): Promise<AccountRates | null> {
    this.asked++;
    if (this.account === null) throw new EmailConnectionError('timeout', 'no answer', { phase: 'request' });
    return this.account;
  }

  protected override deliverOne({ index, message }: Job): DeliveryResult | Promise<DeliveryResult> {
    this.sent++;
    return { index, messageId: null, recipients: sameForAll(message, 'sent') };
  }
}

describe('a lane whose rate is used up for long', () => {
  it('gives its mails back, and has no more of them claimed, while others go on', async () => {
    const { outbox, store, dummy } = setUp({ lanes: { transactional: {}, bulk: { rate: '3/day' } } });
    let bulkClaims = 0;
    const claim = store.claim.bind(store);
    store.claim = async (request) => {
      const claimed = await claim(request);
      if (claimed.mails.some(({ lane }) => lane === 'bulk')) bulkClaims++;
      return claimed;
    };
    await outbox.enqueue(mails(40), { lane: 'bulk' });
    const stop = new AbortController();
    // The mails of the lane would take every place.
    const working = outbox.work({ signal: stop.signal, concurrency: 5 });
    const bulk = async () => (await outbox.stats()).lanes['bulk'];
    await until(
      async () => {
        const { queued, sent, ...others } = (await bulk()) ?? {};
        return queued === 37 && sent === 3 && Object.keys(others).length === 0;
      },
      () => `${dummy.messages.length} were sent`,
    );
    const claims = bulkClaims;
    await outbox.enqueue(mails(20));
    await until(
      () => dummy.messages.length === 23,
      () => `${dummy.messages.length} were sent`,
    );
    expect(await bulk()).toEqual({ queued: 37, sent: 3 });
    expect(bulkClaims).toBe(claims);
    stop.abort();
    await working;
    const { left, paused } = await outbox.stats();
    expect([left, paused]).toEqual([{ bulk: { day: 0 } }, []]);
    expect(await outbox.health()).toMatchObject({ status: 'ok' });
    expect((await outbox.list({ lane: 'bulk', state: 'queued' })).every(({ tries }) => tries === 0)).toBe(true);
  });

  it('leaves their places to other lanes while its mails wait for the next second', async () => {
    // The clock of the store stands still: after the first one nothing of the lane goes.
    const { outbox, dummy } = setUp({ lanes: { transactional: {}, bulk: { rate: '1/s' } } });
    await outbox.enqueue(mails(40), { lane: 'bulk' });
    const stop = new AbortController();
    const working = outbox.work({ signal: stop.signal, concurrency: 1 });
    const bulk = async () => (await outbox.stats()).lanes['bulk'];
    await until(
      async () => dummy.messages.length === 1 && (await bulk())?.['claimed'] === 1,
      () => `${dummy.messages.length} were sent, and the place is not taken`,
    );
    await outbox.enqueue(mail({ to: 'code@example.org' }));
    await until(
      () => dummy.messages.length === 2,
      () => `${dummy.messages.length} were sent`,
    );
    expect(dummy.messages.map(({ to }) => to[0])).toEqual(['user0@example.org', 'code@example.org']);
    stop.abort();
    await working;
    expect(await bulk()).toEqual({ queued: 39, sent: 1 });
  });

  it('claims nothing while others have its places, once its own mails may go', async () => {
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    let asked = 0;
    class Slow extends Limited {
      protected override async deliverOne(job: Job): Promise<DeliveryResult> {
        asked++;
        if (job.message.subject === 'Code') await released;
        return super.deliverOne(job);
      }
    }
    const connection = new Slow({});
    const { outbox, store } = setUp({ connection, lanes: { transactional: {}, bulk: { rate: '2/s' } } });
    const limits: number[] = [];
    const claim = store.claim.bind(store);
    store.claim = (request) => {
      limits.push(request.limit);
      return claim(request);
    };
    await outbox.enqueue(mails(40), { lane: 'bulk' });
    const stop = new AbortController();
    const working = outbox.work({ signal: stop.signal, concurrency: 2 });
    await until(
      async () => connection.sent === 1 && (await outbox.stats()).lanes['bulk']?.['claimed'] === 2,
      () => `${connection.sent} were sent`,
    );
    await outbox.enqueue([mail({ subject: 'Code' }), mail({ subject: 'Code' })]);
    await until(
      () => asked === 2,
      () => 'no code is under way',
    );
    const mayGo = performance.now() + 600; // the next one of the lane, in the half of a second
    await until(
      () => performance.now() > mayGo,
      () => 'time stands still',
    );
    await outbox.enqueue(mail({ subject: 'Code' })); // the worker hears of it, and looks
    release();
    await until(
      () => connection.sent === 4,
      () => `${connection.sent} were sent`,
    );
    stop.abort();
    await working;
    expect(limits.filter((limit) => limit < 1)).toEqual([]);
  });

  it('ends what is to be done once, and goes on when there is room', async () => {
    const { outbox, advance } = setUp({ lanes: { bulk: { rate: '3/h, 5/day' } } });
    await outbox.enqueue(mails(7));
    expect(await outbox.flush()).toMatchObject({ sent: 3 });
    advance(HOUR * 1.01);
    expect(await outbox.flush()).toMatchObject({ sent: 2 });
    advance(HOUR * 1.01);
    expect(await outbox.flush()).toMatchObject({ sent: 0 });
    advance(DAY);
    expect(await outbox.flush()).toMatchObject({ sent: 2 });
  });
});

describe('an account that has rates', () => {
  it('lets no more through than these, over all lanes; what others have sent counts', async () => {
    const connection = new Limited({ perDay: 50, sentInDay: 30 });
    const { outbox, advance } = setUp({ connection, lanes: { transactional: {}, bulk: { rate: '15/day' } } });
    await outbox.enqueue(mails(17), { lane: 'bulk' });
    expect(await outbox.flush()).toMatchObject({ sent: 15 });
    expect(await outbox.stats()).toMatchObject({ left: { bulk: { day: 0 } }, accountLeft: { day: 5 } });
    connection.account = { perDay: 50, sentInDay: 45 }; // as before
    await outbox.enqueue(mails(9));
    expect(await outbox.flush()).toMatchObject({ sent: 5 });
    connection.account = { perDay: 50, sentInDay: 20 };
    advance(HOUR);
    expect(await outbox.flush()).toMatchObject({ sent: 4 });
    expect(connection.sent).toBe(24);
  });

  it('is asked for behind a wrapper over it, once for all mails', async () => {
    const connection = new Limited({ perDay: 3 });
    const wrapper = new RateLimitBackend({ connections: [connection], perSecond: 1_000_000 });
    const { outbox } = setUp({ connection: wrapper });
    await outbox.enqueue(mails(5));
    expect(await outbox.flush()).toMatchObject({ sent: 3 });
    expect(connection.asked).toBe(1);
  });

  it('holds nothing back when it does not say', async () => {
    const { outbox } = setUp({ connection: new Limited(null) });
    await outbox.enqueue(mails(5));
    expect(await outbox.flush()).toMatchObject({ sent: 5 });
    expect((await outbox.stats()).accountLeft).toEqual({});
  });
});
