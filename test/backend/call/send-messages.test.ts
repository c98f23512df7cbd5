import { describe, expect, test, vi } from 'vitest';
import type { Messages } from '../../../src/backend/call/message-source.ts';
import { deliverEach } from '../../../src/backend/deliver-each.ts';
import { type DeliveryResult, failedDelivery, type Job } from '../../../src/backend/job.ts';
import {
  EmailConnectionError,
  type EmailError,
  MessageError,
  SendError,
  UnsupportedFeatureError,
} from '../../../src/model/errors.ts';
import { EmailMessage } from '../../../src/model/message.ts';
import type { MessageResult } from '../../../src/model/status.ts';
import { recipientStatus } from '../../../src/model/status.ts';
import {
  answering,
  draft,
  failure,
  ProbeBackend,
  refuse,
  Signal,
  sendAll,
  sent,
  sentAfter,
  statuses,
} from '../../probe-backend.ts';

describe('several messages', () => {
  test('have their results in the order given, whatever the order of completion', async () => {
    const first = new Signal();
    const backend = new ProbeBackend(
      answering({
        one: async (job) => {
          await first.promise;
          return sent(job);
        },
      }),
    );
    const done: number[] = [];
    const status = await backend.sendMessages([draft('one'), draft('two'), draft('three')], {
      onProgress: ({ latest }) => {
        done.push(latest.index);
        if (latest.index === 2) first.give();
      },
    });
    expect(status.results.map(({ index, messageId }) => [index, messageId])).toEqual([
      [0, 'one@x.org'],
      [1, 'two@x.org'],
      [2, 'three@x.org'],
    ]);
    expect(done).toEqual([1, 2, 0]);
    expect(status.isSuccess).toBe(true);
  });

  test('of which one fails: a status that tells', async () => {
    const backend = new ProbeBackend(answering({ two: refuse('rejected') }));
    const status = await backend.sendMessages([draft('one'), draft('two'), draft('', { to: [] }), draft('four')]);
    expect(statuses(status)).toEqual({ 'one@x.org': 'sent', 'two@x.org': 'rejected', 'four@x.org': 'sent' });
    expect(status.results.map(({ error }) => error?.code ?? null)).toEqual([null, 'rejected', 'invalid-message', null]);
    expect(status).toMatchObject({ isSuccess: false, hasFailures: true });
  });

  test('none at all is a status of nothing', async () => {
    const status = await new ProbeBackend().sendMessages([]);
    expect(status.results).toEqual([]);
  });

  const kinds: [string, () => Messages][] = [
    ['an array', () => [draft('one'), draft('two')]],
    ['a Set', () => new Set([draft('one'), draft('two')])],
    [
      'a generator',
      function* () {
        yield draft('one');
        yield draft('two');
      },
    ],
    [
      'an async generator',
      async function* () {
        yield draft('one');
        yield draft('two');
      },
    ],
    [
      'a web stream',
      () =>
        new ReadableStream({
          start: (controller) => {
            controller.enqueue(draft('one'));
            controller.enqueue(draft('two'));
            controller.close();
          },
        }),
    ],
    [
      'EmailMessages',
      () => ['one', 'two'].map((subject) => new EmailMessage({ ...draft(subject), fromEmail: 'a@x.org' })),
    ],
  ];
  test.each(kinds)('can be %s', async (_, make) => {
    const status = await new ProbeBackend().sendMessages(make());
    expect(status.results.map(({ messageId }) => messageId)).toEqual(['one@x.org', 'two@x.org']);
  });

  test('one message is read at once, so that its object may be reused', async () => {
    const backend = new ProbeBackend(sendAll, { maxActiveCalls: 1 });
    const object = { subject: '0', body: 'text', fromEmail: 'a@x.org', to: 'b@x.org' };
    const calls = ['1', '2', '3'].map((subject) => {
      object.subject = subject;
      return backend.sendMessages([object]);
    });
    expect((await Promise.all(calls)).map(({ messageId }) => messageId)).toEqual(['1@x.org', '2@x.org', '3@x.org']);
  });
});

