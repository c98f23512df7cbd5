import { afterEach, describe, expect, test, vi } from 'vitest';
import type { SendProgress } from '../src/call-account.ts';
import { deliverEach } from '../src/deliver-each.ts';
import {
  type DeliveryContext,
  type DeliveryResult,
  failedDelivery,
  type Job,
  recipientStatus,
} from '../src/delivery.ts';
import {
  ConfigurationError,
  EmailConnectionError,
  EmailError,
  MessageError,
  SendError,
  UnsupportedFeatureError,
} from '../src/errors.ts';
import { AfterSend, BeforeSend, SendFailed } from '../src/mail-events.ts';
import { EmailMessage } from '../src/message.ts';
import type { EmailMessageDraft } from '../src/message-init.ts';
import type { Messages } from '../src/message-source.ts';
import type { DeliveryStatus, MessageResult, SendStatus } from '../src/status.ts';
import { draft, ProbeBackend, Signal, sendAll, sent } from './probe-backend.ts';

/** Statuses by recipient. */
function statuses(status: SendStatus | null | undefined): Record<string, DeliveryStatus> {
  return Object.fromEntries([...(status?.recipients ?? [])].map(([address, recipient]) => [address, recipient.status]));
}

/** The error a call ends with. */
async function failure(call: Promise<unknown>): Promise<EmailError> {
  const error: unknown = await call.then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  );
  if (error instanceof EmailError) return error;
  throw error;
}

/** Answers each job by its subject. */
function answering(answers: Readonly<Record<string, (job: Job) => DeliveryResult | Promise<DeliveryResult>>>) {
  return (jobs: AsyncIterable<Job>) => deliverEach(jobs, (job) => (answers[job.message.subject] ?? sent)(job), 3);
}

/** Sends a job after something else has happened. */
const sentAfter =
  (happen: (job: Job) => unknown) =>
  (job: Job): DeliveryResult => {
    happen(job);
    return sent(job);
  };

const refuse =
  (status: DeliveryStatus, ...some: string[]) =>
  ({ index, message }: Job): DeliveryResult => ({
    index,
    messageId: null,
    recipients: new Map(
      message.recipients.map(({ address }) => [
        address,
        recipientStatus(address, some.length === 0 || some.includes(address) ? status : 'sent', { code: 550 }),
      ]),
    ),
  });

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

