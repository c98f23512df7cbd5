import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, describe, expect, test } from 'vitest';
import { deliverEach } from '../../../src/backend/deliver-each.ts';
import { AfterSend, BeforeSend, SendFailed } from '../../../src/events/mail-events.ts';
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

  test('finds the AsyncLocalStorage of whoever sends, in calls that wait for their turn, too', async () => {
    const sender = new AsyncLocalStorage<string>();
    const seen: (readonly [string, string | undefined])[] = [];
    const note = (subject: string) => seen.push([subject, sender.getStore()]);
    stops.push(
      BeforeSend.subscribe((context, next) => {
        note(context.message.subject);
        return next(context);
      }),
      AfterSend.subscribe((context, next) => {
        note(context.message.subject);
        return next(context);
      }),
    );
    class OneCall extends ProbeBackend {
      protected override readonly maxActiveCalls = 1;
    }
    const backend = new OneCall();
    const subjects = ['one', 'two', 'three'];
    await Promise.all(subjects.map((subject) => sender.run(subject, () => backend.sendMessages([draft(subject)]))));
    expect(seen).toEqual(
      subjects.flatMap((subject) => [
        [subject, subject],
        [subject, subject],
      ]),
    );
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
