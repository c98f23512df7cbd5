import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { MessageResult } from '../../../src/model/status.ts';

// What calls are made of is loaded with the first one: each of these is the first.

/** Modules as of a process that has sent nothing. */
async function fresh() {
  vi.resetModules();
  const probe = await import('../../probe-backend.ts');
  const { DummyBackend } = await import('../../../src/backends/dummy.ts');
  return { ...probe, DummyBackend };
}

const subjects = (results: readonly MessageResult[]) => results.map(({ messageId }) => messageId);

test.each(['Node.js/20', 'Cloudflare-Workers'])('close waits for it in %s', async (userAgent) => {
  vi.stubGlobal('navigator', { userAgent });
  onTestFinished(() => {
    vi.unstubAllGlobals();
  });
  const { ProbeBackend, draft, sendAll } = await fresh();
  const backend = new ProbeBackend((jobs) => {
    backend.log.push('deliver');
    return sendAll(jobs);
  });
  const call = backend.sendMessages([draft('one')]);
  await backend.close();
  expect(backend.log).toEqual(['deliver', 'disconnect']);
  expect(await call).toMatchObject({ isSuccess: true });
});

test('calls made at once keep their order', async () => {
  const { DummyBackend, draft } = await fresh();
  const backend = new DummyBackend({ store: true });
  await Promise.all(['one', 'two', 'three'].map((subject) => backend.sendMessages([draft(subject)])));
  expect(backend.messages.map(({ subject }) => subject)).toEqual(['one', 'two', 'three']);
});

test('the caller may change its objects once the call is made', async () => {
  const { DummyBackend, draft } = await fresh();
  const backend = new DummyBackend({ store: true });
  const mail = { ...draft('one') };
  const call = backend.sendMessages([mail]);
  mail.subject = 'changed';
  await call;
  expect(backend.messages.map(({ subject }) => subject)).toEqual(['one']);
});

test('an aborted call sends nothing', async () => {
  const { DummyBackend, draft } = await fresh();
  const backend = new DummyBackend({ store: true });
  const caller = new AbortController();
  const call = backend.sendMessages([draft('one')], { signal: caller.signal });
  caller.abort();
  await expect(call).rejects.toMatchObject({ code: 'aborted' });
  expect(backend.messages).toEqual([]);
});

test('a stream gives what is asked for at once, in order, and close waits for it', async () => {
  const { ProbeBackend, draft } = await fresh();
  const backend = new ProbeBackend();
  const stream = backend.stream(['one', 'two'].map((subject) => draft(subject)));
  const steps = [stream.next(), stream.next(), stream.next()];
  await backend.close();
  expect(backend.log).toEqual(['disconnect']);
  const [first, second, third] = await Promise.all(steps);
  expect(subjects([first?.value, second?.value])).toEqual(['one@x.org', 'two@x.org']);
  expect(third).toEqual({ done: true, value: undefined });
});

test('a stream that is left before its first result closes the messages', async () => {
  const { ProbeBackend, draft } = await fresh();
  const end = vi.fn();
  const messages = {
    [Symbol.iterator]: () => ({ next: () => ({ done: false, value: draft('one') }), return: end }),
  };
  const stream = new ProbeBackend().stream(messages as Iterable<ReturnType<typeof draft>>);
  expect(await stream.return?.()).toEqual({ done: true, value: undefined });
  expect(end).toHaveBeenCalledOnce();
});

test('a part that cannot be loaded fails every call, and those after it', async () => {
  const { DummyBackend, draft } = await fresh();
  const { callEngine } = await import('../../../src/backend/call/late-engine.ts');
  const { ConfigurationError } = await import('../../../src/model/errors.ts');
  const missing = new ConfigurationError('load-failed', 'a part cannot be loaded');
  const load = vi.spyOn(callEngine, 'load').mockRejectedValue(missing);
  const backend = new DummyBackend();
  const calls = Array.from({ length: 300 }, () => backend.sendMessages([draft('one')]));
  const settled = await Promise.allSettled(calls);
  expect(settled.every((each) => each.status === 'rejected' && each.reason.code === 'load-failed')).toBe(true);
  await backend.close();
  load.mockRestore();
  expect(await backend.sendMessages([draft('two')])).toMatchObject({ isSuccess: true });
});

test('where a part cannot be loaded nothing stays open', async () => {
  vi.useFakeTimers();
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const { ProbeBackend, draft, sendAll } = await fresh();
  const { callEngine } = await import('../../../src/backend/call/late-engine.ts');
  vi.spyOn(callEngine, 'load').mockRejectedValue(new Error('a part cannot be loaded'));
  const backend = new ProbeBackend(sendAll, { deadlineMs: 60_000 });
  const end = vi.fn(() => ({ done: true as const, value: undefined }));
  const messages = {
    [Symbol.iterator]: () => ({ next: () => ({ done: false, value: draft('one') }), return: end }),
  };
  await expect(backend.sendMessages(messages)).rejects.toThrow('a part cannot be loaded');
  expect(vi.getTimerCount()).toBe(0);
  expect(end).toHaveBeenCalledTimes(1);
  await expect(backend.stream(messages).next()).rejects.toThrow('a part cannot be loaded');
  expect(end).toHaveBeenCalledTimes(2);
  await expect(backend.open()).rejects.toThrow('a part cannot be loaded');
  expect(backend.log).toEqual([]);
});

test('a subclass may deliver by itself', async () => {
  const { DummyBackend, draft } = await fresh();
  const { EmailMessage } = await import('../../../src/model/message.ts');
  class Own extends DummyBackend {
    async own(): Promise<unknown[]> {
      const message = new EmailMessage(draft('one') as ConstructorParameters<typeof EmailMessage>[0]);
      async function* jobs() {
        yield { index: 0, message, signal: undefined };
      }
      const results: unknown[] = [];
      for await (const result of this.deliver(jobs(), { signal: undefined })) results.push(result);
      return results;
    }
  }
  expect(await new Own().own()).toMatchObject([{ index: 0 }]);
});

test('an error of it shows the functions that await it', async () => {
  const { ProbeBackend, draft } = await fresh();
  const { EmailConnectionError } = await import('../../../src/model/errors.ts');
  const backend = new ProbeBackend(() => {
    throw new EmailConnectionError('refused', 'nobody answers');
  });
  async function signUp() {
    await backend.sendMessages([draft('one')]);
  }
  const error: unknown = await signUp().catch((thrown: unknown) => thrown);
  expect(Reflect.get(Object(error), 'stack')).toMatch(/ at (?:async )?signUp /);
});

test('listeners find the AsyncLocalStorage of whoever sends, in calls and in streams', async () => {
  const { DummyBackend, draft } = await fresh();
  const { BeforeSend } = await import('../../../src/events/mail-events.ts');
  const sender = new AsyncLocalStorage<string>();
  const seen: (readonly [string, string | undefined])[] = [];
  BeforeSend.subscribe((context, next) => {
    seen.push([context.message.subject, sender.getStore()]);
    return next(context);
  });
  const backend = new DummyBackend();
  await Promise.all(
    ['one', 'two', 'three'].map((subject) => sender.run(subject, () => backend.sendMessages([draft(subject)]))),
  );
  await Promise.all(
    ['four', 'five'].map((subject) => sender.run(subject, () => backend.stream([draft(subject)]).next())),
  );
  expect(seen).toEqual(['one', 'two', 'three', 'four', 'five'].map((subject) => [subject, subject]));
});
