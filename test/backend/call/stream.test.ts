import { describe, expect, test } from 'vitest';
import { deliverEach } from '../../../src/backend/deliver-each.ts';
import type { Job } from '../../../src/backend/job.ts';
import { SmtpBackend } from '../../../src/backends/smtp.ts';
import { BeforeSend } from '../../../src/events/mail-events.ts';
import type { MessageResult } from '../../../src/model/status.ts';
import { ScriptedSmtpServer } from '../../../src/testing/server/scripted-smtp-server.ts';
import { draft, ProbeBackend, Signal, sendAll, sent } from '../../probe-backend.ts';

/** How many messages were read. */
function counted(make: (index: number) => ReturnType<typeof draft>, length = Number.POSITIVE_INFINITY) {
  const source = { read: 0, isClosed: false, messages };
  function* messages() {
    try {
      for (; source.read < length; source.read++) yield make(source.read);
    } finally {
      source.isClosed = true;
    }
  }
  return source;
}

async function collect(stream: AsyncIterable<MessageResult>): Promise<(string | null)[]> {
  const found: (string | null)[] = [];
  for await (const { messageId, error } of stream) found.push(error?.code ?? String(messageId));
  return found;
}

test('yields each result, those of bad messages too, and does not throw for them', async () => {
  const messages = [draft('one'), draft('bad', { to: 'nobody' }), draft('tls', { requireTls: true }), draft('four')];
  expect(await collect(new ProbeBackend().stream(messages))).toEqual([
    'one@x.org',
    'invalid-message',
    'unsupported-feature',
    'four@x.org',
  ]);
});

describe('backpressure', () => {
  test('an endless source is read only as fast as results are taken', async () => {
    const source = counted((index) => draft(`m${index}`));
    let taken = 0;
    for await (const _ of new ProbeBackend().stream(source.messages())) {
      taken++;
      expect(source.read).toBeLessThanOrEqual(taken + 1);
      if (taken === 20) break;
    }
    expect(source.isClosed).toBe(true);
  });

  test('an endless source of bad messages, too', async () => {
    const source = counted(() => draft('bad', { to: 'nobody' }));
    let taken = 0;
    for await (const { error } of new ProbeBackend().stream(source.messages())) {
      expect(error?.code).toBe('invalid-message');
      if (++taken === 20) break;
    }
    expect(source.read).toBeLessThan(25);
    expect(source.isClosed).toBe(true);
  });

  test('with several at once, no more than that are read ahead', async () => {
    const source = counted((index) => draft(`m${index}`));
    const backend = new ProbeBackend((jobs) => deliverEach(jobs, sent, 4));
    const stream = backend.stream(source.messages());
    await stream.next();
    expect(source.read).toBeLessThanOrEqual(6);
    await stream.return?.();
    expect(source.isClosed).toBe(true);
    expect(backend.stats().pending).toBe(0);
  });
});

test('nothing is read before the first result is asked for, nor after return', async () => {
  const source = counted((index) => draft(`m${index}`));
  const stream = new ProbeBackend().stream(source.messages());
  expect(source.read).toBe(0);
  expect(await stream.return?.()).toEqual({ done: true, value: undefined });
  expect(await stream.next()).toEqual({ done: true, value: undefined });
  expect(source.read).toBe(0);
});

test('results may be asked for all at once', async () => {
  const stream = new ProbeBackend().stream([draft('one'), draft('two')]);
  const steps = await Promise.all([stream.next(), stream.next(), stream.next(), stream.next()]);
  expect(steps.map(({ done, value }) => (done === true ? null : value.messageId))).toEqual([
    'one@x.org',
    'two@x.org',
    null,
    null,
  ]);
  expect(await stream.next()).toEqual({ done: true, value: undefined });
});

test('return while a result is awaited: that one is told, then all is over', async () => {
  const hold = new Signal();
  const backend = new ProbeBackend((jobs) =>
    deliverEach(jobs, async (job) => {
      await hold.promise;
      return sent(job);
    }),
  );
  const stream = backend.stream([draft('one'), draft('two')]);
  const next = stream.next();
  const returned = stream.return?.();
  hold.give();
  expect(await returned).toMatchObject({ done: true });
  expect(await next).toMatchObject({ value: { messageId: 'one@x.org' } });
  expect(await stream.next()).toMatchObject({ done: true });
  expect(backend.stats().pending).toBe(0);
  await backend.close();
});

test.each([
  ['one by one', 1],
  ['several at once', 4],
])(
  'who leaves early while a message is being prepared: it is not sent, and nothing is pending (%s)',
  async (_, size) => {
    const held = new Signal();
    const sentOnes: string[] = [];
    const stop = BeforeSend.subscribe(async (context, next) => {
      if (context.message.subject === 'two') await held.promise;
      return next(context);
    });
    const backend = new ProbeBackend((jobs) =>
      deliverEach(
        jobs,
        (job) => {
          sentOnes.push(job.message.subject);
          return sent(job);
        },
        size,
      ),
    );
    const stream = backend.stream([draft('one'), draft('two'), draft('three')]);
    await stream.next();
    const waiting = stream.next(); // asks for the second one, which is held
    const returned = stream.return?.();
    held.give();
    await Promise.all([returned, waiting]);
    await backend.close();
    stop();
    expect(sentOnes).toEqual(['one']);
    expect(backend.stats()).toMatchObject({ pending: 0, recipients: { sent: 1 } });
  },
);

