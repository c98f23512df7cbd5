import { describe, expect, it } from 'vitest';
import { EmailBackend } from '../../src/backend/backend.ts';
import { type DeliveryResult, type Job, sameForAll } from '../../src/backend/job.ts';
import { DummyBackend } from '../../src/backends/dummy.ts';
import { Outbox } from '../../src/connection/outbox.ts';
import { EmailConnectionError } from '../../src/model/errors.ts';
import { ALL_FEATURES, type Feature } from '../../src/model/features.ts';
import type { EmailMessageDraft } from '../../src/model/message-init.ts';
import { memoryStore } from '../../src/outbox/memory-store.ts';
import type { OutboxOptions } from '../../src/outbox/outbox-options.ts';
import type { OutboxStore } from '../../src/outbox/store.ts';

function mail(fields: Partial<EmailMessageDraft> = {}): EmailMessageDraft {
  return { subject: 'Welcome', body: 'Hello', fromEmail: 'shop@example.com', to: 'jane@example.org', ...fields };
}

function setUp(options: Partial<OutboxOptions> = {}) {
  let now = Date.now();
  const dummy = new DummyBackend({ store: true });
  const store = memoryStore({ now: () => now });
  const outbox = new Outbox({ store, connection: dummy, ...options });
  const advance = (ms: number) => {
    now += ms;
  };
  return { outbox, dummy, store, advance };
}

/** Lets a call of a store fail, before it does anything. */
function failOnce(
  store: OutboxStore,
  method: 'claim' | 'take' | 'query',
  isMeant: (call: number, what: unknown) => boolean,
): void {
  let calls = 0;
  const real = store[method].bind(store) as (...args: unknown[]) => Promise<unknown>;
  const failing = (what: unknown, ...args: unknown[]) =>
    isMeant(++calls, what)
      ? Promise.reject(new EmailConnectionError('connection', 'the store is away', { retryable: true }))
      : real(what, ...args);
  Object.assign(store, { [method]: failing });
}

/** Takes one mail after the other, and answers when it is told. */
class SlowBackend extends EmailBackend {
  override readonly name = 'slow';
  protected override readonly features: ReadonlySet<Feature> = ALL_FEATURES;
  readonly taken: string[] = [];
  #onTaken = () => {};
  readonly firstTaken = new Promise<void>((resolve) => {
    this.#onTaken = resolve;
  });
  answer = () => {};

  protected override async *deliver(jobs: AsyncIterable<Job>): AsyncGenerator<DeliveryResult> {
    for await (const { index, message } of jobs) {
      this.taken.push(message.subject);
      this.#onTaken();
      await new Promise<void>((resolve) => {
        this.answer = resolve;
      });
      yield { index, messageId: null, recipients: sameForAll(message, 'sent') };
    }
  }
}

describe('a worker whose store fails for a moment', () => {
  it('fails no mail of which the store did not give the content', async () => {
    const { outbox, dummy, store, advance } = setUp();
    let hasFailed = false;
    failOnce(store, 'query', (_, what) => {
      const isMeant = what === 'blobs' && !hasFailed;
      hasFailed ||= isMeant;
      return isMeant;
    });
    const [written] = await outbox.enqueue(mail({ body: 'long '.repeat(1_000) }));
    await expect(outbox.flush()).rejects.toThrow('the store is away');
    expect(await outbox.get(written?.id ?? '')).toMatchObject({ state: 'queued', tries: 0 });
    advance(1_000);
    expect(await outbox.flush()).toMatchObject({ sent: 1 });
    expect(dummy.messages.length).toBe(1);
  });

  it('goes on when it could not ask for its rate', async () => {
    const { outbox, dummy, store } = setUp({ lanes: { slow: { perSecond: 100, burst: 3 } } });
    failOnce(store, 'take', (call) => call === 2);
    await outbox.enqueue([mail(), mail(), mail()]);
    expect(await outbox.flush()).toMatchObject({ sent: 3 });
    expect(dummy.messages.length).toBe(3);
  });

  it('ends what is done once when it cannot ask whether mails may go', async () => {
    const { outbox, dummy, store } = setUp({ lanes: { transactional: { perSecond: 1_000 } } });
    failOnce(store, 'take', (call) => call > 1);
    await outbox.enqueue([mail(), mail(), mail()]);
    await expect(outbox.flush()).rejects.toThrow('the store is away');
    expect(dummy.messages.length).toBe(1);
    expect((await outbox.stats()).lanes).toEqual({ transactional: { sent: 1, queued: 2 } });
  });

  it('ends what is under way, and gives the rest back, before it says so', async () => {
    const { outbox, dummy, store } = setUp();
    failOnce(store, 'claim', (call) => call === 2);
    await outbox.enqueue([mail(), mail(), mail()]);
    await expect(outbox.flush({ concurrency: 2 })).rejects.toThrow('the store is away');
    const { lanes } = await outbox.stats();
    const { sent = 0, queued = 0, ...others } = lanes['transactional'] ?? {};
    expect([sent, sent + queued, others]).toEqual([dummy.messages.length, 3, {}]);
  });
});

