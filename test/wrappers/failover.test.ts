import { describe, expect, test } from 'vitest';
import { EmailBackend } from '../../src/backend/backend.ts';
import { type DeliveryResult, failedDelivery, type Job, sameForAll } from '../../src/backend/job.ts';
import { DummyBackend } from '../../src/backends/dummy.ts';
import { failover, roundRobin, weighted } from '../../src/connection/wrappers.ts';
import { Attempt, BeforeSend } from '../../src/events/mail-events.ts';
import { ConfigurationError, EmailConnectionError, type EmailError, SendError } from '../../src/model/errors.ts';
import type { SendStatus } from '../../src/model/status.ts';
import { FailoverBackend } from '../../src/wrappers/failover.ts';

const MAIL = { subject: 'Hi', body: 'Text', fromEmail: 'shop@example.com', to: ['ann@example.org', 'bob@example.org'] };

class Silent extends EmailBackend {
  readonly name = 'silent';
  protected readonly features = new Set<never>();
  protected override async deliverOne(job: Job): Promise<DeliveryResult> {
    return new Promise(() => void job);
  }
}

const two = () => ({ first: new DummyBackend({ store: true }), second: new DummyBackend({ store: true }) });
const silently = { failSilently: true };

function viasOf(status: SendStatus): Record<string, string> {
  return Object.fromEntries([...status.recipients].map(([address, { via, status: is }]) => [address, `${is} ${via}`]));
}

