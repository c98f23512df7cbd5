import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { kill, pid } from 'node:process';
import { reasonOf } from '../../util/reason.ts';
import { UsageError } from '../failure.ts';

/**
 * Locks a journal, so that no second run sends the same rows; returns the function that unlocks it.
 *
 * The lock of a process that has died is taken over.
 *
 * @throws {UsageError} when another run holds the lock
 */
export function lockJournal(journal: string): () => void {
  const path = `${journal}.lock`;
  const own = `${pid}@${hostname()}`;
  if (!create(path, own)) {
    const holder = read(path);
    if (isAlive(holder)) throw inUse(journal, path, holder);
    // Moved away before it is read again: of two processes that find the holder dead, only one can move the lock.
    const aside = `${path}.${pid}`;
    try {
      renameSync(path, aside);
    } catch {
      throw inUse(journal, path, holder);
    }
    const moved = read(aside);
    if (moved !== holder) renameSync(aside, path);
    else rmSync(aside);
    if (moved !== holder || !create(path, own)) throw inUse(journal, path, moved);
  }
  return () => rmSync(path, { force: true });
}

function create(path: string, text: string): boolean {
  try {
    writeFileSync(path, text, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false; // any error may have a code
    throw new UsageError(`the journal cannot be locked: ${reasonOf(error)}`);
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // released meanwhile
  }
}

function isAlive(holder: string): boolean {
  const [, id, host] = /^(\d+)@(.*)$/.exec(holder) ?? [];
  if (host !== hostname()) return true; // cannot be checked from here
  if (Number(id) === pid) return false; // an earlier container had the same process id
  try {
    return kill(Number(id), 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function inUse(journal: string, path: string, holder: string): UsageError {
  return new UsageError(`${journal} is in use by process ${holder}; if that is not so, delete ${path}`);
}
