import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DummyBackend } from '../../src/backends/dummy.ts';
import { Outbox } from '../../src/connection/outbox.ts';
import { sqliteStore } from '../../src/outbox/stores/sqlite.ts';
import { SqliteDatabase } from '../../src/outbox/stores/sqlite-database.ts';
import { SCHEMA } from '../../src/outbox/stores/sqlite-schema.ts';
import { until } from '../servers/process.ts';
import { countingServer } from './kill-trial.ts';
import { mail } from './outbox-set-up.ts';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'amsdal-mail-bad-'));
  path = join(folder, 'mail.db');
});

afterEach(() => {
  chmodSync(folder, 0o700);
  rmSync(folder, { recursive: true });
});

const program = (name: string) => fileURLToPath(new URL(name, import.meta.url));

function start(command: readonly string[], environment: NodeJS.ProcessEnv) {
  const [first = '', ...others] = command;
  const env = { ...process.env, NODE_V8_COVERAGE: undefined, STORE: `sqlite:${path}`, ...environment };
  return spawn(first, others, { env, stdio: ['ignore', 'pipe', 'inherit'] });
}

/** What a process wrote down, and why it could not go on. */
async function write(command: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  const child = start([...command, process.execPath, program('disk-child.js')], environment);
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  await once(child, 'close');
  const ids = said.split('\n').filter((line) => /^\w{26}$/.test(line));
  const [, error = 'null'] = /^error (.*)$/m.exec(said) ?? [];
  return { ids, error: JSON.parse(error) as unknown };
}

/** For a user who may do everything: a file that is read-only is so for them as well. */
const AS_ANYBODY = process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-all', '--inh-caps=-all'] : [];
/** Files end at so many KiB, as on a disk that is full. */
const onFullDisk = (kib: number) => ['bash', '-c', `trap '' XFSZ; ulimit -f ${kib}; exec "$@"`, 'bash'];

describe('a file that is no outbox', () => {
  it.each([
    ['is in no folder', () => join(folder, 'none', 'mail.db'), /cannot be opened: ENOENT/],
    ['is a folder', () => folder, /cannot be opened: EISDIR/],
    [
      'is of another kind',
      () => {
        writeFileSync(path, 'Dear diary, '.repeat(1_000));
        return path;
      },
      /cannot be used: .*not a database/,
    ],
    [
      'belongs to another program',
      () => {
        const other = new SqliteDatabase(path, ['CREATE TABLE account (email TEXT)']);
        other.prepare('PRAGMA application_id = 7').run();
        other.close();
        return path;
      },
      /holds tables of another program: give a file of its own/,
    ],
    [
      'is of a later version',
      () => {
        new SqliteDatabase(path, [...SCHEMA, 'CREATE TABLE later (a)']).close();
        return path;
      },
      /is of a later version of amsdal-mail \(schema 3, this one knows 2\): update amsdal-mail/,
    ],
  ])('%s', (_, make, message) => {
    const bad = make();
    const before = statSync(bad, { throwIfNoEntry: false })?.size;
    expect(() => sqliteStore(bad)).toThrowError(
      expect.objectContaining({ code: 'invalid-option', option: 'store', message: expect.stringMatching(message) }),
    );
    expect(() => sqliteStore(bad)).toThrow(bad);
    expect(statSync(bad, { throwIfNoEntry: false })?.size, 'it is as it was').toBe(before);
  });
});