test('who leaves early while messages are read ahead: nothing is pending', async () => {
  await using server = await ScriptedSmtpServer.start();
  await using connection = new SmtpBackend({ host: server.host, port: server.port });
  async function* endless() {
    for (let index = 0; ; index++) {
      await new Promise((resolve) => setImmediate(resolve));
      yield draft(`m${index}`);
    }
  }
  let taken = 0;
  for await (const { error } of connection.stream(endless())) {
    expect(error).toBeNull();
    if (++taken === 5) break;
  }
  await connection.close();
  expect(connection.stats().pending).toBe(0);
  const { length } = server.messages;
  await new Promise((resolve) => setImmediate(resolve));
  expect(server.messages).toHaveLength(length);
});

test.each([
  ['a generator', sendAll],
  ['one by one', (jobs: AsyncIterable<Job>) => deliverEach(jobs, sent)],
  ['several at once', (jobs: AsyncIterable<Job>) => deliverEach(jobs, sent, 4)],
])('who leaves does not wait for a source that is silent (%s)', async (_, deliver) => {
  const silence = new Signal();
  async function* silent() {
    yield draft('one');
    await silence.promise;
    yield draft('two');
  }
  const backend = new ProbeBackend(deliver);
  const stream = backend.stream(silent());
  expect(await stream.next()).toMatchObject({ value: { messageId: 'one@x.org' } });
  const next = stream.next();
  expect(await stream.return?.()).toMatchObject({ done: true });
  expect(await next).toMatchObject({ done: true });
  await backend.close();
  silence.give();
  expect(backend.stats()).toMatchObject({ pending: 0, recipients: { sent: 1 } });
});

describe('a stream that cannot be finished says so', () => {
  test('of an array: every message left has its result', async () => {
    const abort = new AbortController();
    const found: (string | null)[] = [];
    const stream = new ProbeBackend().stream([draft('one'), draft('two'), draft('three')], { signal: abort.signal });
    for await (const { error } of stream) {
      found.push(error?.code ?? null);
      abort.abort();
    }
    expect(found).toEqual([null, 'aborted', 'aborted']);
  });

  test('of anything else: it throws after the results it has', async () => {
    const abort = new AbortController();
    const source = counted((index) => draft(`m${index}`));
    const stream = new ProbeBackend().stream(source.messages(), { signal: abort.signal });
    await stream.next();
    abort.abort();
    await expect(collect(stream)).rejects.toMatchObject({ code: 'aborted', outcome: 'unknown', retryable: false });
    expect(source.isClosed).toBe(true);
    expect(await stream.next()).toMatchObject({ done: true });
  });

  test('of a source that throws', async () => {
    async function* broken() {
      yield draft('one');
      throw new Error('row 2');
    }
    const found: unknown[] = [];
    const reading = (async () => {
      for await (const { messageId } of new ProbeBackend().stream(broken())) found.push(messageId);
    })();
    await expect(reading).rejects.toMatchObject({
      code: 'source',
      outcome: 'unknown',
      cause: new Error('row 2'),
    });
    expect(found).toEqual(['one@x.org']);
  });

  test('of a backend that throws', async () => {
    const backend = new ProbeBackend(async function* (jobs) {
      for await (const job of jobs) {
        yield sent(job);
        throw new Error('broken');
      }
    });
    await expect(collect(backend.stream(counted((index) => draft(`m${index}`)).messages()))).rejects.toMatchObject({
      code: 'aborted',
      cause: new Error('broken'),
    });
    expect(await collect(backend.stream([draft('one'), draft('two')]))).toEqual(['one@x.org', 'aborted']);
  });
});

test('is not held up by a full gate, nor by hooks that send', async () => {
  const backend = new ProbeBackend(sendAll, { maxActiveCalls: 1 });
  const stop = BeforeSend.subscribe(async (context, next) => {
    if (context.message.subject !== 'inner') await backend.sendMessages([draft('inner')]);
    return next(context);
  });
  expect(await collect(backend.stream([draft('one'), draft('two')]))).toEqual(['one@x.org', 'two@x.org']);
  stop();
});

test('close waits for a stream that is being read', async () => {
  const backend = new ProbeBackend();
  const stream = backend.stream([draft('one'), draft('two')]);
  await stream.next();
  const closing = backend.close();
  expect(backend.log).toEqual([]);
  await stream.next();
  await stream.next();
  await closing;
  expect(backend.log).toEqual(['disconnect']);
});
