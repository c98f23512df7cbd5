import { readFileSync } from 'node:fs';
import { reasonOf } from '../../util/reason.ts';
import { UsageError } from '../failure.ts';
import { isSent, OUTCOMES, type Outcome } from './row-outcome.ts';

/** What a journal records of a row. */
export interface JournalEntry {
  /** Fingerprint of the row's mail when it was started. */
  readonly hash: string;
  readonly outcome: Outcome;
  readonly code: number | string | null;
  readonly response: string | null;
}

/** The contents of a journal. */
export interface JournalState {
  readonly rows: ReadonlyMap<number, JournalEntry>;
  /** Bytes of the file that are intact; after them is what a power cut left of the last lines. */
  readonly length: number;
}

/** The first line: the file type and its version. */
export const JOURNAL_START = '["amsdal-mail journal",1]\n';

/** A row that was started and has no recorded end. */
const IN_DOUBT = { outcome: 'unknown', code: null, response: 'the run ended before the answer came' } as const;

const NOTHING = { code: null, response: null } as const;

type Line =
  | readonly ['start', number, string]
  | readonly ['end', number, Outcome, number | string | null, string | null];

/**
 * Reads a journal; a missing file is an empty one. Unreadable lines at the end of the file are dropped, as a power cut leaves
 * some: a row is handed over only when its start is on disk, and without its end it is in doubt.
 *
 * @throws {UsageError} when the file is not a journal, or is damaged before its end
 */
export function readJournal(path: string): JournalState {
  const bytes = readBytes(path);
  const rows = new Map<number, JournalEntry>();
  if (JOURNAL_START.startsWith(bytes.toString('utf8', 0, JOURNAL_START.length))) {
    if (bytes.length < JOURNAL_START.length) return { rows, length: 0 };
  } else throw new UsageError(`${path} is no journal of amsdal-mail: give another file with --journal`);
  let damagedAt = -1;
  for (let start = JOURNAL_START.length; start < bytes.length; ) {
    const end = bytes.indexOf(0x0a, start);
    const line = end < 0 ? null : parseLine(bytes.toString('utf8', start, end));
    if (line === null) damagedAt = damagedAt < 0 ? start : damagedAt;
    else if (damagedAt < 0) record(rows, line);
    else if (line[0] === 'start')
      throw new UsageError(`${path} is damaged at byte ${damagedAt}, so that nobody knows what was sent`);
    start = end < 0 ? bytes.length : end + 1;
  }
  return { rows, length: damagedAt < 0 ? bytes.length : damagedAt };
}

function record(rows: Map<number, JournalEntry>, line: Line): void {
  if (line[0] === 'start') rows.set(line[1], { hash: line[2], ...IN_DOUBT });
  else {
    const [, row, outcome, code, response] = line;
    const { hash = '' } = rows.get(row) ?? {};
    // Sent rows are only counted: a million answers need not be kept in memory.
    rows.set(row, { hash, outcome, ...(isSent(outcome) ? NOTHING : { code, response }) });
  }
}

function parseLine(text: string): Line | null {
  try {
    const line: unknown = JSON.parse(text);
    if (!Array.isArray(line) || !Number.isSafeInteger(line[1])) return null;
    const isLine = line[0] === 'start' ? typeof line[2] === 'string' : line[0] === 'end' && OUTCOMES.includes(line[2]);
    return isLine ? (line as unknown as Line) : null; // checked as far as it is used
  } catch {
    return null;
  }
}

function readBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0); // any error may have a code
    throw new UsageError(`the journal ${path} cannot be read: ${reasonOf(error)}`);
  }
}