describe('the answers of a backend are taken with care', () => {
  const three = ['one', 'two', 'three'].map((subject) => draft(subject));

  test('an answer that cannot be read ends the call: what was given away is in doubt, the rest was not sent', async () => {
    const backend = new ProbeBackend(async function* (jobs) {
      for await (const { index } of jobs) yield { index } as DeliveryResult; // which lacks what every answer has
    });
    const error = await failure(backend.sendMessages(three));
    expect(error.status?.results.map((result) => result.error?.code)).toEqual(['uncertain', 'aborted', 'aborted']);
    expect(backend.stats().pending).toBe(0);
  });

  test('a second answer, or one to what was not asked, changes nothing', async () => {
    const backend = new ProbeBackend(async function* (jobs) {
      for await (const job of jobs) {
        yield sent(job);
        yield refuse('rejected')(job);
        yield { ...sent(job), index: 99 };
      }
    });
    expect(await backend.sendMessages(three)).toMatchObject({ isSuccess: true });
    expect(backend.stats()).toMatchObject({ pending: 0, recipients: { sent: 3, rejected: 0 } });
  });

  test('recipients it forgets are unknown, those it invents are left out, the order is that of the message', async () => {
    const backend = new ProbeBackend(
      answering({
        one: ({ index }) => ({
          index,
          messageId: 'm',
          recipients: new Map([
            ['c@x.org', recipientStatus('c@x.org', 'rejected')],
            ['nobody@x.org', recipientStatus('nobody@x.org', 'rejected')],
            ['a@x.org', recipientStatus('a@x.org', 'sent')],
          ]),
        }),
      }),
    );
    const status = await backend.sendMessages([draft('one', { to: ['a@x.org', 'b@x.org'], bcc: 'c@x.org' })]);
    expect(Object.entries(statuses(status))).toEqual([
      ['a@x.org', 'sent'],
      ['b@x.org', 'unknown'],
      ['c@x.org', 'rejected'],
    ]);
    expect(status.recipients.get('b@x.org')?.error).toMatchObject({ code: 'uncertain', outcome: 'unknown' });
  });

  test('jobs it takes and does not answer are unknown; those it never takes are not sent', async () => {
    const backend = new ProbeBackend(async function* (jobs) {
      const iterator = jobs[Symbol.asyncIterator]();
      const { value } = await iterator.next();
      await iterator.next();
      yield sent(value as Job);
    });
    const status = await backend.sendMessages(three);
    expect(statuses(status)).toEqual({ 'one@x.org': 'sent', 'two@x.org': 'unknown', 'three@x.org': 'failed' });
    expect(status.results.map(({ error }) => [error?.code, error?.outcome])).toEqual([
      [undefined, undefined],
      ['uncertain', 'unknown'],
      ['aborted', 'not-sent'],
    ]);
  });

  test.each<[string, (jobs: AsyncIterable<Job>) => AsyncIterable<DeliveryResult>]>([
    [
      'leaving a loop over the jobs',
      async function* (jobs) {
        for await (const job of jobs) {
          yield sent(job);
          break;
        }
      },
    ],
    [
      'throwing in the loop',
      async function* (jobs) {
        for await (const job of jobs) {
          yield sent(job);
          throw new SendError('quota', 'no more today');
        }
      },
    ],
  ])('ending early by %s leaves no message without a result', async (_, deliver) => {
    const status = await new ProbeBackend(deliver).sendMessages(three);
    expect(statuses(status)).toEqual({ 'one@x.org': 'sent', 'two@x.org': 'failed', 'three@x.org': 'failed' });
    expect(status.results).toHaveLength(3);
  });

  test('ending while a listener of BeforeSend is thinking fails that message, too', async () => {
    const hold = new Signal();
    const stop = BeforeSend.subscribe(async (context, next) => {
      await hold.promise;
      return next(context);
    });
    const backend = new ProbeBackend(async function* (jobs) {
      void jobs[Symbol.asyncIterator]().next();
      yield* [];
      throw new EmailConnectionError('dns', 'no such host');
    });
    const error = await failure(backend.sendMessages(three));
    stop();
    expect(statuses(error.status)).toEqual({ 'one@x.org': 'failed', 'two@x.org': 'failed', 'three@x.org': 'failed' });
    hold.give();
    await new Promise(setImmediate);
    expect(backend.stats().pending).toBe(0);
  });

  test('hears of the deadline by the signal of its call', async () => {
    const told: unknown[] = [];
    const deliver = async function* (jobs: AsyncIterable<Job>, { signal }: DeliveryContext) {
      await new Promise((resolve) => signal?.addEventListener('abort', resolve));
      told.push(signal?.reason);
      yield* sendAll(jobs);
    };
    const error = await failure(new ProbeBackend(deliver, { deadlineMs: 5 }).sendMessages(three));
    expect(told).toEqual([expect.objectContaining({ name: 'TimeoutError' })]);
    expect(error).toMatchObject({ code: 'timeout', outcome: 'not-sent', retryable: true });
  });

  test('what it throws is the failure of all that is left: certain when it says so, unknown of what was taken otherwise', async () => {
    const certain = new EmailConnectionError('dns', 'no such host');
    const throwing = (error: unknown) =>
      new ProbeBackend(async function* (jobs) {
        await jobs[Symbol.asyncIterator]().next();
        yield* [];
        throw error;
      });
    const known = await failure(throwing(certain).sendMessages(three));
    expect(known).toMatchObject({ name: 'EmailConnectionError', code: 'dns' });
    expect(statuses(known.status)).toEqual({ 'one@x.org': 'failed', 'two@x.org': 'failed', 'three@x.org': 'failed' });
    const unknown = await failure(throwing(new TypeError('x is not a function')).sendMessages(three));
    expect(unknown).toMatchObject({ code: 'several', outcome: 'unknown' });
    expect(statuses(unknown.status)).toEqual({
      'one@x.org': 'unknown',
      'two@x.org': 'failed',
      'three@x.org': 'failed',
    });
    expect(unknown.status?.results[0]?.error).toMatchObject({
      code: 'uncertain',
      cause: new TypeError('x is not a function'),
    });
  });

  test('deliver that throws before it returns anything', async () => {
    const backend = new ProbeBackend(
      () => {
        throw new ConfigurationError('invalid-key', 'no key');
      },
      { maxActiveCalls: 1 },
    );
    const calls = three.map((mail) => failure(backend.sendMessages([mail], { failSilently: true })));
    for (const error of await Promise.all(calls)) expect(error).toMatchObject({ code: 'invalid-key' });
    expect(backend.stats().pending).toBe(0);
    await backend.close();
  });

  test('jobs asked for all at once come each once', async () => {
    const seen: number[] = [];
    const backend = new ProbeBackend(async function* (jobs) {
      const iterator = jobs[Symbol.asyncIterator]();
      const steps = await Promise.all(Array.from({ length: 5 }, () => iterator.next()));
      for (const step of steps) {
        if (step.done === true) continue;
        seen.push(step.value.index);
        yield sent(step.value);
      }
    });
    async function* slowly() {
      for (const mail of three) yield mail;
    }
    const status = await backend.sendMessages(slowly());
    expect(seen).toEqual([0, 1, 2]);
    expect(status.results.map(({ messageId }) => messageId)).toEqual(['one@x.org', 'two@x.org', 'three@x.org']);
  });
});

