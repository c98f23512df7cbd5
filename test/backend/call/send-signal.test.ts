import { describe, expect, test } from 'vitest';
import { deliverEach } from '../../../src/backend/deliver-each.ts';
import type { Job } from '../../../src/backend/job.ts';
import { BeforeSend } from '../../../src/events/mail-events.ts';
import { draft, failure, ProbeBackend, Signal, sendAll, sent, sentAfter, statuses } from '../../probe-backend.ts';

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
