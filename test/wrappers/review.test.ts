import { describe, expect, test } from 'vitest';
import { EmailBackend } from '../../src/backend/backend.ts';
import {
  type DeliveryContext,
  type DeliveryResult,
  failedDelivery,
  type Job,
  sameForAll,
} from '../../src/backend/job.ts';
import { DummyBackend } from '../../src/backends/dummy.ts';
import { failover, mirror, retry } from '../../src/connection/wrappers.ts';
import { EmailConnectionError, SendError } from '../../src/model/errors.ts';
import type { Feature } from '../../src/model/features.ts';
import { FailoverBackend } from '../../src/wrappers/failover.ts';
import { RateLimitBackend } from '../../src/wrappers/rate-limit.ts';

const MAIL = { subject: 'Hi', body: 'Text', fromEmail: 'shop@example.com', to: 'ann@example.org' };
const silently = { failSilently: true };
const down = () => new EmailConnectionError('refused', 'connection refused', { retryable: true });

/** Answers when it is told to. */
class Slow extends EmailBackend {
  readonly name = 'slow';
  protected readonly features = new Set<never>();
  readonly asked: Job[] = [];
  readonly #answers: ((result: DeliveryResult) => void)[] = [];
  protected override deliverOne(job: Job): Promise<DeliveryResult> {
    this.asked.push(job);
    return new Promise((resolve) => this.#answers.push(resolve));
  }
  answer(error: EmailConnectionError | SendError | null = null): void {
    const job = this.asked[this.asked.length - this.#answers.length];
    const give = this.#answers.shift();
    if (job === undefined || give === undefined) throw new Error('nothing was asked');
    give(
      error
        ? failedDelivery(job, error)
        : { index: job.index, messageId: null, recipients: sameForAll(job.message, 'sent') },
    );
  }
}

const turns = async (count = 20) => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
};

function handClock() {
  let now = 0;
  return {
    go(ms: number): void {
      now += ms;
    },
    now: () => now,
    wakeAfter: () => () => {},
  };
}

describe('breaker', () => {
  test('a probe whose call is broken off does not keep the connection out for ever', async () => {
    const clock = handClock();
    const [first, second] = [new Slow(), new DummyBackend({ store: true })];
    const connection = new FailoverBackend({ connections: [first, second], cooldownMs: 1_000 }, { clock });
    const send = connection.sendMessages([MAIL]);
    await expect.poll(() => first.asked.length).toBe(1);
    first.answer(down());
    await send;
    clock.go(1_001);
    const stream = connection.stream([MAIL]);
    void stream.next();
    await turns();
    expect(first.asked).toHaveLength(2);
    const left = stream.return?.();
    first.answer();
    await left;
    const again = connection.sendMessages([MAIL]);
    await turns();
    expect(first.asked).toHaveLength(3);
    first.answer();
    await again;
  });

  test('a probe that its caller aborts while it waits does not keep the connection out for ever', async () => {
    const clock = handClock();
    class Busy extends DummyBackend {
      isBusy = false;
      protected override async *deliver(
        jobs: AsyncIterable<Job>,
        context: DeliveryContext,
      ): AsyncGenerator<DeliveryResult, void, undefined> {
        if (this.isBusy) {
          await new Promise<void>((resolve) => context.signal?.addEventListener('abort', () => resolve()));
          return;
        }
        yield* super.deliver(jobs, context);
      }
    }
    const [first, second] = [new Busy({ store: true }), new DummyBackend({ store: true })];
    const connection = new FailoverBackend({ connections: [first, second], cooldownMs: 1_000 }, { clock });
    first.failNext(down());
    await connection.sendMessages([MAIL]);
    clock.go(1_001);
    first.isBusy = true;
    const abort = new AbortController();
    const probe = connection.sendMessages([MAIL], { ...silently, signal: abort.signal });
    await turns();
    abort.abort();
    expect((await probe).recipients.get('ann@example.org')?.code).toBe('aborted');
    first.isBusy = false;
    await connection.sendMessages([MAIL]);
    expect(first.messages).toHaveLength(1);
  });

  test('a probe that was aborted says nothing of the connection: the next mail is a probe again', async () => {
    const clock = handClock();
    const [first, second] = [new Slow(), new DummyBackend({ store: true })];
    const connection = new FailoverBackend({ connections: [first, second], cooldownMs: 1_000 }, { clock });
    const send = connection.sendMessages([MAIL]);
    await expect.poll(() => first.asked.length).toBe(1);
    first.answer(down());
    await send;
    clock.go(1_001);
    const abort = new AbortController();
    const probe = connection.sendMessages([MAIL], { ...silently, signal: abort.signal });
    await turns();
    abort.abort();
    first.answer(new SendError('aborted', 'aborted', { retryable: true }));
    await probe;
    const both = [connection.sendMessages([MAIL]), connection.sendMessages([MAIL])];
    await turns();
    expect(first.asked).toHaveLength(3); // one of the two
    first.answer();
    await Promise.all(both);
  });
});

describe('deadline of a wrapper in another one', () => {
  test('a retry that waits is certainly not sent when its deadline passes, so that the next connection sends', async () => {
    const [first, second] = [new DummyBackend({ store: true }), new DummyBackend({ store: true })];
    first.failNext(new SendError('temporary', 'later', { retryable: true, retryAfterMs: 300 }));
    const connection = failover([retry(first, { deadlineMs: 30 }), second]);
    const status = await connection.sendMessages([MAIL], silently);
    expect(status.recipients.get('ann@example.org')).toMatchObject({ status: 'sent', via: 'dummy' });
    await connection.close();
    expect([first.messages.length, second.messages.length]).toEqual([0, 1]);
  });
});

describe('a connection that never answers', () => {
  const never = (deadlineMs?: number) => new Slow(deadlineMs === undefined ? {} : { deadlineMs });
  const made: readonly (readonly [string, () => EmailBackend])[] = [
    ['its own', () => failover([never(20)])],
    ['that of the wrapper', () => failover([never()], { deadlineMs: 20 })],
    ['that of a wrapper between', () => failover([retry(never(), { deadlineMs: 20 })])],
  ];

  test.each(made)('does not keep close waiting after a deadline: %s', async (_, make) => {
    const connection = make();
    const status = await connection.sendMessages([MAIL], silently);
    expect(status.recipients.get('ann@example.org')?.status).toBe('unknown');
    await connection.close();
  });

  test('rests when it is past its own deadline, so that not every mail waits for it', async () => {
    const second = new DummyBackend({ store: true });
    const first = never(20);
    const connection = failover([first, second]);
    await connection.sendMessages([MAIL], silently);
    const status = await connection.sendMessages(Array.from({ length: 50 }, () => MAIL));
    expect(status.isSuccess).toBe(true);
    expect([first.asked.length, second.messages.length]).toEqual([1, 50]);
  });
});

describe('open and close', () => {
  class Counted extends DummyBackend {
    connected = 0;
    disconnected = 0;
    isDown = false;
    protected override async connect(): Promise<void> {
      if (this.isDown) throw down();
      this.connected++;
    }
    protected override async disconnect(): Promise<void> {
      this.disconnected++;
    }
  }

  test('opened twice and closed twice, its connections are closed', async () => {
    const part = new Counted();
    const connection = new FailoverBackend({ connections: [part] });
    await connection.open();
    await connection.open();
    await connection.close();
    expect(part.disconnected).toBe(0);
    await connection.close();
    expect(part.disconnected).toBe(1);
  });

  test('a connection that did not open, and sent later, is closed', async () => {
    const [first, second] = [new Counted(), new Counted()];
    first.isDown = true;
    const connection = new FailoverBackend({ connections: [first, second] });
    await connection.open();
    first.isDown = false;
    await connection.sendMessages([MAIL]);
    await connection.close();
    expect([first.disconnected, second.disconnected]).toEqual([1, 1]);
  });

  test('when none opens, those that others have open stay so', async () => {
    const shared = new Counted();
    await shared.open();
    shared.isDown = true;
    const connection = new FailoverBackend({ connections: [shared] });
    await expect(connection.open()).rejects.toMatchObject({ code: 'refused' });
    expect(shared.disconnected).toBe(0);
  });
});

describe('rate limit', () => {
  test('blocking calls keep the rate between their mails', () => {
    const times: number[] = [];
    class Timed extends DummyBackend {
      protected override deliverSync(jobs: readonly Job[]): readonly DeliveryResult[] {
        for (const _ of jobs) times.push(performance.now());
        return super.deliverSync(jobs);
      }
    }
    const connection = new RateLimitBackend({ connections: [new Timed()], perSecond: 20 });
    connection.sendMessagesSync([MAIL, MAIL, MAIL]);
    const gaps = times.slice(1).map((time, i) => time - (times[i] ?? 0));
    expect(gaps.filter((gap) => gap > 20)).toHaveLength(2);
  });
});

describe('patience of a rate limit', () => {
  test('a mail that would wait longer than a minute behind others is refused at once', async () => {
    const dummy = new DummyBackend();
    const connection = new RateLimitBackend({ connections: [dummy], perSecond: 1 }, { clock: handClock() });
    await connection.sendMessages([MAIL]);
    const abort = new AbortController();
    const sending = Array.from({ length: 70 }, () =>
      connection.sendMessages([MAIL], { ...silently, signal: abort.signal }),
    );
    const last = await sending[69];
    expect(last?.recipients.get('ann@example.org')).toMatchObject({ status: 'failed', code: 'throttled' });
    abort.abort();
    const codes = (await Promise.all(sending)).map(({ recipients }) => recipients.get('ann@example.org')?.code);
    expect(codes.filter((code) => code === 'throttled')).toHaveLength(10);
  });
});

describe('mirror', () => {
  test('a silent copy is given up at its own deadline, so that close ends', async () => {
    const connection = mirror(new DummyBackend(), new Slow({ deadlineMs: 20 }));
    await connection.sendMessages([MAIL]);
    await connection.close();
    expect(connection.stats().connections['slow']?.recipients.unknown).toBe(1);
  });
});

describe('features', () => {
  test('what the connection that sent has carried is not listed as ignored', async () => {
    class Plain extends DummyBackend {
      protected override readonly features = new Set<Feature>();
    }
    const first = new DummyBackend({ store: true });
    const connection = failover([first, new Plain()]);
    const status = await connection.sendMessages([{ ...MAIL, tags: ['order'] }]);
    expect(first.messages[0]?.tags).toEqual(['order']);
    expect(status.results[0]?.ignored).toEqual([]);
  });
});