describe('a mail that is damaged in the store', () => {
  it.each([
    { sealKey: undefined, isLong: false },
    { sealKey: 'ab'.repeat(32), isLong: false },
    { sealKey: 'ab'.repeat(32), isLong: true },
  ])('fails alone: %j', async ({ sealKey, isLong }) => {
    const { outbox, dummy, store } = setUp(sealKey === undefined ? {} : { sealKey });
    const { enqueue } = store;
    const damaged = (bytes: Uint8Array) => bytes.with(bytes.length >> 1, (bytes[bytes.length >> 1] ?? 0) ^ 0xff);
    store.enqueue = ([first, ...others], options) => {
      if (first === undefined) return enqueue.call(store, [], options);
      const blobs = first.blobs.map(({ hash, bytes }) => ({ hash, bytes: damaged(bytes) }));
      const changed = isLong ? { ...first, blobs } : { ...first, content: damaged(first.content) };
      return enqueue.call(store, [changed, ...others], options);
    };
    const body = isLong ? 'long '.repeat(1_000) : 'Hello';
    const [first] = await outbox.enqueue([mail({ body }), mail({ body: `${body}!` })]);
    expect(await outbox.flush()).toMatchObject({ sent: 1, failed: 1 });
    expect(dummy.messages.map((message) => message.body)).toEqual([`${body}!`]);
    expect(await outbox.get(first?.id ?? '')).toMatchObject({ state: 'failed', tries: 1 });
  });
});

describe('a worker of an outbox with many ended mails', () => {
  it('deletes batch after batch', async () => {
    const { outbox, store } = setUp();
    const recover = store.recover.bind(store);
    const pruned = [1_000, 1_000, 7, 0];
    let stop = () => {};
    const hasPruned = new Promise<void>((resolve) => {
      stop = resolve;
    });
    store.recover = async (pruneMs) => {
      const recovered = await recover(pruneMs);
      if (pruneMs === undefined) return recovered;
      const count = pruned.shift() ?? 0;
      if (pruned.length === 0) stop();
      return { ...recovered, pruned: count };
    };
    const ending = new AbortController();
    const working = outbox.work({ signal: ending.signal });
    await hasPruned;
    ending.abort();
    await working;
    expect(pruned).toEqual([]);
  });
});

describe('a worker that is ended while its connection does not answer', () => {
  it('leaves in doubt what the connection has, and queued what it has not', async () => {
    const connection = new SlowBackend();
    const { outbox } = setUp({ connection });
    await outbox.enqueue(Array.from({ length: 40 }, (_, place) => mail({ subject: `${place}` })));
    const stop = new AbortController();
    const working = outbox.work({ signal: stop.signal, drainMs: 1 });
    await connection.firstTaken;
    stop.abort();
    expect(await working).toMatchObject({ sent: 0, inDoubt: 1 });
    const mails = await outbox.list();
    expect(mails.filter(({ state }) => state === 'in-doubt').map(({ subject }) => subject)).toEqual(connection.taken);
    expect(mails.filter(({ state, tries }) => state === 'queued' && tries === 0).length).toBe(39);
    connection.answer();
  });
});

describe('a store that fails for long', () => {
  it('is told of once, and so is that it works again', async () => {
    const { outbox, dummy, store } = setUp();
    const warnings: Error[] = [];
    const onWarning = (warning: Error): void => void (warning.name === 'AmsdalMailWarning' && warnings.push(warning));
    process.on('warning', onWarning);
    try {
      failOnce(store, 'claim', (call) => call <= 5);
      await outbox.enqueue(mail());
      const stop = new AbortController();
      const working = outbox.work({ signal: stop.signal });
      while (dummy.messages.length === 0) {
        for (const wake of store.wakers) wake(); // it would look again by itself, later
        await new Promise((resolve) => setImmediate(resolve));
      }
      stop.abort();
      await working;
      await new Promise((resolve) => setImmediate(resolve)); // warnings come in the next turn
      expect(warnings.map(({ message }) => message)).toEqual([
        'the outbox sends nothing until its store works again: the store is away',
        'the store of the outbox works again, and mails go on',
      ]);
    } finally {
      process.off('warning', onWarning);
    }
  });
});
