import { describe, expect, test } from 'vitest';
import type { DeliveryContext, DeliveryResult, Job } from '../../../src/backend/job.ts';
import { BeforeSend } from '../../../src/events/mail-events.ts';
import { ConfigurationError, EmailConnectionError, SendError } from '../../../src/model/errors.ts';
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
  statuses,
} from '../../probe-backend.ts';

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
