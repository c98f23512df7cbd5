import { describe, expect, test } from 'vitest';
import { EmailBackend } from '../../src/backend/backend.ts';
import { type DeliveryResult, failedDelivery, type Job, sameForAll } from '../../src/backend/job.ts';
import { DummyBackend } from '../../src/backends/dummy.ts';
import { mirror, rateLimit, retry, route } from '../../src/connection/wrappers.ts';
import { EmailConnectionError, SendError } from '../../src/model/errors.ts';
import type { Feature } from '../../src/model/features.ts';
import type { Clock } from '../../src/util/clock.ts';
import { FailoverBackend } from '../../src/wrappers/failover.ts';
import { RateLimitBackend } from '../../src/wrappers/rate-limit.ts';
import { redirect } from '../../src/wrappers/redirect.ts';
import { RetryBackend } from '../../src/wrappers/retry.ts';

const MAIL = { subject: 'Hi', body: 'Text', fromEmail: 'shop@example.com', to: 'ann@example.org' };
const silently = { failSilently: true };

/** A clock that goes on to the next timer at once; `waits` are the times that were waited for. */
function hastyClock(): Clock & { readonly waits: number[] } {
  let now = 0;
  const waits: number[] = [];
  return {
    waits,
    now: () => now,
    wakeAfter: (ms, wake) => {
      const handle = setImmediate(() => {
        waits.push(ms);
        now += ms;
        wake();
      });
      return () => clearImmediate(handle);
    },
  };
}

const later = (retryAfterMs?: number) =>
  new SendError('temporary', 'try later', { retryable: true, ...(retryAfterMs && { retryAfterMs }) });

describe('retry', () => {
  test('tries again what is certainly not sent, with growing waits', async () => {
    const clock = hastyClock();
    const dummy = new DummyBackend({ store: true });
    dummy.failNext(later());
    dummy.failNext(later());
    const connection = new RetryBackend({ connections: [dummy], baseMs: 100 }, { clock, random: () => 0 });
    const status = await connection.sendMessages([MAIL]);
    expect(status.recipients.get('ann@example.org')).toMatchObject({ status: 'sent', via: 'dummy' });
    expect(status.recipients.get('ann@example.org')?.tries?.map(({ status: is }) => is)).toEqual([
      'failed',
      'failed',
      'sent',
    ]);
    expect(clock.waits).toEqual([100, 200]);
  });

  test('3 times in all by default, then it gives up with the last error', async () => {
    const clock = hastyClock();
    const dummy = new DummyBackend();
    for (let i = 0; i < 4; i++) dummy.failNext(later());
    const connection = new RetryBackend({ connections: [dummy] }, { clock });
    await expect(connection.sendMessages([MAIL])).rejects.toMatchObject({ code: 'temporary' });
    expect(clock.waits).toHaveLength(2);
  });

  test('waits as long as the provider asks', async () => {
    const clock = hastyClock();
    const dummy = new DummyBackend();
    dummy.failNext(later(90_000));
    const connection = new RetryBackend({ connections: [dummy], baseMs: 100 }, { clock, random: () => 0 });
    await connection.sendMessages([MAIL]);
    expect(clock.waits).toEqual([90_000]);
  });

  test.each([
    ['may be sent', new SendError('uncertain', 'no answer', { outcome: 'unknown' })],
    ['is refused for good', new SendError('rejected', 'spam')],
    ['a quota holds back', new SendError('quota', 'tomorrow', { retryable: true })],
  ])('never what %s', async (_, error) => {
    const clock = hastyClock();
    const dummy = new DummyBackend({ store: true });
    dummy.failNext(error);
    const connection = new RetryBackend({ connections: [dummy] }, { clock });
    await connection.sendMessages([MAIL], silently);
    expect([clock.waits, dummy.messages]).toEqual([[], []]);
  });

  test("the connection's own retry does not multiply the tries", async () => {
    const jobs: (true | undefined)[] = [];
    class Counting extends EmailBackend {
      readonly name = 'counting';
      protected readonly features = new Set<never>();
      protected override async deliverOne(job: Job): Promise<DeliveryResult> {
        jobs.push(job.isTriedOnce);
        return failedDelivery(job, later());
      }
    }
    const inner = new RetryBackend({ connections: [new Counting()], attempts: 5 }, { clock: hastyClock() });
    const outer = new RetryBackend({ connections: [inner], attempts: 2 }, { clock: hastyClock() });
    await outer.sendMessages([MAIL], silently);
    expect(jobs).toEqual([true, true]);
  });

  test('a deadline ends the wait, and the mail is not sent', async () => {
    const dummy = new DummyBackend({ store: true });
    dummy.failNext(later(60_000));
    const status = await retry(dummy, { deadlineMs: 20 }).sendMessages([MAIL], silently);
    expect(status.recipients.get('ann@example.org')).toMatchObject({
      status: 'failed',
      code: 'temporary',
      retryable: true,
    });
    expect(dummy.messages).toHaveLength(0);
  });

  test('blocking calls try again, too', () => {
    const dummy = new DummyBackend();
    dummy.failNext(later());
    const status = retry(dummy, { baseMs: 1 }).sendMessagesSync([MAIL]);
    expect(status.recipients.get('ann@example.org')?.tries).toHaveLength(2);
  });
});