describe('what is no list of messages is refused', () => {
  test.each<[string, unknown]>([
    ['a message', draft('one')],
    ['an EmailMessage', new EmailMessage({ ...draft('one'), fromEmail: 'a@x.org' })],
    ['nothing', undefined],
    ['null', null],
  ])('%s', async (_, messages) => {
    const error = await failure(new ProbeBackend().sendMessages(messages as Messages));
    expect(error).toBeInstanceOf(MessageError);
    expect(error.message).toBe('messages: give an array of messages: [message]');
  });

  test.each([null, undefined, 7, 'text'])('%j in a list is a bad message; the others are sent', async (input) => {
    const status = await new ProbeBackend().sendMessages([
      draft('one'),
      input as unknown as EmailMessage,
      draft('three'),
    ]);
    expect(status.results.map(({ error }) => error?.code ?? null)).toEqual([null, 'invalid-message', null]);
    expect((await failure(new ProbeBackend().sendMessages([input as unknown as EmailMessage]))).code).toBe(
      'invalid-message',
    );
  });

  test("a field named 'kind' is an unknown field like any other", async () => {
    const odd = { ...draft('one'), kind: 'prepared' };
    expect((await failure(new ProbeBackend().sendMessages([odd, odd]))).message).toContain(
      'kind: there is no such field',
    );
  });
});

describe('when nothing was sent the call throws, with the status', () => {
  test('one message, several recipients refused', async () => {
    const backend = new ProbeBackend(answering({ one: refuse('rejected') }));
    const error = await failure(backend.sendMessages([draft('one', { to: ['a@x.org', 'b@x.org'] })]));
    expect(error).toBeInstanceOf(SendError);
    expect(error).toMatchObject({ code: 'rejected', outcome: 'not-sent', retryable: false });
    expect(error.message).toBe('no recipient was accepted; a@x.org: rejected 550; b@x.org: rejected 550');
    expect(statuses(error.status)).toEqual({ 'a@x.org': 'rejected', 'b@x.org': 'rejected' });
  });

  test.each([
    ['invalid', 'invalid-recipient', 'not-sent'],
    ['rejected', 'rejected', 'not-sent'],
    ['failed', 'rejected', 'not-sent'],
    ['unknown', 'uncertain', 'unknown'],
  ] as const)('%s: %s, %s', async (status, code, outcome) => {
    const error = await failure(new ProbeBackend(answering({ one: refuse(status) })).sendMessages([draft('one')]));
    expect(error).toMatchObject({ code, outcome });
  });

  test('all retryable: temporary', async () => {
    const later = ({ index }: Job): DeliveryResult => ({
      index,
      messageId: null,
      recipients: new Map([['one@x.org', recipientStatus('one@x.org', 'failed', { retryable: true })]]),
    });
    expect(await failure(new ProbeBackend(answering({ one: later })).sendMessages([draft('one')]))).toMatchObject({
      code: 'temporary',
      retryable: true,
    });
  });

  test('many recipients: the text stays short', async () => {
    const to = Array.from({ length: 50 }, (_, index) => `u${index}@x.org`);
    const backend = new ProbeBackend(answering({ one: refuse('rejected') }));
    expect((await failure(backend.sendMessages([draft('one', { to })]))).message).toContain('and 45 more');
  });

  test('several messages with the same fault: that one; with different ones: several', async () => {
    const down = new EmailConnectionError('refused', 'nobody answers', { retryable: true });
    const backend = new ProbeBackend(
      answering({
        one: (job) => failedDelivery(job, down),
        two: (job) => failedDelivery(job, down),
        three: refuse('rejected'),
      }),
    );
    const same = await failure(backend.sendMessages([draft('one'), draft('two')]));
    expect(same).toBeInstanceOf(EmailConnectionError);
    expect(same).toMatchObject({ code: 'refused', message: 'nobody answers', retryable: true });
    expect(same.status?.results).toHaveLength(2);
    const mixed = await failure(backend.sendMessages([draft('one'), draft('three')]));
    expect(mixed).toMatchObject({ name: 'SendError', code: 'several', retryable: false, outcome: 'not-sent' });
    expect(mixed.message).toContain(mixed.status?.results[0]?.error?.message);
    expect('cause' in mixed).toBe(false); // it would say the same again
  });

  test('the error is a real Error of its class, with the stack of its call, and not the one that others may hold', async () => {
    const shared = new EmailConnectionError('refused', 'nobody answers');
    const backend = new ProbeBackend((jobs) => deliverEach(jobs, (job) => failedDelivery(job, shared)));
    async function signUp(name: string): Promise<EmailError> {
      const error = await failure(backend.sendMessages([draft(name)]));
      return error;
    }
    const [one, two] = await Promise.all([signUp('one'), signUp('two')]);
    expect([one?.status?.recipients.has('one@x.org'), two?.status?.recipients.has('two@x.org')]).toEqual([true, true]);
    expect(shared.status).toBeNull();
    expect(Object.prototype.toString.call(one)).toBe('[object Error]');
    expect(one?.stack).toMatch(/^EmailConnectionError: nobody answers\n.*\bSendCall\b/);
    expect(one?.stack).toMatch(/ at (?:async )?signUp /);
  });
});

