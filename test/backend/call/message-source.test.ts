import { describe, expect, test } from 'vitest';
import type { SendProgress } from '../../../src/backend/call/call-options.ts';
import { answering, draft, failure, ProbeBackend, sent, sentAfter, statuses } from '../../probe-backend.ts';

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
