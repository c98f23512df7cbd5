import { closeSync, existsSync, fdatasync, fsyncSync, openSync, truncateSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { reasonOf } from '../../util/reason.ts';
import { UsageError } from '../failure.ts';
import { lockJournal } from './journal-lock.ts';
import { JOURNAL_START, type JournalState, readJournal } from './journal-reader.ts';
import type { RowResult } from './row-outcome.ts';

const flush = promisify(fdatasync);

/** What became of a row. */
export interface RowEnd extends RowResult {
  readonly row: number;
  /** Of a row that is not recorded as started: nothing of it could leave. */
  readonly hash?: string;
}

/**
 * Records the start and end of each row in a file that outlives the run. A row is handed over only when its start is on disk, so
 * that a row without an end is in doubt.
 */
export class Journal {
  /** What earlier runs recorded. */
  readonly before: JournalState;
  readonly #file: number;
  readonly #path: string;
  readonly #unlock: () => void;

  /** @throws {UsageError} when it cannot be written, is not a journal, or is in use */
  constructor(path: string) {
    this.#path = path;
    this.#unlock = lockJournal(path);
    try {
      this.before = readJournal(path);
      // Before it is opened to append: Windows cannot truncate it afterwards.
      if (existsSync(path)) truncateSync(path, this.before.length);
      this.#file = openSync(path, 'a', 0o600);
      if (this.before.length === 0) this.#write(JOURNAL_START);
      fsyncSync(this.#file);
      flushFolder(dirname(path));
    } catch (error) {
      this.#unlock();
      throw this.#fault(error);
    }
  }

  /** Records that rows are about to be handed over; resolves when that is on disk. */
  async start(rows: readonly { readonly row: number; readonly hash: string }[]): Promise<void> {
    try {
      this.#write(rows.map(({ row, hash }) => startLine(row, hash)).join(''));
      await flush(this.#file);
    } catch (error) {
      throw this.#fault(error);
    }
  }

  /** Records what became of rows: written at once, and flushed to disk with the next start. */
  end(rows: readonly RowEnd[]): void {
    const lines = rows.flatMap(({ row, outcome, code, response, hash }) => [
      ...(hash === undefined ? [] : [startLine(row, hash)]),
      `${JSON.stringify(['end', row, outcome, code, response?.slice(0, 500) ?? null])}\n`,
    ]);
    try {
      this.#write(lines.join(''));
    } catch (error) {
      throw this.#fault(error);
    }
  }

  close(): void {
    fsyncSync(this.#file);
    closeSync(this.#file);
    this.#unlock();
  }

  #write(text: string): void {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at);
  }

  #fault(error: unknown): UsageError {
    if (error instanceof UsageError) return error;
    return new UsageError(`the journal ${this.#path} cannot be written: ${reasonOf(error)}`);
  }
}

function startLine(row: number, hash: string): string {
  return `${JSON.stringify(['start', row, hash])}\n`;
}

/** Makes a new file survive a power cut, where folders can be flushed. */
function flushFolder(path: string): void {
  try {
    const folder = openSync(path, 'r');
    fsyncSync(folder);
    closeSync(folder);
  } catch {}
}