describe('a source', () => {
  const endsWith = (error: unknown) =>
    async function* () {
      yield draft('one');
      throw error;
    };

  test('that throws ends the call: what was read is sent, the error has the status', async () => {
    const cause = new Error('row 2 is broken');
    const error = await failure(new ProbeBackend().sendMessages(endsWith(cause)()));
    expect(error).toMatchObject({ name: 'SendError', code: 'source', phase: 'queue', outcome: 'unknown', cause });
    expect(error.message).toBe('reading message 1 failed, no further one was sent: row 2 is broken');
    expect(statuses(error.status)).toEqual({ 'one@x.org': 'sent' });
  });

  test('is told also with failSilently, as nothing else would', async () => {
    const call = new ProbeBackend().sendMessages(endsWith('text')(), { failSilently: true });
    expect((await failure(call)).code).toBe('source');
  });

  test('a synchronous one as well', async () => {
    const call = new ProbeBackend().sendMessages(
      (function* () {
        yield draft('one');
        throw new Error('broken');
      })(),
    );
    expect(statuses((await failure(call)).status)).toEqual({ 'one@x.org': 'sent' });
  });

  test('is closed when the backend ends early, and the call says that not all was sent', async () => {
    let closed = false;
    async function* endless() {
      try {
        for (let index = 0; ; index++) yield draft(`m${index}`);
      } finally {
        closed = true;
      }
    }
    const backend = new ProbeBackend(async function* (jobs) {
      for await (const job of jobs) {
        yield sent(job);
        if (job.index === 1) return;
      }
    });
    const error = await failure(backend.sendMessages(endless()));
    expect(error).toMatchObject({ code: 'aborted', outcome: 'unknown', retryable: false });
    expect(statuses(error.status)).toEqual({ 'm0@x.org': 'sent', 'm1@x.org': 'sent' });
    expect(closed).toBe(true);
  });

  test('an endless synchronous one is not read on either', async () => {
    function* endless() {
      for (let index = 0; ; index++) yield draft(`m${index}`);
    }
    const abort = new AbortController();
    const backend = new ProbeBackend(answering({ m5: sentAfter(() => abort.abort()) }));
    const error = await failure(backend.sendMessages(endless(), { signal: abort.signal }));
    expect(error.code).toBe('aborted');
    expect(error.status?.isSuccess).toBe(true);
    expect(error.status?.results.length).toBeLessThan(10);
  });
});

