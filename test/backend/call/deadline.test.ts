import { getEventListeners } from 'node:events';
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { deliverEach } from '../../../src/backend/deliver-each.ts';
import type { Job } from '../../../src/backend/job.ts';
import { DummyBackend } from '../../../src/backends/dummy.ts';
import { SesBackend } from '../../../src/backends/ses.ts';
import { AfterSend, BeforeSend } from '../../../src/events/mail-events.ts';
import { EmailError } from '../../../src/model/errors.ts';
import type { MessageResult, SendStatus } from '../../../src/model/status.ts';
import { draft, ProbeBackend, sent } from '../../probe-backend.ts';

// The first call of a process loads a file, which fake timers do not wait for.
beforeAll(() => new DummyBackend().open());
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
const undo: (() => void)[] = [];
afterEach(() => {
  vi.useRealTimers();
  for (const each of undo.splice(0)) each();
});

const DEADLINE = 1_000;
const three = ['one', 'two', 'three'].map((subject) => draft(subject));
const never = () => new Promise<never>(() => {});

/** Every message of a call: status, and code and outcome of its error. */
const told = (results: readonly MessageResult[] | undefined) =>
  (results ?? []).map(({ recipients, error }) => {
    const [recipient] = recipients.values();
    return [recipient?.status, error?.code ?? null, recipient?.retryable];
  });

const FAILED = ['failed', 'timeout', true];
const UNKNOWN = ['unknown', 'timeout', false];
const SENT = ['sent', null, false];

/** What a call came to, and how long it took on the fake clock. */
async function endOf(call: Promise<SendStatus>) {
  const start = performance.now();
  let end = Number.NaN;
  const settled = call
    .catch((error: unknown) => {
      if (error instanceof EmailError && error.status) return error.status;
      throw error;
    })
    .finally(() => {
      end = performance.now();
    });
  await vi.advanceTimersByTimeAsync(DEADLINE + 50);
  const { results } = await settled;
  expect(end - start).toBeLessThanOrEqual(DEADLINE + 50);
  return told(results);
}

describe('when the deadline passes', () => {
  test('what a silent backend was given is unknown, what it was not given has failed', async () => {
    const backend = new ProbeBackend((jobs) => deliverEach(jobs, never), { deadlineMs: DEADLINE });
    const { signal } = new AbortController();
    expect(await endOf(backend.sendMessages(three, { signal }))).toEqual([UNKNOWN, FAILED, FAILED]);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    await backend.close(); // it does not wait for the silent one
    expect(vi.getTimerCount()).toBe(0);
  });

  test('what was answered by then stays as it is', async () => {
    const slowly = (job: Job) => (job.index === 1 ? never() : sent(job));
    const backend = new ProbeBackend((jobs) => deliverEach(jobs, slowly), { deadlineMs: DEADLINE });
    expect(await endOf(backend.sendMessages(three))).toEqual([SENT, UNKNOWN, FAILED]);
  });

  test('a backend that hears of it says itself what it knows', async () => {
    const knowing = async function* (jobs: AsyncIterable<Job>) {
      for await (const job of jobs) {
        await new Promise((resolve) => job.signal?.addEventListener('abort', resolve));
        yield sent(job);
      }
    };
    const backend = new ProbeBackend(knowing, { deadlineMs: DEADLINE });
    expect(await endOf(backend.sendMessages(three))).toEqual([SENT, FAILED, FAILED]);
  });

  test('a backend that throws the reason of its signal has not told whether it sent', async () => {
    const passingOn = ({ signal }: Job) =>
      new Promise<never>((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
    const backend = new ProbeBackend((jobs) => deliverEach(jobs, passingOn), { deadlineMs: DEADLINE });
    expect(await endOf(backend.sendMessages(three))).toEqual([UNKNOWN, FAILED, FAILED]);
  });

  test('a source that is silent ends the call in error, with what was sent', async () => {
    async function* source() {
      yield draft('one');
      await never();
    }
    const call = new DummyBackend({ deadlineMs: DEADLINE }).sendMessages(source());
    const caught = call.catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(DEADLINE + 50);
    expect(await caught).toMatchObject({ code: 'timeout', outcome: 'unknown', retryable: false });
    expect(told(((await caught) as EmailError).status?.results)).toEqual([SENT]);
  });

  test('listeners are not waited for: what BeforeSend had has failed, what AfterSend was told is sent', async () => {
    undo.push(BeforeSend.subscribe((context, next) => (context.message.subject === 'two' ? never() : next(context))));
    undo.push(AfterSend.subscribe(never));
    const call = new DummyBackend({ deadlineMs: DEADLINE }).sendMessages(three);
    expect(await endOf(call)).toEqual([SENT, FAILED, FAILED]);
  });

  test('the wait for a place is counted', async () => {
    const backend = new ProbeBackend((jobs) => deliverEach(jobs, never), { deadlineMs: DEADLINE, maxActiveCalls: 1 });
    const first = endOf(backend.sendMessages([draft('one')]));
    const second = endOf(backend.sendMessages([draft('two')]));
    expect([await first, await second]).toEqual([[UNKNOWN], [FAILED]]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('a stream hands out every result, whenever they are asked for', async () => {
    const slowly = (job: Job) => (job.index === 1 ? never() : sent(job));
    const backend = new ProbeBackend((jobs) => deliverEach(jobs, slowly, 3), { deadlineMs: DEADLINE });
    const stream = backend.stream(three);
    const results = [(await stream.next()).value as MessageResult];
    await vi.advanceTimersByTimeAsync(DEADLINE + 50);
    for await (const result of stream) results.push(result);
    expect(told(results.toSorted((a, b) => a.index - b.index))[0]).toEqual(SENT);
    expect(told(results.toSorted((a, b) => a.index - b.index))[1]?.[1]).toBe('timeout');
    expect(results).toHaveLength(3);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('a stream over a silent backend can be left then', async () => {
    const backend = new ProbeBackend((jobs) => deliverEach(jobs, never, 3), { deadlineMs: DEADLINE });
    const stream = backend.stream(three);
    void stream.next();
    const left = stream.return?.();
    await vi.advanceTimersByTimeAsync(DEADLINE + 50);
    expect(await left).toMatchObject({ done: true });
    expect(vi.getTimerCount()).toBe(0);
  });

  test('SES: a request under way is unknown, those that wait for their turn have failed', async () => {
    const client = {
      send: (command: object) =>
        command.constructor.name === 'GetAccountCommand' ? Promise.resolve({ SendQuota: { MaxSendRate: 1 } }) : never(),
    };
    const connection = await new SesBackend({ client, deadlineMs: DEADLINE, maxConnections: 1 }).open();
    expect(await endOf(connection.sendMessages(three))).toEqual([UNKNOWN, FAILED, FAILED]);
  });
});

test('in time, nothing is left of it', async () => {
  const backend = new DummyBackend({ deadlineMs: DEADLINE });
  expect(told((await backend.sendMessages(three)).results)).toEqual([SENT, SENT, SENT]);
  expect(vi.getTimerCount()).toBe(0);
});

test.each([0, -1, 1.5, 2 ** 31, '5'])('a deadline of %j is none', (deadlineMs) => {
  expect(() => new DummyBackend({ deadlineMs: deadlineMs as number })).toThrow(
    expect.objectContaining({ code: 'invalid-option', message: expect.stringContaining('deadlineMs') }),
  );
});
