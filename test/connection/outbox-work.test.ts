import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { MailAppConfig, type MailServiceOptions, startMail } from '../../src/app.ts';
import { DummyBackend } from '../../src/backends/dummy.ts';
import { getConnection, setDefaultConnection } from '../../src/connection/connection.ts';
import { memoryStore, Outbox } from '../../src/connection/outbox.ts';
import { startWork } from '../../src/connection/outbox-work.ts';
import { sendMail } from '../../src/connection/send.ts';
import { ConfigurationError, EmailConnectionError } from '../../src/model/errors.ts';
import type { OutboxStore } from '../../src/outbox/store.ts';

/** A busy machine takes more than the second that is usual. */
const WAIT = { timeout: 15_000 };
/** For sendMail. */
const ARGUMENTS = {
  subject: 'Welcome',
  message: 'Hello',
  fromEmail: 'shop@example.com',
  recipientList: ['jane@example.org'],
};
const MAIL = { subject: 'Welcome', body: 'Hello', fromEmail: 'shop@example.com', to: 'jane@example.org' };

const start = (options: MailServiceOptions) => startMail({ signals: false, connection: 'dummy', ...options });

/** A store that fails as often as it is told to, and what it is asked meanwhile. */
function failing(error: Error, times = Number.POSITIVE_INFINITY): OutboxStore {
  const store = memoryStore();
  let left = times;
  const orFail = <Work extends (...args: never[]) => unknown>(method: Work): Work =>
    new Proxy(method, {
      apply: (work, of, args) => (left-- > 0 ? Promise.reject(error) : Reflect.apply(work, of, args)),
    });
  store.recover = orFail(store.recover);
  store.query = orFail(store.query);
  return store;
}

const folder = mkdtempSync(join(tmpdir(), 'amsdal-mail-outbox-work-'));
afterAll(() => rmSync(folder, { recursive: true }));