describe('abort', () => {
  const three = ['one', 'two', 'three'].map((subject) => draft(subject));

  test('before the call: nothing is taken', async () => {
    const taken: Job[] = [];
    const backend = new ProbeBackend((jobs) =>
      deliverEach(
        jobs,
        sentAfter((job) => taken.push(job)),
      ),
    );
    const error = await failure(backend.sendMessages(three, { signal: AbortSignal.abort(new Error('stop')) }));
    expect(error).toMatchObject({ name: 'SendError', code: 'aborted', retryable: true, cause: new Error('stop') });
    expect(statuses(error.status)).toEqual({ 'one@x.org': 'failed', 'two@x.org': 'failed', 'three@x.org': 'failed' });
    expect(taken).toEqual([]);
  });

  test('during the call: what was sent is sent, the rest is not', async () => {
    const abort = new AbortController();
    const backend = new ProbeBackend((jobs) =>
      deliverEach(
        jobs,
        sentAfter(() => abort.abort()),
      ),
    );
    const status = await backend.sendMessages(three, { signal: abort.signal });
    expect(statuses(status)).toEqual({ 'one@x.org': 'sent', 'two@x.org': 'failed', 'three@x.org': 'failed' });
    expect(status.results[1]?.error).toMatchObject({ code: 'aborted', outcome: 'not-sent' });
  });

  test('after the call: nothing happens', async () => {
    const abort = new AbortController();
    const status = await new ProbeBackend().sendMessages(three, { signal: abort.signal });
    abort.abort();
    expect(status.isSuccess).toBe(true);
  });

  test('while queued at the gate: the answer comes at once, and the queue goes on', async () => {
    const hold = new Signal();
    const backend = new ProbeBackend(
      (jobs) =>
        deliverEach(jobs, async (job) => {
          await hold.promise;
          return sent(job);
        }),
      { maxActiveCalls: 1 },
    );
    const abort = new AbortController();
    const first = backend.sendMessages([draft('first')]);
    const queued = backend.sendMessages([draft('queued')], { signal: abort.signal });
    const late = backend.sendMessages([draft('late')], { signal: AbortSignal.abort() });
    const last = backend.sendMessages([draft('last')]);
    abort.abort();
    expect((await failure(queued)).code).toBe('aborted');
    expect((await failure(late)).code).toBe('aborted');
    hold.give();
    expect((await first).isSuccess && (await last).isSuccess).toBe(true);
  });

  test('while a hook is thinking: the message is not sent', async () => {
    const abort = new AbortController();
    const stop = BeforeSend.subscribe(async (context, next) => {
      abort.abort();
      return next(context);
    });
    const error = await failure(new ProbeBackend().sendMessages(three, { signal: abort.signal }));
    stop();
    expect(error.code).toBe('aborted');
    expect(error.status?.getFailedRecipients()).toHaveLength(3);
  });

  test('while a source is slow: the call ends at once', async () => {
    const abort = new AbortController();
    async function* slow() {
      yield draft('one');
      abort.abort();
      await new Promise(() => {});
    }
    const error = await failure(new ProbeBackend().sendMessages(slow(), { signal: abort.signal }));
    expect(error.code).toBe('aborted');
    expect(statuses(error.status)).toEqual({ 'one@x.org': 'sent' });
  });

  test('leaves no listener behind on a signal that many calls share', async () => {
    const abort = new AbortController();
    let listeners = 0;
    const { signal } = abort;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...parameters: Parameters<typeof add>) => {
      listeners++;
      add(...parameters);
    };
    signal.removeEventListener = (...parameters: Parameters<typeof remove>) => {
      listeners--;
      remove(...parameters);
    };
    const backend = new ProbeBackend(sendAll, { maxActiveCalls: 2 });
    await Promise.all(three.map((mail) => backend.sendMessages([mail], { signal })));
    expect(listeners).toBe(0);
  });
});