describe('features', () => {
  test('advisory ones are left out and listed; essential ones are refused before the wire', async () => {
    const taken: Job[] = [];
    const backend = new ProbeBackend(
      (jobs) =>
        deliverEach(
          jobs,
          sentAfter((job) => taken.push(job)),
        ),
      {
        features: ['metadata'],
      },
    );
    const status = await backend.sendMessages([
      draft('one', { tags: ['a'], metadata: { a: 'b' }, priority: 'high' }),
      draft('two', { templateId: 't', dsn: { notify: 'never' } }),
    ]);
    expect(status.results[0]?.ignored).toEqual(['tags', 'priority']);
    expect(status.results[1]?.error).toBeInstanceOf(UnsupportedFeatureError);
    expect(status.results[1]?.error).toMatchObject({ features: ['templateId', 'dsn'] });
    expect(taken).toHaveLength(1);
    expect(await failure(backend.sendMessages([draft('two', { templateId: 't' })]))).toBeInstanceOf(
      UnsupportedFeatureError,
    );
  });

  test("onUnsupported: 'error' makes the advisory ones strict", async () => {
    const backend = new ProbeBackend(sendAll, { onUnsupported: 'error' });
    const error = await failure(backend.sendMessages([draft('one', { tags: ['a'], templateId: 't' })]));
    expect(error).toMatchObject({ code: 'unsupported-feature', features: ['templateId', 'tags'] });
  });

  test('what the backend found out itself is listed, too', async () => {
    const backend = new ProbeBackend(answering({ one: (job) => ({ ...sent(job), ignored: ['trackOpens', 'tags'] }) }));
    const status = await backend.sendMessages([draft('one', { tags: ['a'] })]);
    expect(status.results[0]?.ignored).toEqual(['tags', 'trackOpens']);
  });
});

describe('defaultFrom', () => {
  const { fromEmail: _, ...anonymous } = draft('one');

  test('is the sender of messages that name none', async () => {
    const senders: string[] = [];
    const backend = new ProbeBackend(
      (jobs) =>
        deliverEach(
          jobs,
          sentAfter((job) => senders.push(job.message.fromEmail)),
        ),
      {
        defaultFrom: { name: 'Shop', address: 'shop@x.org' },
      },
    );
    await backend.sendMessages([
      anonymous,
      draft('two'),
      { ...anonymous, fromEmail: undefined } as never,
      { ...anonymous, fromEmail: null } as never,
    ]);
    expect(senders).toEqual(['Shop <shop@x.org>', 'a@x.org', 'Shop <shop@x.org>', 'Shop <shop@x.org>']);
  });

  test('without it the message is refused and told how to get one', async () => {
    const error = await failure(new ProbeBackend().sendMessages([anonymous]));
    expect(error.message).toContain('fromEmail: it is missing; give it, or set defaultFrom or AMSDAL_EMAIL_FROM');
    expect(statuses(error.status)).toEqual({ 'one@x.org': 'failed' });
  });
});