describe('route', () => {
  const one = () => new DummyBackend({ store: true });

  test('a message goes where it belongs, and nowhere else', async () => {
    const [news, rest] = [one(), one()];
    rest.failNext(new EmailConnectionError('refused', 'connection refused', { retryable: true }));
    const connection = route((message) => (message.tags.includes('news') ? news : rest), [news, rest]);
    const status = await connection.sendMessages([{ ...MAIL, tags: ['news'] }, MAIL], silently);
    expect(status.results.map(({ recipients }) => recipients.get('ann@example.org')?.status)).toEqual([
      'sent',
      'failed',
    ]);
    expect([news.messages.length, rest.messages.length]).toEqual([1, 0]);
  });

  class Plain extends EmailBackend {
    readonly name = 'plain';
    protected readonly features = new Set<Feature>();
    protected override deliverOne({ index, message }: Job): DeliveryResult {
      return { index, messageId: null, recipients: sameForAll(message, 'sent') };
    }
  }

  test('what the chosen connection cannot do is refused, though another one could', async () => {
    const plain = new Plain();
    const connection = route((message) => (message.subject === 'Hi' ? plain : one()), [plain, one()]);
    const mail = { ...MAIL, templateId: 'welcome' };
    await expect(connection.sendMessages([mail])).rejects.toMatchObject({ code: 'unsupported-feature' });
    const tagged = await connection.sendMessages([{ ...MAIL, tags: ['a'] }]);
    expect(tagged.results[0]?.ignored).toEqual(['tags']);
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('no tenant');
      },
    ],
    ['names another connection', () => new DummyBackend()],
    ['answers later', async () => 'dummy'],
  ])('a choice that %s fails that mail alone', async (_, choose) => {
    const dummy = one();
    const connection = route(
      ((message: { subject: string }) => (message.subject === 'Hi' ? choose() : dummy)) as never,
      [dummy],
    );
    const status = await connection.sendMessages([MAIL, { ...MAIL, subject: 'Ho' }]);
    expect(status.results.map(({ error }) => error === null)).toEqual([false, true]);
  });

  test('text is chosen as it was given', async () => {
    const connection = route(() => 'dummy', ['dummy', 'console']);
    const status = await connection.sendMessages([MAIL]);
    expect(status.recipients.get('ann@example.org')?.via).toBe('dummy');
  });
});

describe('mirror', () => {
  test('a copy of what was sent, with the same Message-ID; its failure changes nothing', async () => {
    const [main, copy] = [new DummyBackend({ store: true }), new DummyBackend({ store: true })];
    const connection = mirror(main, copy);
    await connection.sendMessages([MAIL]);
    copy.failNext(new SendError('rejected', 'full'));
    const status = await connection.sendMessages([MAIL]);
    main.failNext(new SendError('rejected', 'spam'));
    await connection.sendMessages([MAIL], silently);
    await connection.close();
    expect(status.isSuccess).toBe(true);
    expect(copy.messages.map(({ messageId }) => messageId)).toEqual([main.messages[0]?.messageId]);
    expect(connection.stats()).toMatchObject({
      connections: { 'dummy-2': { recipients: { sent: 1, rejected: 0 } } },
      leftOut: 0,
    });
  });
});