describe('onProgress', () => {
  test('is told after each message', async () => {
    const told: SendProgress[] = [];
    const onProgress = (progress: SendProgress) => told.push(progress);
    await new ProbeBackend().sendMessages([draft('one'), draft('two')], { onProgress });
    expect(told.map(({ done, total, latest }) => [done, total, latest.messageId])).toEqual([
      [1, 2, 'one@x.org'],
      [2, 2, 'two@x.org'],
    ]);
  });

  test('the total is null when nobody can know it', async () => {
    const totals: (number | null)[] = [];
    await new ProbeBackend().sendMessages(new Set([draft('one')]), { onProgress: ({ total }) => totals.push(total) });
    expect(totals).toEqual([null]);
  });

  test('that throws does not stop the mails, and is told at the end', async () => {
    const onProgress = () => {
      throw new Error('no terminal');
    };
    const error = await failure(new ProbeBackend().sendMessages([draft('one'), draft('two')], { onProgress }));
    expect(error).toMatchObject({ code: 'listener', outcome: 'unknown', cause: new Error('no terminal') });
    expect(error.status?.isSuccess).toBe(true);
  });
});

describe('hooks', () => {
  const stops: (() => void)[] = [];
  afterEach(() => {
    for (const stop of stops.splice(0)) stop();
  });

  test('BeforeSend changes the message, at once or later', async () => {
    stops.push(
      BeforeSend.subscribe((context, next) =>
        next({ ...context, message: context.message.with({ subject: 'changed' }) }),
      ),
      BeforeSend.subscribe(async (context, next) =>
        next({ ...context, message: context.message.with({ to: 'z@x.org' }) }),
      ),
    );
    const status = await new ProbeBackend().sendMessages([draft('one')]);
    expect(status.messageId).toBe('changed@x.org');
    expect(statuses(status)).toEqual({ 'z@x.org': 'sent' });
  });

  test('BeforeSend cancels: failed, code cancelled, not thrown', async () => {
    stops.push(
      BeforeSend.subscribe((context, next) =>
        context.message.subject === 'two' ? { ...context, cancelled: 'not on Sundays' } : next(context),
      ),
    );
    const status = await new ProbeBackend().sendMessages([draft('two')]);
    expect(status.recipients.get('two@x.org')).toMatchObject({ status: 'failed', code: 'cancelled', retryable: false });
    expect(status.error?.message).toContain('not on Sundays');
    const mixed = await new ProbeBackend().sendMessages([draft('one'), draft('two')]);
    expect(statuses(mixed)).toEqual({ 'one@x.org': 'sent', 'two@x.org': 'failed' });
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
    [
      'rejects',
      async () => {
        throw new Error('broken');
      },
    ],
  ])('a listener of BeforeSend that %s keeps its message from being sent', async (_, listener) => {
    stops.push(
      BeforeSend.subscribe((context, next) => (context.message.subject === 'two' ? listener() : next(context))),
    );
    const status = await new ProbeBackend().sendMessages([draft('one'), draft('two')]);
    expect(statuses(status)).toEqual({ 'one@x.org': 'sent', 'two@x.org': 'failed' });
    expect(status.error).toMatchObject({ code: 'listener', phase: 'hook' });
    expect((await failure(new ProbeBackend().sendMessages([draft('two')]))).code).toBe('listener');
  });

  test('AfterSend and SendFailed see every message that was one, with its result', async () => {
    const seen: string[] = [];
    stops.push(
      AfterSend.subscribe((context, next) => {
        seen.push(`${context.backend} sent ${context.message.subject} ${context.result.index}`);
        return next(context);
      }),
      SendFailed.subscribe((context, next) => {
        seen.push(`${context.backend} failed ${context.message.subject} ${context.error.code}`);
        return next(context);
      }),
    );
    const backend = new ProbeBackend(answering({ two: refuse('rejected') }));
    await backend.sendMessages([
      draft('one'),
      draft('two'),
      draft('bad', { to: 'nobody' }),
      draft('tls', { requireTls: true }),
    ]);
    expect(seen.toSorted()).toEqual([
      'probe failed tls unsupported-feature',
      'probe failed two rejected',
      'probe sent one 0',
    ]);
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('metrics are down');
      },
    ],
    [
      'rejects',
      async () => {
        throw new Error('metrics are down');
      },
    ],
  ])(
    'a listener of AfterSend that %s: the mails are sent, the call ends with the error and the status',
    async (_, listener) => {
      stops.push(AfterSend.subscribe(listener));
      const error = await failure(new ProbeBackend().sendMessages([draft('one'), draft('two')]));
      expect(error).toMatchObject({ code: 'listener', phase: 'hook' });
      expect(error.message).toContain('metrics are down');
      expect(error.status).toMatchObject({ isSuccess: true });
    },
  );

  test('a call waits for its listeners', async () => {
    const hold = new Signal();
    const order: string[] = [];
    stops.push(
      AfterSend.subscribe(async (context, next) => {
        await hold.promise;
        order.push('listener');
        return next(context);
      }),
    );
    const call = new ProbeBackend().sendMessages([draft('one'), draft('two')]).then(() => order.push('call'));
    hold.give();
    await call;
    expect(order).toEqual(['listener', 'listener', 'call']);
  });

  test.each([1, 2, 128])(
    'listeners that send through the same full gate of %i do not deadlock',
    async (maxActiveCalls) => {
      const backend = new ProbeBackend(sendAll, { maxActiveCalls });
      const inner = async (subject: string) => {
        if (!subject.startsWith('inner')) await backend.sendMessages([draft(`inner-${subject}`)]);
      };
      stops.push(
        BeforeSend.subscribe(async (context, next) => {
          await inner(context.message.subject);
          return next(context);
        }),
        AfterSend.subscribe(async (context, next) => {
          await inner(context.message.subject);
          return next(context);
        }),
      );
      const calls = Array.from({ length: 50 }, (_, index) =>
        backend.sendMessages([draft(`o${index}`), draft(`p${index}`)]),
      );
      for (const status of await Promise.all(calls)) expect(status.isSuccess).toBe(true);
      expect(backend.stats()).toMatchObject({ pending: 0, recipients: { sent: 300 } });
      await backend.close();
    },
  );

  test('a source that sends through the same full gate does not deadlock either', async () => {
    const backend = new ProbeBackend(sendAll, { maxActiveCalls: 1 });
    async function* source() {
      await backend.sendMessages([draft('inner')]);
      yield draft('outer');
    }
    expect((await backend.sendMessages(source())).isSuccess).toBe(true);
  });

  test('the gate keeps its limit while listeners come and go', async () => {
    let running = 0;
    let most = 0;
    const backend = new ProbeBackend(
      (jobs) =>
        deliverEach(jobs, async (job) => {
          most = Math.max(most, ++running);
          await Promise.resolve();
          running--;
          return sent(job);
        }),
      { maxActiveCalls: 2 },
    );
    stops.push(AfterSend.subscribe(async (context, next) => next(context)));
    const batch = () => Array.from({ length: 20 }, (_, index) => draft(`m${index}`));
    await Promise.all(Array.from({ length: 10 }, () => backend.sendMessages(batch())));
    for (const stop of stops.splice(0)) stop();
    most = 0;
    await Promise.all(Array.from({ length: 10 }, () => backend.sendMessages(batch())));
    expect(most).toBe(2);
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

describe('a message whose reading throws', () => {
  const nobody: object = Object.assign(Object.create(null), { email: 'a@x.org' });
  const throwing = Object.defineProperty({ ...draft('bad') }, 'subject', {
    get: () => {
      throw new Error('no subject today');
    },
  });

  test.each([
    ['an address without a prototype', { ...draft('bad'), to: [{ address: nobody }] }],
    ['a getter', throwing],
  ])('by %s is refused, and the others are sent', async (_, input) => {
    const bad = input as EmailMessageDraft; // as JavaScript may give it
    for (const failSilently of [false, true]) {
      const status = await new ProbeBackend().sendMessages([draft('one'), bad, draft('two')], { failSilently });
      expect(status.results.map(({ error }) => error?.name ?? null)).toEqual([null, 'MessageError', null]);
      const alone = await failure(new ProbeBackend().sendMessages([bad], { failSilently }));
      expect(alone).toMatchObject({ name: 'MessageError', code: 'invalid-message' });
    }
  });
});

describe('failSilently', () => {
  const silently = { failSilently: true };

  test('keeps a failure of delivery in the status', async () => {
    const down = new EmailConnectionError('refused', 'nobody answers');
    const backend = new ProbeBackend((jobs) => deliverEach(jobs, (job) => failedDelivery(job, down)));
    const status = await backend.sendMessages([draft('one')], silently);
    expect(status).toMatchObject({ isSuccess: false, hasFailures: true });
    expect(status.error).toBe(down);
    expect(status.recipients.get('one@x.org')).toMatchObject({ status: 'failed', code: 'refused', error: down });
  });

  test('an unreadable recipient becomes invalid and the others are sent', async () => {
    const to = ['nobody', 'b@x.org', 'x@x@x', 'Team: c@x.org;'];
    const status = await new ProbeBackend().sendMessages([draft('one', { to, cc: 'y' })], silently);
    expect(Object.entries(statuses(status))).toEqual([
      ['b@x.org', 'sent'],
      ['c@x.org', 'sent'],
      ['nobody', 'invalid'],
      ['x@x@x', 'invalid'],
      ['y', 'invalid'],
    ]);
    expect(status.recipients.get('nobody')?.error).toMatchObject({ code: 'invalid-recipient', phase: 'message' });
    expect(status.results[0]?.error).toBeNull();
  });

  test('when nobody is left, all are invalid', async () => {
    const status = await new ProbeBackend().sendMessages(
      [draft('one', { to: ['nobody', { address: 'x' }] })],
      silently,
    );
    expect(statuses(status)).toEqual({ nobody: 'invalid', x: 'invalid' });
    expect(status.error).toMatchObject({ code: 'invalid-recipient' });
  });

  test('without it the same message is refused, with its recipients named', async () => {
    const error = await failure(new ProbeBackend().sendMessages([draft('one', { to: ['nobody', 'b@x.org'] })]));
    expect(error).toBeInstanceOf(MessageError);
    expect(statuses(error.status)).toEqual({ nobody: 'invalid', 'b@x.org': 'failed' });
  });

  test.each<[string, Parameters<typeof draft>[1]]>([
    ['another fault of the message', { subject: 'a\nb' }],
    ['that fault beside an unreadable recipient', { subject: 'a\nb', to: ['nobody', 'b@x.org'] }],
    ['no recipient at all', { to: [] }],
    ['a feature that is missing', { templateId: 't' }],
  ])('throws %s', async (_, fields) => {
    expect(await failure(new ProbeBackend().sendMessages([draft('one', fields)], silently))).toBeInstanceOf(
      MessageError,
    );
  });

  test('throws a ConfigurationError', async () => {
    const broken = new ConfigurationError('missing-dependency', 'npm install it');
    const backend = new ProbeBackend((jobs) => deliverEach(jobs, (job) => failedDelivery(job, broken)));
    expect(await failure(backend.sendMessages([draft('one')], silently))).toMatchObject({ code: 'missing-dependency' });
  });

  test('throws no fault of one message when another was sent', async () => {
    const status = await new ProbeBackend().sendMessages([draft('one'), draft('two', { subject: 'a\nb' })], silently);
    expect(status.results[1]?.error).toBeInstanceOf(MessageError);
    expect(status.hasFailures).toBe(true);
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
