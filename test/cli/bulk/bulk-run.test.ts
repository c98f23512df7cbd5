import { afterEach, expect, test, vi } from 'vitest';
import { EmailBackend } from '../../../src/backend/backend.ts';
import { askToCommit } from '../../../src/backend/commit.ts';
import { type DeliveryResult, type Job, sameForAll } from '../../../src/backend/job.ts';
import type { BulkMail } from '../../../src/cli/bulk/bulk-mail.ts';
import { BulkRun } from '../../../src/cli/bulk/bulk-run.ts';
import type { Person } from '../../../src/cli/bulk/read-people.ts';
import { getConnection } from '../../../src/connection/connection.ts';
import { ALL_FEATURES, type Feature } from '../../../src/model/features.ts';

afterEach(() => {
  vi.useRealTimers();
});

const mail: BulkMail = {
  draft: ([to = '']) => ({ subject: 'Hi', body: 'x', fromEmail: 'a@example.com', to }),
  to: ([to = '']) => to,
  keys: () => [],
  hash: ([to = '']) => `hash of ${to}`,
};

async function* people(count: number): AsyncGenerator<Person> {
  for (let row = 1; row <= count; row++) yield { row, line: row + 1, cells: [`user${row}@example.org`] };
}

/** A disk that is slow: what is started is on it when `flush` is called. */
function slowJournal() {
  const events: string[] = [];
  const waiting: (() => void)[] = [];
  return {
    events,
    waiting,
    flush: () => waiting.shift()?.(),
    start: async (rows: readonly { readonly row: number }[]): Promise<void> => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      events.push(...rows.map(({ row }) => `${row} is on disk`));
    },
    end: (rows: readonly { readonly row: number; readonly outcome: string }[]): void => {
      events.push(...rows.map(({ row, outcome }) => `${row} ${outcome}`));
    },
  };
}

/** A connection that asks before a mail leaves, as those over SMTP and HTTP do; many at once. */
class Asking extends EmailBackend {
  override readonly name = 'asking';
  protected override readonly features: ReadonlySet<Feature> = ALL_FEATURES;
  protected override readonly awaitsCommit = true;
  protected override readonly concurrency = 100;
  readonly sent: string[] = [];