describe('rate limit', () => {
  const made = (rates: object) => {
    const clock = hastyClock();
    const dummy = new DummyBackend({ store: true });
    return { clock, dummy, connection: new RateLimitBackend({ connections: [dummy], ...rates }, { clock }) };
  };
  const mails = (count: number) => Array.from({ length: count }, () => MAIL);

  test('by recipients a second, evenly', async () => {
    const { clock, connection } = made({ perSecond: 10 });
    await connection.sendMessages(mails(5));
    expect(clock.now()).toBe(400);
  });

  test('what a day leaves is told; more is refused at once, and says when to come again', async () => {
    const { dummy, connection } = made({ rate: '3/day' });
    const status = await connection.sendMessages(mails(4));
    const [last] = status.results[3]?.recipients.values() ?? [];
    expect(last).toMatchObject({ status: 'failed', code: 'throttled', retryable: true });
    expect(last?.error?.retryAfterMs).toBeGreaterThan(86_400_000 - 1);
    expect(connection.stats().left).toEqual({ now: 0, day: 0 });
    expect(dummy.messages).toHaveLength(3);
  });

  test('a signal ends the wait, in order', async () => {
    const dummy = new DummyBackend({ store: true });
    const connection = rateLimit(dummy, { perSecond: 1 });
    await connection.sendMessages([MAIL]);
    const abort = new AbortController();
    const waiting = connection.sendMessages([MAIL], { ...silently, signal: abort.signal });
    abort.abort();
    const status = await waiting;
    expect(status.recipients.get('ann@example.org')).toMatchObject({ status: 'failed', code: 'aborted' });
    expect(dummy.messages).toHaveLength(1);
  });

  test('what would wait past the deadline of a wrapper around it is refused at once', async () => {
    const limited = new DummyBackend({ store: true });
    const spare = new DummyBackend({ store: true });
    const connections = [new RateLimitBackend({ connections: [limited], rate: '1/min' }), spare];
    const connection = new FailoverBackend({ connections, deadlineMs: 30_000 });
    const status = await connection.sendMessages(mails(4));
    expect(status.isSuccess).toBe(true);
    expect([limited.messages.length, spare.messages.length]).toEqual([1, 3]);
  });

  test('a failover takes what the limit refuses', async () => {
    const { connection } = made({ rate: '1/h' });
    const spare = new DummyBackend({ store: true });
    await new FailoverBackend({ connections: [connection, spare] }).sendMessages(mails(2));
    expect(spare.messages).toHaveLength(1);
  });
});

describe('every wrapper', () => {
  test('opens, verifies, tells of and closes what it is made of', async () => {
    class Probe extends DummyBackend {
      readonly log: string[] = [];
      protected override async connect(): Promise<void> {
        this.log.push('connect');
      }
      protected override async disconnect(): Promise<void> {
        this.log.push('disconnect');
      }
    }
    const [first, second] = [new Probe(), new Probe()];
    const connection = new FailoverBackend({ connections: [first, second] });
    await connection.open();
    await connection.sendMessages([MAIL]);
    expect(connection.stats()).toMatchObject({
      recipients: { sent: 1 },
      connections: { dummy: { recipients: { sent: 1 } }, 'dummy-2': { recipients: { sent: 0 } } },
    });
    await connection.close();
    expect([first.log, second.log]).toEqual([
      ['connect', 'disconnect'],
      ['connect', 'disconnect'],
    ]);
  });

  test('a failover is verified while one connection works, and tells of the other; a route needs all', async () => {
    class Down extends DummyBackend {
      override async verify(): Promise<never> {
        throw new EmailConnectionError('refused', 'connection refused', { retryable: true });
      }
    }
    const connection = new FailoverBackend({ connections: [new Down(), new DummyBackend()] });
    expect(await connection.verify()).toMatchObject({
      backend: 'failover',
      details: { dummy: 'fails: connection refused', 'dummy-2': 'works' },
    });
    const [down, up] = [new Down(), new DummyBackend()];
    await expect(route(() => up, [down, up]).verify()).rejects.toMatchObject({ code: 'refused' });
  });

  test('a guard before one connection holds there alone', async () => {
    const [first, second] = [new DummyBackend({ store: true }), new DummyBackend({ store: true })];
    redirect(first, { to: 'team@example.com' });
    const connection = new FailoverBackend({ connections: [first, second] });
    const status = await connection.sendMessages([MAIL]);
    expect(first.messages[0]?.to).toEqual(['team@example.com']);
    expect(status.recipients.get('ann@example.org')).toMatchObject({ status: 'sent', via: 'dummy' });
  });
});