describe('failover', () => {
  test('sends over the first connection, and says so', async () => {
    const { first, second } = two();
    const status = await failover([first, second]).sendMessages([MAIL]);
    expect(viasOf(status)).toEqual({ 'ann@example.org': 'sent dummy', 'bob@example.org': 'sent dummy' });
    expect(status.recipients.get('ann@example.org')?.tries).toEqual([
      { via: 'dummy', status: 'sent', code: null, at: expect.any(Date) },
    ]);
    expect([first.messages.length, second.messages.length]).toEqual([1, 0]);
  });

  const goesOn: readonly (readonly [string, EmailError])[] = [
    ['a connection that is refused', new EmailConnectionError('refused', 'connection refused', { retryable: true })],
    ['a wrong password', new EmailConnectionError('auth', 'authentication failed')],
    ['an account that is blocked', new SendError('account', 'the account is blocked')],
    ['a quota', new SendError('quota', 'the quota is used up', { retryable: true })],
    ['a rate', new SendError('throttled', 'too fast', { retryable: true, retryAfterMs: 10 })],
    ['what is refused for now', new SendError('temporary', 'try later', { retryable: true })],
    ['a wrong configuration', new ConfigurationError('missing-dependency', 'install it')],
  ];

  test.each(goesOn)('%s: the next connection sends', async (_, error) => {
    const { first, second } = two();
    first.failNext(error);
    const status = await failover([first, second]).sendMessages([MAIL]);
    expect(viasOf(status)).toEqual({ 'ann@example.org': 'sent dummy-2', 'bob@example.org': 'sent dummy-2' });
    expect(status.recipients.get('ann@example.org')?.tries?.map(({ via, code }) => [via, code])).toEqual([
      ['dummy', error.code],
      ['dummy-2', null],
    ]);
    expect(status.isSuccess).toBe(true);
    expect(second.messages).toHaveLength(1);
  });

  const stays: readonly (readonly [string, EmailError, string])[] = [
    ['a mail that may have been sent', new SendError('uncertain', 'no answer', { outcome: 'unknown' }), 'unknown'],
    ['a mail that is refused', new SendError('rejected', 'spam'), 'failed'],
    ['a mail that is too large', new SendError('too-large', 'too large'), 'failed'],
    ['a template that is not there', new SendError('template', 'no such template'), 'failed'],
  ];

  test.each(stays)('%s: no other connection gets it', async (_, error, is) => {
    const { first, second } = two();
    first.failNext(error);
    const status = await failover([first, second]).sendMessages([MAIL], silently);
    expect(viasOf(status)).toEqual({ 'ann@example.org': `${is} dummy`, 'bob@example.org': `${is} dummy` });
    expect(second.messages).toHaveLength(0);
  });

  test('only those who have nothing go on, and the others are not shown to them', async () => {
    const { first, second } = two();
    first.refuse('bob@example.org', 451, null, 'try later');
    first.refuse('cas@example.org', 550);
    const mail = { ...MAIL, to: [...MAIL.to, 'Cas <cas@example.org>'], messageId: 'one@example.com' };
    const status = await failover([first, second]).sendMessages([mail]);
    expect(viasOf(status)).toEqual({
      'ann@example.org': 'sent dummy',
      'bob@example.org': 'sent dummy-2',
      'cas@example.org': 'invalid dummy',
    });
    expect(second.messages.map(({ to, messageId }) => ({ to, messageId }))).toEqual([
      { to: ['bob@example.org'], messageId: 'one@example.com' },
    ]);
  });

  test('Message-ID and Date are the same in every try', async () => {
    const { first, second } = two();
    first.refuse('bob@example.org', 451, null, 'try later');
    await failover([first, second]).sendMessages([MAIL]);
    const [a, b] = [first.messages[0], second.messages[0]];
    expect(a?.messageId).toMatch(/@example\.com$/);
    expect([b?.messageId, b?.date]).toEqual([a?.messageId, a?.date]);
  });

  test('with merge data the Date is the same in every try', async () => {
    const { first, second } = two();
    first.refuse('bob@example.org', 451, null, 'try later');
    await failover([first, second]).sendMessages([{ ...MAIL, mergeData: { 'bob@example.org': { name: 'Bob' } } }]);
    const [a, b] = [first.messages[0], second.messages[0]];
    expect(a?.date).toBeInstanceOf(Date);
    expect(b?.date).toEqual(a?.date);
  });

  test('when all fail, the error is the last one and names the others', async () => {
    const { first, second } = two();
    first.failNext(new EmailConnectionError('refused', 'connection refused', { retryable: true }));
    second.failNext(new SendError('throttled', 'too fast', { retryable: true }));
    const sending = failover([first, second]).sendMessages([MAIL]);
    await expect(sending).rejects.toMatchObject({
      code: 'throttled',
      message: 'too fast (try 2, via dummy-2; before: dummy: refused)',
    });
  });

  test('a connection that cannot be reached rests; then one mail tries it for all', async () => {
    let now = 0;
    const clock = { now: () => now, wakeAfter: () => () => {} };
    const { FailoverBackend } = await import('../../src/wrappers/failover.ts');
    const { first, second } = two();
    const connection = new FailoverBackend({ connections: [first, second], cooldownMs: 1_000 }, { clock });
    const down = new EmailConnectionError('refused', 'connection refused', { retryable: true });
    const send = async () => viasOf(await connection.sendMessages([{ ...MAIL, to: 'ann@example.org' }]));
    first.failNext(down);
    expect(await send()).toEqual({ 'ann@example.org': 'sent dummy-2' });
    expect(await send()).toEqual({ 'ann@example.org': 'sent dummy-2' });
    now = 1_001;
    first.failNext(down);
    expect(await Promise.all([send(), send()])).toEqual([
      { 'ann@example.org': 'sent dummy-2' },
      { 'ann@example.org': 'sent dummy-2' },
    ]);
    expect(first.messages).toHaveLength(0);
    now = 2_002;
    expect(await send()).toEqual({ 'ann@example.org': 'sent dummy' });
    expect(await send()).toEqual({ 'ann@example.org': 'sent dummy' });
  });

  test('ten thousand mails in one call, a third of them over the second connection', async () => {
    const { first, second } = two();
    for (let i = 0; i < 10_000; i += 3) first.refuse(`p${i}@example.org`, 451, null, 'try later');
    const mails = Array.from({ length: 10_000 }, (_, i) => ({ ...MAIL, to: `p${i}@example.org` }));
    const status = await failover([first, second]).sendMessages(mails);
    expect([first.messages.length, second.messages.length]).toEqual([6_666, 3_334]);
    expect(status.results.map(({ index }) => index)).toEqual([...mails.keys()]);
    expect(status.isSuccess).toBe(true);
  });

  test('blocking calls do the same', () => {
    const { first, second } = two();
    first.refuse('bob@example.org', 451, null, 'try later');
    const status = failover([first, second]).sendMessagesSync([MAIL]);
    expect(viasOf(status)).toEqual({ 'ann@example.org': 'sent dummy', 'bob@example.org': 'sent dummy-2' });
  });

  test('blocking calls pass over a connection that is down, once some mails have met it, and try it with one after its rest', () => {
    let now = 0;
    let tries = 0;
    class Down extends DummyBackend {
      protected override deliverNow(job: Job): DeliveryResult {
        tries++;
        return failedDelivery(job, new EmailConnectionError('refused', 'connection refused', { retryable: true }));
      }
    }
    const second = new DummyBackend({ store: true });
    const clock = { now: () => now, wakeAfter: () => () => {} };
    const connection = new FailoverBackend({ connections: [new Down(), second], cooldownMs: 1_000 }, { clock });
    const mails = Array.from({ length: 1_000 }, (_, i) => ({ ...MAIL, to: `p${i}@example.org` }));
    const triesOfCall = () => {
      tries = 0;
      expect(connection.sendMessagesSync(mails).isSuccess).toBe(true);
      return tries;
    };
    expect(triesOfCall()).toBe(32);
    expect(triesOfCall()).toBe(0);
    now = 1_001;
    expect(triesOfCall()).toBe(1);
    expect(second.messages).toHaveLength(3_000);
  });

  test('a connection that cannot block is passed over by a blocking call', () => {
    const { second } = two();
    const status = failover([new Silent(), second]).sendMessagesSync([MAIL]);
    expect(viasOf(status)).toEqual({ 'ann@example.org': 'sent dummy', 'bob@example.org': 'sent dummy' });
    expect(status.recipients.get('ann@example.org')?.tries?.[0]?.code).toBe('not-blocking');
  });

  test('a wrapper in a wrapper tells the whole way', async () => {
    const { first, second } = two();
    const third = new DummyBackend({ store: true });
    const down = new EmailConnectionError('refused', 'connection refused', { retryable: true });
    first.failNext(down);
    second.failNext(down);
    const status = await failover([failover([first, second]), third]).sendMessages([MAIL]);
    const ann = status.recipients.get('ann@example.org');
    expect(ann?.via).toBe('dummy');
    expect(ann?.tries?.map(({ via }) => via)).toEqual(['failover/dummy', 'failover/dummy-2', 'dummy']);
  });

  test('listeners hear of the mail once, and of every try', async () => {
    const { first, second } = two();
    first.failNext(new SendError('temporary', 'try later', { retryable: true }));
    const heard: string[] = [];
    const stop = [
      BeforeSend.subscribe((context, next) => {
        heard.push(`before ${context.backend}`);
        return next(context);
      }),
      Attempt.subscribe((context, next) => {
        heard.push(`try ${context.backend} ${context.via} ${context.recipients.get('ann@example.org')?.status}`);
        return next(context);
      }),
    ];
    await failover([first, second]).sendMessages([MAIL]);
    for (const end of stop) end();
    expect(heard).toEqual(['before failover', 'try failover dummy failed', 'try failover dummy-2 sent']);
  });

  test('a connection is given up at its own deadline; what it had may be sent, so that it goes nowhere else', async () => {
    const { second } = two();
    const connection = failover([new Silent({ deadlineMs: 20 }), second]);
    const status = await connection.sendMessages([MAIL], silently);
    expect(viasOf(status)).toEqual({ 'ann@example.org': 'unknown silent', 'bob@example.org': 'unknown silent' });
  });

  test('what one connection has sent stays sent when the deadline passes at another', async () => {
    const { first } = two();
    first.refuse('bob@example.org', 451, null, 'try later');
    const connection = failover([first, new Silent()], { deadlineMs: 30 });
    const status = await connection.sendMessages([MAIL]);
    expect(viasOf(status)).toEqual({ 'ann@example.org': 'sent dummy', 'bob@example.org': 'unknown silent' });
  });

  test('an aborted call tries no other connection', async () => {
    const { second } = two();
    const abort = new AbortController();
    class Aborting extends EmailBackend {
      readonly name = 'aborting';
      protected readonly features = new Set<never>();
      protected override async deliverOne(job: Job): Promise<DeliveryResult> {
        abort.abort();
        const error = new SendError('aborted', 'aborted', { retryable: true });
        return {
          index: job.index,
          messageId: null,
          recipients: sameForAll(job.message, 'failed', { error, retryable: true }),
        };
      }
    }
    const status = await failover([new Aborting(), second]).sendMessages([MAIL], { ...silently, signal: abort.signal });
    expect(viasOf(status)).toEqual({ 'ann@example.org': 'failed aborting', 'bob@example.org': 'failed aborting' });
    expect(second.messages).toHaveLength(0);
  });
});

describe('round robin and weights', () => {
  const send = async (connection: EmailBackend, count: number) => {
    const status = await connection.sendMessages(
      Array.from({ length: count }, () => ({ ...MAIL, to: 'ann@example.org' })),
    );
    return status.results.map(({ recipients }) => recipients.get('ann@example.org')?.via);
  };

  test('each message goes over the next one, over all calls', async () => {
    const { first, second } = two();
    const connection = roundRobin([first, second]);
    expect(await send(connection, 3)).toEqual(['dummy', 'dummy-2', 'dummy']);
    expect(await send(connection, 1)).toEqual(['dummy-2']);
  });

  test('weights are kept smoothly, and 0 only stands in', async () => {
    const { first, second } = two();
    const third = new DummyBackend();
    const connection = weighted([
      { connection: first, weight: 2 },
      { connection: second, weight: 1 },
      { connection: third, weight: 0 },
    ]);
    expect(await send(connection, 6)).toEqual(['dummy', 'dummy-2', 'dummy', 'dummy', 'dummy-2', 'dummy']);
    const down = () => new EmailConnectionError('refused', 'connection refused', { retryable: true });
    first.failNext(down());
    second.failNext(down());
    expect(await send(connection, 1)).toEqual(['dummy-3']);
  });
});