describe.skipIf(process.platform === 'win32')('a disk', () => {
  it('of which the file may only be read is told of, and nothing is half written', async () => {
    const { ids } = await write(AS_ANYBODY, { COUNT: '10' });
    expect(ids).toHaveLength(10);
    chmodSync(path, 0o400);
    const { ids: none, error } = await write(AS_ANYBODY, { COUNT: '10' });
    expect(none).toEqual([]);
    const message = expect.stringMatching(/^the outbox file '.*mail\.db' cannot be opened: EACCES/);
    expect(error).toMatchObject({ name: 'ConfigurationError', code: 'invalid-option', message });
    chmodSync(path, 0o600);
    const outbox = new Outbox({ store: `sqlite:${path}`, connection: new DummyBackend() });
    expect((await outbox.list()).map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
    await outbox.close();
  });

  it('that may only be read is told of', async () => {
    chmodSync(folder, 0o500);
    const { ids, error } = await write(AS_ANYBODY, { COUNT: '10' });
    expect(ids).toEqual([]);
    const message = expect.stringMatching(/^the outbox file '.*mail\.db' cannot be opened: EACCES/);
    expect(error).toMatchObject({ name: 'ConfigurationError', code: 'invalid-option', message });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('that is full keeps what was written down, whole, and nothing else', async () => {
    const { ids, error } = await write(onFullDisk(512));
    expect(ids.length).toBeGreaterThanOrEqual(10);
    expect(error).toMatchObject({ name: 'EmailConnectionError', retryable: true, outcome: 'not-sent' });
    const dummy = new DummyBackend({ store: true });
    const outbox = new Outbox({ store: `sqlite:${path}`, connection: dummy });
    expect((await outbox.list({ limit: 10_000 })).map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
    expect(await outbox.flush()).toMatchObject({ sent: ids.length });
    expect(new Set(dummy.messages.map(({ body }) => body)).size).toBe(ids.length);
    await outbox.close();
  });

  it('that is full in the middle of sending has no mail lost or doubled, and every doubt listed', async () => {
    const { server, taken } = await countingServer();
    const via = `smtp://127.0.0.1:${server.port}`;
    const options = { store: `sqlite:${path}`, connection: via, leaseMs: 1_000 };
    const outbox = new Outbox(options);
    await outbox.enqueue(
      Array.from({ length: 300 }, (_, place) => mail({ messageId: `mail-${place}@example.com`, body: `${place}` })),
    );
    await outbox.close();
    const logSize = () => statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
    const limit = Math.ceil(logSize() / 1_024) + 256;
    const command = [...onFullDisk(limit), process.execPath, program('kill-worker.js')];
    const worker = start(command, { VIA: via });
    worker.stdout.resume();
    await until(
      () => logSize() >= limit * 1_024 || worker.exitCode !== null,
      () => `the log has ${logSize()} bytes, ${taken.size} mails were taken`,
    );
    worker.kill('SIGKILL');
    if (worker.exitCode === null && worker.signalCode === null) await once(worker, 'exit');
    expect(taken.size).toBeGreaterThan(0);
    expect(taken.size).toBeLessThan(300);

    const second = new Outbox(options);
    const stop = new AbortController();
    const working = second.work({ signal: stop.signal });
    const isDone = async () => {
      const { queued = 0, claimed = 0, sending = 0 } = (await second.stats()).lanes['transactional'] ?? {};
      return queued + claimed + sending === 0;
    };
    await until(isDone, () => `${taken.size} mails were taken`, 60_000);
    stop.abort();
    await working;
    const mails = await second.list({ limit: 1_000 });
    expect(mails).toHaveLength(300);
    expect([...taken.values()].filter((count) => count > 1)).toEqual([]);
    const lost = mails.filter(({ state, messageId }) => state !== 'in-doubt' && !taken.has(messageId ?? ''));
    expect(lost).toEqual([]);
    expect(mails.filter(({ state }) => state !== 'sent' && state !== 'in-doubt')).toEqual([]);
    await second.close();
    await server.close();
  });
});

it('a worker knows the lanes that there are, and begins with no other', async () => {
  const outbox = new Outbox({ store: 'memory:', connection: new DummyBackend() });
  await expect(outbox.work({ lanes: ['fast'], once: true })).rejects.toMatchObject({
    code: 'invalid-option',
    message: "there is no lane 'fast' in the outbox; its lanes are transactional, bulk",
  });
  await outbox.close();
  expect(readdirSync(folder)).toEqual([]);
});