  protected override async deliverOne(job: Job): Promise<DeliveryResult> {
    const withheld = await askToCommit(job);
    if (withheld !== null) return withheld;
    this.sent.push(...job.message.to);
    return { index: job.index, messageId: null, recipients: sameForAll(job.message, 'sent') };
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('no row is handed over before its start is on disk', async () => {
  const connection = getConnection('dummy', { store: true });
  const journal = slowJournal();
  const running = new BulkRun({ connection, mail, journal, perSecond: null, onRow: () => {} }).send(people(70));
  for (let onDisk = 0; onDisk < 70; onDisk = journal.events.filter((event) => event.endsWith(' disk')).length) {
    while (journal.waiting.length === 0) await turn();
    expect(connection.messages.length).toBeLessThanOrEqual(onDisk);
    journal.flush();
    await turn();
  }
  await running;
  expect(connection.messages).toHaveLength(70);
  for (let row = 1; row <= 70; row++) {
    expect(journal.events.indexOf(`${row} is on disk`)).toBeLessThan(journal.events.indexOf(`${row} sent`));
    expect(journal.events.indexOf(`${row} is on disk`)).toBeGreaterThanOrEqual(0);
  }
});

test('what a connection asks for in one turn is flushed together, before any of it leaves', async () => {
  const connection = new Asking();
  const journal = slowJournal();
  const running = new BulkRun({ connection, mail, journal, perSecond: null, onRow: () => {} }).send(people(70));
  while (journal.waiting.length === 0) await turn();
  expect(connection.sent).toEqual([]);
  journal.flush();
  await running;
  expect(connection.sent).toHaveLength(70);
});

test('a run that stops sends what was started, and leaves no trace of other rows', async () => {
  const connection = getConnection('dummy', { store: true });
  const journal = slowJournal();
  const onRow = ({ row }: { readonly row: number }): void => {
    if (row === 5) bulk.stop();
  };
  const bulk = new BulkRun({ connection, mail, journal, perSecond: null, onRow });
  let isOver = false;
  const running = bulk.send(people(500)).finally(() => {
    isOver = true;
  });
  while (!isOver) {
    journal.flush();
    await turn();
  }
  await running;
  const sent = connection.messages.length;
  expect(sent).toBeGreaterThanOrEqual(5);
  expect(sent).toBeLessThan(200);
  expect(journal.events.filter((event) => event.endsWith(' sent'))).toHaveLength(sent);
  expect(journal.events).toHaveLength(2 * sent);
});

test('a journal that cannot be written ends the run, with nothing more handed over', async () => {
  const connection = getConnection('dummy', { store: true });
  const start = () => Promise.reject(new Error('no space'));
  const bulk = new BulkRun({ connection, mail, journal: { start, end: () => {} }, perSecond: null, onRow: () => {} });
  await expect(bulk.send(people(70))).rejects.toThrow('no space');
  expect(connection.messages).toEqual([]);
});

test('a journal that takes no end ends the run', async () => {
  const connection = new Asking();
  const end = () => {
    throw new Error('no space');
  };
  const journal = { start: async () => {}, end };
  const bulk = new BulkRun({ connection, mail, journal, perSecond: null, onRow: () => {} });
  await expect(bulk.send(people(5000))).rejects.toThrow('no space');
  expect(connection.sent.length).toBeLessThan(2000);
});

test('rows that cannot be read end the run', async () => {
  async function* torn(): AsyncGenerator<Person> {
    yield* people(3);
    throw new Error('no file any more');
  }
  const connection = new Asking();
  const bulk = new BulkRun({ connection, mail, journal: null, perSecond: null, onRow: () => {} });
  await expect(bulk.send(torn())).rejects.toThrow('no file any more');
});

/** When each row was answered, in milliseconds, at so many rows a second; looked at so often. */
async function answeredAt(perSecond: number, rows: number, everyMs = 10): Promise<readonly number[]> {
  const connection = getConnection('dummy');
  await connection.open();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
  const start = Date.now();
  const times: number[] = [];
  const onRow = (): void => void times.push(Date.now() - start);
  const toTwo: BulkMail = { ...mail, draft: (cells) => ({ ...mail.draft(cells), cc: 'boss@example.org' }) };
  const running = new BulkRun({ connection, mail: toTwo, journal: null, perSecond, onRow }).send(people(rows));
  for (let ms = 0; times.length < rows && ms < 60_000; ms += everyMs) {
    for (let turns = 0; turns < 20; turns++) await turn();
    await vi.advanceTimersByTimeAsync(everyMs);
  }
  await running;
  return times;
}

test('rows go evenly at a rate, however many get each', async () => {
  expect(await answeredAt(10, 4)).toEqual([0, 100, 200, 300]);
});

test('rows that wait for long go at their rate, in their order', async () => {
  expect(await answeredAt(6 / 60, 4, 1000)).toEqual([0, 10_000, 20_000, 30_000]);
});

test('at a high rate no second has more rows than it, and not many fewer', async () => {
  const times = await answeredAt(500, 1100);
  expect(times.filter((ms) => ms < 1000).length).toBeGreaterThan(470);
  for (const [at, ms] of times.entries())
    expect((times[at + 500] ?? Number.POSITIVE_INFINITY) - ms).toBeGreaterThanOrEqual(990);
});

test('a run that waits for its rate can be stopped', async () => {
  const connection = getConnection('dummy', { store: true });
  const onRow = (): void => bulk.stop();
  const bulk = new BulkRun({ connection, mail, journal: null, perSecond: 0.001, onRow });
  await bulk.send(people(3));
  expect(connection.messages).toHaveLength(1);
});