describe('open and close', () => {
  test('are counted, and using it again connects anew', async () => {
    const backend = new ProbeBackend();
    expect(await backend.open()).toBe(backend);
    await backend.open();
    await backend.close();
    expect(backend.log).toEqual(['connect', 'connect']);
    await backend.close();
    await backend.close();
    expect(backend.log).toEqual(['connect', 'connect', 'disconnect', 'disconnect']);
    await backend.open();
    await backend[Symbol.asyncDispose]();
    expect(backend.log.slice(-2)).toEqual(['connect', 'disconnect']);
  });

  test('close waits for what is under way and what is queued', async () => {
    const hold = new Signal();
    const backend: ProbeBackend = new ProbeBackend(
      (jobs) =>
        deliverEach(jobs, async (job) => {
          await hold.promise;
          backend.log.push(job.message.subject);
          return sent(job);
        }),
      { maxActiveCalls: 1 },
    );
    const calls = ['one', 'two', 'three'].map((subject) => backend.sendMessages([draft(subject)]));
    const closing = backend.close();
    hold.give();
    await Promise.all([...calls, closing]);
    expect(backend.log).toEqual(['one', 'two', 'three', 'disconnect']);
  });

  test('verify connects and closes again', async () => {
    const backend = new ProbeBackend();
    expect(await backend.verify()).toEqual({ backend: 'probe', details: {} });
    expect(backend.log).toEqual(['connect', 'disconnect']);
  });
});

test('stats tell what is pending and what came of the rest', async () => {
  const hold = new Signal();
  const backend = new ProbeBackend(
    answering({
      two: refuse('rejected'),
      three: async (job) => {
        await hold.promise;
        return sent(job);
      },
    }),
  );
  const call = backend.sendMessages([draft('one'), draft('two'), draft('three'), draft('four', { to: [] })]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(backend.stats()).toEqual({
    pending: 1,
    recipients: { sent: 1, queued: 0, invalid: 0, rejected: 1, failed: 0, unknown: 0 },
  });
  hold.give();
  await call;
  expect(backend.stats()).toMatchObject({ pending: 0, recipients: { sent: 2, rejected: 1 } });
});

test('a great many calls at once leave timers and sockets their turn', async () => {
  const backend = new ProbeBackend();
  let turns = 0;
  let isOver = false;
  const count = () => {
    turns++;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  await Promise.all(Array.from({ length: 5_000 }, (_, index) => backend.sendMessages([draft(`m${index}`)])));
  await backend.sendMessages(Array.from({ length: 5_000 }, (_, index) => draft(`m${index}`)));
  isOver = true;
  expect(turns).toBeGreaterThan(10);
});

test('a test that fakes the clock does not stop the mails', async () => {
  vi.useFakeTimers();
  const backend = new ProbeBackend();
  const status = await backend.sendMessages(Array.from({ length: 1_000 }, (_, index) => draft(`m${index}`)));
  vi.useRealTimers();
  expect(status.getSuccessfulRecipients()).toHaveLength(1_000);
});

test('results are plain facts', async () => {
  const status = await new ProbeBackend().sendMessages([draft('one')]);
  expect(status.results).toEqual<MessageResult[]>([
    {
      index: 0,
      messageId: 'one@x.org',
      recipients: new Map([['one@x.org', recipientStatus('one@x.org', 'sent')]]),
      error: null,
      ignored: [],
      espResponse: null,
    },
  ]);
});
