import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Journal } from '../../../src/cli/bulk/journal.ts';
import { JOURNAL_START, readJournal } from '../../../src/cli/bulk/journal-reader.ts';
import type { RowResult } from '../../../src/cli/bulk/row-outcome.ts';
import { UsageError } from '../../../src/cli/failure.ts';

let folder = '';
let number = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'journal-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const newPath = (): string => join(folder, `${number++}.journal`);
const SENT: RowResult = { outcome: 'sent', code: 250, response: 'Ok', retryable: false };

function isJson(text: string): boolean {
  try {
    return JSON.parse(text) !== undefined;
  } catch {
    return false;
  }
}

async function written(): Promise<string> {
  const path = newPath();
  const journal = new Journal(path);
  await journal.start([
    { row: 1, hash: 'h1' },
    { row: 2, hash: 'h2' },
    { row: 3, hash: 'h3' },
  ]);
  journal.end([{ ...SENT, row: 2 }]);
  journal.end([{ row: 3, outcome: 'invalid', code: 550, response: 'x'.repeat(600), retryable: false }]);
  journal.close();
  return path;
}

test('says what was started, and what became of it', async () => {
  const path = await written();
  const { rows, length } = readJournal(path);
  expect(length).toBe(statSync(path).size);
  expect(rows.get(1)).toEqual({
    hash: 'h1',
    outcome: 'unknown',
    code: null,
    response: 'the run ended before the answer came',
  });
  expect(rows.get(2)).toEqual({ hash: 'h2', outcome: 'sent', code: null, response: null });
  expect(rows.get(3)).toMatchObject({ hash: 'h3', outcome: 'invalid', response: 'x'.repeat(500) });
});

test('the start of a row is in the file before anything else happens', async () => {
  const path = newPath();
  const journal = new Journal(path);
  await journal.start([{ row: 7, hash: 'h' }]);
  expect(readFileSync(path, 'utf8')).toBe(`${JOURNAL_START}["start",7,"h"]\n`);
  journal.close();
});

test('a row of which nothing could leave is recorded with its hash, as if it had been started', async () => {
  const path = newPath();
  const journal = new Journal(path);
  journal.end([{ row: 4, outcome: 'invalid', code: 'invalid-message', response: 'no', retryable: false, hash: 'h4' }]);
  journal.close();
  const lines = '["start",4,"h4"]\n["end",4,"invalid","invalid-message","no"]\n';
  expect(readFileSync(path, 'utf8')).toBe(`${JOURNAL_START}${lines}`);
});

test('wherever a power cut tears it, it is read up to there', async () => {
  const path = await written();
  const whole = readFileSync(path);
  const { rows } = readJournal(path);
  const torn = newPath();
  for (let length = 0; length < whole.length; length++) {
    writeFileSync(torn, whole.subarray(0, length));
    const left = readJournal(torn);
    expect(left.length).toBe(length < JOURNAL_START.length ? 0 : whole.lastIndexOf('\n', length - 1) + 1);
    for (const [row, { outcome }] of rows)
      expect(['unknown', undefined, outcome]).toContain(left.rows.get(row)?.outcome);
  }
});

test('a torn journal is written on behind its last whole line', async () => {
  const whole = readFileSync(await written());
  for (const length of [0, 5, JOURNAL_START.length, JOURNAL_START.length + 1, whole.length - 1]) {
    const torn = newPath();
    writeFileSync(torn, whole.subarray(0, length));
    const journal = new Journal(torn);
    await journal.start([{ row: 9, hash: 'h9' }]);
    journal.end([{ ...SENT, row: 9 }]);
    journal.close();
    expect(readJournal(torn).rows.get(9)?.outcome).toBe('sent');
    const text = readFileSync(torn, 'utf8');
    expect(text.split('\n').filter((line) => line !== '' && !isJson(line))).toEqual([]);
  }
});

test('blocks that were never written are dropped at its end', async () => {
  const path = await written();
  const { size } = statSync(path);
  appendFileSync(path, `${'\0'.repeat(512)}\n["end",1,"sent",250,null]\n`);
  expect(readJournal(path)).toMatchObject({ length: size });
  expect(readJournal(path).rows.get(1)?.outcome).toBe('unknown');
});

test('damage in its middle is told, as what was sent is not known then', async () => {
  const path = await written();
  appendFileSync(path, 'x\n["start",4,"h4"]\n');
  expect(() => readJournal(path)).toThrow('is damaged at byte');
});

test.each(['email,name\na@x.org,Ann\n', '{"version":1}\n', '\0\0'])(
  '%j is no journal, and is left as it is',
  (text) => {
    const path = newPath();
    writeFileSync(path, text);
    expect(() => new Journal(path)).toThrow(/is no journal of amsdal-mail/);
    expect(readFileSync(path, 'utf8')).toBe(text);
    expect(existsSync(`${path}.lock`)).toBe(false);
  },
);

test('a second run is kept out while the first one lives', () => {
  const path = newPath();
  writeFileSync(`${path}.lock`, `${process.ppid}@${hostname()}`);
  expect(() => new Journal(path)).toThrow(UsageError);
  expect(() => new Journal(path)).toThrow(`is in use by process ${process.ppid}@`);
  writeFileSync(`${path}.lock`, '1@another-machine.example');
  expect(() => new Journal(path)).toThrow('is in use');
  writeFileSync(`${path}.lock`, '');
  expect(() => new Journal(path)).toThrow('is in use');
});

test('the lock of a process that is gone is taken over, and given back', () => {
  const path = newPath();
  writeFileSync(`${path}.lock`, `999999999@${hostname()}`);
  const journal = new Journal(path);
  expect(readFileSync(`${path}.lock`, 'utf8')).toBe(`${process.pid}@${hostname()}`);
  journal.close();
  expect(existsSync(`${path}.lock`)).toBe(false);
});

test('a folder that is not there is told', () => {
  expect(() => new Journal(join(folder, 'nowhere/x.journal'))).toThrow(/cannot be locked: ENOENT/);
});
