import { expect, test } from 'vitest';
import type { BulkMail } from '../../../src/cli/bulk/bulk-mail.ts';
import { BulkRun } from '../../../src/cli/bulk/bulk-run.ts';
import type { Person } from '../../../src/cli/bulk/read-people.ts';
import { getConnection } from '../../../src/connection/connection.ts';
import { ManualClock } from '../../util/manual-clock.ts';

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
    end: (row: number, { outcome }: { readonly outcome: string }): void => {
      events.push(`${row} ${outcome}`);
    },
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('no row is handed over before its start is on disk', async () => {
  const connection = getConnection('dummy', { store: true });
  const journal = slowJournal();
  const running = new BulkRun({ connection, mail, journal, perSecond: null, onRow: () => {} }).send(people(70));
  for (const handedOver of [0, 32, 64]) {
    while (journal.waiting.length === 0) await turn();
    expect(connection.messages).toHaveLength(handedOver);
    journal.flush();
  }
  await running;
  expect(connection.messages).toHaveLength(70);
  for (let row = 1; row <= 70; row++) {
    expect(journal.events.indexOf(`${row} is on disk`)).toBeLessThan(journal.events.indexOf(`${row} sent`));
    expect(journal.events.indexOf(`${row} is on disk`)).toBeGreaterThanOrEqual(0);
  }
});

test('rows that were started and not handed over are noted as unsent when the run stops', async () => {
  const connection = getConnection('dummy', { store: true });
  const journal = slowJournal();
  const onRow = ({ row }: { readonly row: number }): void => {
    if (row === 5) bulk.stop();
  };
  const bulk = new BulkRun({ connection, mail, journal, perSecond: null, onRow });
  const running = bulk.send(people(70));
  while (journal.waiting.length === 0) await turn();
  journal.flush();
  await running;
  const sent = connection.messages.length;
  expect(sent).toBeGreaterThanOrEqual(5);
  expect(sent).toBeLessThan(32);
  expect(journal.events.filter((event) => event.endsWith(' sent'))).toHaveLength(sent);
  expect(journal.events.filter((event) => event.endsWith(' unsent'))).toHaveLength(32 - sent);
});

test('a journal that cannot be written ends the run, with nothing more handed over', async () => {
  const connection = getConnection('dummy', { store: true });
  const start = () => Promise.reject(new Error('no space'));
  const bulk = new BulkRun({ connection, mail, journal: { start, end: () => {} }, perSecond: null, onRow: () => {} });
  await expect(bulk.send(people(70))).rejects.toThrow('no space');
  expect(connection.messages).toEqual([]);
});

/** When each row was answered, in milliseconds, at so many rows a second. */
async function answeredAt(perSecond: number, rows: number): Promise<readonly number[]> {
  const clock = new ManualClock();
  const times: number[] = [];
  const onRow = (): void => void times.push(clock.now());
  const connection = getConnection('dummy');
  const running = new BulkRun({ connection, mail, journal: null, perSecond, onRow, clock }).send(people(rows));
  for (let ms = 0; times.length < rows && ms < 60_000; ms += 10) await clock.run(ms);
  await running;
  return times;
}

test('rows go evenly at a rate', async () => {
  expect(await answeredAt(10, 4)).toEqual([0, 100, 200, 300]);
});

test('at a high rate no second has more rows than it, and not many fewer', async () => {
  const times = await answeredAt(500, 1100);
  expect(times.filter((ms) => ms < 1000).length).toBeGreaterThan(470);
  for (const [at, ms] of times.entries())
    expect((times[at + 500] ?? Number.POSITIVE_INFINITY) - ms).toBeGreaterThanOrEqual(990);
});

test('a run that waits for its rate can be stopped', async () => {
  const clock = new ManualClock();
  const connection = getConnection('dummy', { store: true });
  const onRow = (): void => bulk.stop();
  const bulk = new BulkRun({ connection, mail, journal: null, perSecond: 0.001, onRow, clock });
  await bulk.send(people(3));
  expect(connection.messages).toHaveLength(1);
});
