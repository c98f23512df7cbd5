import { getEventListeners } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { DummyBackend } from '../../../src/backends/dummy.ts';
import { sendMail } from '../../../src/connection/send.ts';
import { AfterSend, BeforeSend, SendFailed } from '../../../src/events/mail-events.ts';
import { EmailError, SendError } from '../../../src/model/errors.ts';
import type { MessageResult } from '../../../src/model/status.ts';
import { draft, ProbeBackend, sent } from '../../probe-backend.ts';

const undo: (() => void)[] = [];
afterEach(() => {
  for (const each of undo.splice(0)) each();
});

const never = () => new Promise<never>(() => {});

/** What a call told of one mail: its status and the code of what was thrown. */
interface Told {
  readonly status: string | undefined;
  readonly thrown: string | null;
}

type Send = (backend: DummyBackend, signal: AbortSignal) => Promise<Told>;

const toldBy = async (status: Promise<{ readonly results: readonly MessageResult[] }>): Promise<Told> => {
  try {
    return { status: statusOf((await status).results[0]), thrown: null };
  } catch (error) {
    if (!(error instanceof EmailError)) throw error;
    return { status: statusOf(error.status?.results[0]), thrown: error.code };
  }
};
const statusOf = (result: MessageResult | undefined) => [...(result?.recipients.values() ?? [])][0]?.status;

const calls: readonly (readonly [string, Send])[] = [
  [
    'sendMail',
    (connection, signal) =>
      toldBy(
        sendMail({ subject: 's', message: 'b', fromEmail: 'a@x.org', recipientList: 'b@x.org', connection, signal }),
      ),
  ],
  ['sendMessages', (backend, signal) => toldBy(backend.sendMessages([draft('one')], { signal }))],
  [
    'stream',
    async (backend, signal) => {
      const results: MessageResult[] = [];
      for await (const result of backend.stream([draft('one')], { signal })) results.push(result);
      return { status: statusOf(results[0]), thrown: results[0]?.error?.code ?? null };
    },
  ],
];

describe.each(calls)('a signal ends %s while a listener never settles', (_, send) => {
  test('of BeforeSend: the mail is not sent', async () => {
    undo.push(BeforeSend.subscribe(never));
    const backend = new DummyBackend({ store: true });
    const signal = AbortSignal.timeout(20);
    expect(await send(backend, signal)).toEqual({ status: 'failed', thrown: 'aborted' });
    expect(backend.messages).toEqual([]);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test('of AfterSend: what was sent is told to be', async () => {
    undo.push(AfterSend.subscribe(never));
    const backend = new DummyBackend({ store: true });
    const signal = AbortSignal.timeout(20);
    expect(await send(backend, signal)).toEqual({ status: 'sent', thrown: null });
    expect(backend.messages).toHaveLength(1);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test('of SendFailed: why it failed is told', async () => {
    undo.push(SendFailed.subscribe(never));
    const backend = new DummyBackend();
    backend.failNext(new SendError('quota', 'enough for today', { phase: 'request' }));
    expect(await send(backend, AbortSignal.timeout(20))).toEqual({ status: 'failed', thrown: 'quota' });
  });
});

test('many mails behind a silent listener: one is asked, none is sent, all are told', async () => {
  let asked = 0;
  undo.push(
    BeforeSend.subscribe(() => {
      asked++;
      return never();
    }),
  );
  const three = ['one', 'two', 'three'].map((subject) => draft(subject));
  const error = await new DummyBackend().sendMessages(three, { signal: AbortSignal.timeout(20) }).catch((e) => e);
  expect(error).toMatchObject({ code: 'aborted', outcome: 'not-sent' });
  expect(error.status.results.map(statusOf)).toEqual(['failed', 'failed', 'failed']);
  expect(asked).toBe(1);
});

test('a listener that hears of the end, and is done a turn later, is waited for', async () => {
  const abort = new AbortController();
  const noted: string[] = [];
  undo.push(
    SendFailed.subscribe(async (context, next) => {
      await new Promise((resolve) => setImmediate(resolve));
      noted.push(context.error.code);
      return next(context);
    }),
  );
  abort.abort();
  await new DummyBackend().sendMessages([draft('one')], { signal: abort.signal }).catch(() => {});
  expect(noted).toEqual(['aborted']);
});

test('a stream can be left while a listener is silent, signal or not', async () => {
  undo.push(BeforeSend.subscribe((context, next) => (context.message.subject === 'two' ? never() : next(context))));
  const source = async function* () {
    yield draft('one');
    yield draft('two');
  };
  const seen: number[] = [];
  for await (const { index } of new DummyBackend().stream(source())) {
    seen.push(index);
    break;
  }
  expect(seen).toEqual([0]);
  const backend = new ProbeBackend(async function* (jobs) {
    const iterator = jobs[Symbol.asyncIterator]();
    const first = await iterator.next();
    void iterator.next(); // reads on, into the silence
    if (first.done !== true) yield sent(first.value);
  });
  for await (const { index } of backend.stream(source())) {
    seen.push(index);
    break;
  }
  expect(seen).toEqual([0, 0]);
  await backend.close();
});