beforeEach(() => {
  for (const name of Object.keys(process.env)) if (/^(?:AMSDAL|AWS)_/.test(name)) vi.stubEnv(name, undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

describe('a worker that begins with an application', () => {
  test('says at the start what waiting would not mend', async () => {
    const old = failing(new ConfigurationError('invalid-option', 'run npx amsdal-mail outbox migrate'));
    const outbox = new Outbox({ store: old, connection: 'dummy' });
    await expect(start({ outbox, work: true })).rejects.toThrow('run npx amsdal-mail outbox migrate');
    const other = new Outbox({ store: memoryStore(), connection: 'dummy' });
    await expect(start({ outbox: other, work: { lanes: ['news'] } })).rejects.toThrow("there is no lane 'news'");
    // A start that failed keeps nobody from the next one.
    const service = await start({ outbox: other, work: true });
    await other.enqueue(MAIL);
    await vi.waitFor(
      async () => expect(await other.stats()).toMatchObject({ lanes: { transactional: { sent: 1 } } }),
      WAIT,
    );
    await service.close();
  });

  test.each([
    [{ lanes: 'bulk' }, 'work: lanes must be a list of lanes, one or more'],
    [{ lanes: [] }, 'work: lanes must be a list of lanes, one or more'],
    [{ concurrency: 0 }, 'work: concurrency must be an integer of at least 1'],
    [{ drainMs: Number.POSITIVE_INFINITY }, 'work: drainMs must be an integer from 0'],
    [{ once: true }, "work: unknown option 'once'"],
    ['yes', 'work: unknown option'],
  ])('refuses %j', async (work, text) => {
    const outbox = new Outbox({ store: memoryStore(), connection: 'dummy' });
    // As JavaScript may give it.
    await expect(start({ outbox, work: work as never })).rejects.toThrow(text);
  });

  test('waits for a store that does not answer, and says so; with verify the application does not start', async () => {
    const down = new EmailConnectionError('refused', 'the store does not answer');
    const refused = new Outbox({ store: failing(down), connection: 'dummy' });
    await expect(start({ outbox: refused, work: true, verify: true })).rejects.toThrow('the store does not answer');

    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const dummy = new DummyBackend({ store: true });
    const outbox = new Outbox({ store: failing(down, 4), connection: dummy });
    const service = await start({ outbox, work: true });
    await outbox.enqueue(MAIL);
    await vi.waitFor(() => expect(dummy.messages).toHaveLength(1), WAIT);
    expect(warn).toHaveBeenCalledWith(
      'the worker of the outbox has stopped, and begins again: the store does not answer',
      { type: 'AmsdalMailWarning', code: 'refused' },
    );
    await service.close();
  });

  test('one that waits for its store ends at once with the application', async () => {
    vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const down = new EmailConnectionError('refused', 'the store does not answer');
    const service = await start({ outbox: new Outbox({ store: failing(down), connection: 'dummy' }), work: true });
    await service.close();
  });

  test('is waited for when it is ended, until what is under way is written down', async () => {
    const store = memoryStore();
    const settle = store.settle.bind(store);
    let letGo = () => {};
    const isHeld = new Promise<void>((isSettling) => {
      store.settle = async (...given) => {
        isSettling();
        await new Promise<void>((resolve) => {
          letGo = resolve;
        });
        return settle(...given);
      };
    });
    const outbox = new Outbox({ store, connection: 'dummy' });
    const end = await startWork(outbox, true, true);
    await outbox.enqueue(MAIL);
    await isHeld;
    let hasEnded = false;
    const ending = end().then(() => {
      hasEnded = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(hasEnded).toBe(false);
    letGo();
    await ending;
    expect((await outbox.stats()).lanes).toEqual({ transactional: { sent: 1 } });
  });

  test('an outbox that was given is closed with the application', async () => {
    const store = memoryStore();
    const close = vi.spyOn(store, 'close');
    const service = await start({ outbox: new Outbox({ store, connection: 'dummy' }) });
    expect(close).not.toHaveBeenCalled();
    await service.close();
    expect(close).toHaveBeenCalledTimes(1);
  });

  test('verify of an outbox checks its store and what is behind it', async () => {
    const url = `outbox:sqlite:${join(folder, 'a.db')}?via=dummy`;
    await expect(getConnection(url).verify()).resolves.toEqual({ backend: 'outbox', details: { via: 'dummy' } });
    const nowhere = getConnection(`outbox:sqlite:${join(folder, 'no/such/folder/a.db')}?via=dummy`);
    await expect(nowhere.verify()).rejects.toMatchObject({ message: expect.stringContaining('cannot be opened') });
    const behind = getConnection(`outbox:sqlite:${join(folder, 'a.db')}?via=smtp://127.0.0.1:1`);
    await expect(behind.verify()).rejects.toMatchObject({ code: 'refused' });
  });
});

describe('MailAppConfig', () => {
  /** Runs an application with the plugin; its subscriptions stay, so each test has a default connection of its own. */
  async function withPlugin(options: ConstructorParameters<typeof MailAppConfig>[0], serving: MailServiceOptions = {}) {
    const sent = new DummyBackend({ store: true });
    const connection = getConnection('outbox', { store: memoryStore(), connection: sent });
    const restore = setDefaultConnection(connection);
    const outbox = await connection.outbox();
    const work = vi.spyOn(outbox, 'work');
    const app = new MailAppConfig(options);
    app.onSetup();
    return { sent, outbox, work, restore, service: await startMail({ signals: false, ...serving }) };
  }

  test('work: false leaves that to others', async () => {
    const { work, outbox, restore, service } = await withPlugin({ work: false });
    await sendMail(ARGUMENTS);
    expect(work).not.toHaveBeenCalled();
    expect((await outbox.stats()).lanes).toEqual({ transactional: { queued: 1 } });
    await service.close();
    restore();
  });

  test('starts a worker when the default connection is an outbox, one for both it and an adapter, and drains it', async () => {
    const { sent, work, outbox, restore, service } = await withPlugin({ work: { concurrency: 3 } }, { work: true });
    const status = await sendMail(ARGUMENTS);
    expect([...status.recipients.values()].map((recipient) => recipient.status)).toEqual(['queued']);
    await vi.waitFor(() => expect(sent.messages).toHaveLength(1), WAIT);
    expect(work.mock.calls).toEqual([[{ concurrency: 3, signal: expect.any(AbortSignal) }]]);
    await Promise.all(Array.from({ length: 50 }, () => outbox.enqueue(MAIL)));
    await service.close();
    // What was under way is sent, the rest waits for the next worker; nothing is left half-way.
    const { lanes } = await outbox.stats();
    expect(Object.keys(lanes['transactional'] ?? {}).filter((state) => !['sent', 'queued'].includes(state))).toEqual(
      [],
    );
    expect(sent.messages.length).toBe(lanes['transactional']?.sent);
    restore();
  });

  test('an old schema keeps the server from starting, and says what to run', async () => {
    const store = failing(new ConfigurationError('invalid-option', 'run npx amsdal-mail outbox migrate'));
    const restore = setDefaultConnection(getConnection('outbox', { store, connection: 'dummy' }));
    await expect(startMail({ signals: false })).rejects.toThrow('run npx amsdal-mail outbox migrate');
    restore();
  });
});
