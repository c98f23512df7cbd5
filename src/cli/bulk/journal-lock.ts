import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { kill, pid } from 'node:process';
import { reasonOf } from '../../util/reason.ts';
import { UsageError } from '../usage-error.ts';

/**
 * Keeps a second run from sending the same rows; returns the function that lets it.
 *
 * The lock of a process that is gone is taken over.
 *
 * @throws {UsageError} when another run holds it.
 */
export function lockJournal(journal: string): () => void {
  const path = `${journal}.lock`;
  const own = `${pid}@${hostname()}`;
  if (!create(path, own)) {
    const holder = read(path);
    if (isAlive(holder)) throw inUse(journal, path, holder);
    // Moved away before it is looked at again: of two that find it dead, only one moves it.
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
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false; // whatever it is, it may have a code
    throw new UsageError(`the journal cannot be locked: ${reasonOf(error)}`);
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // it is gone
  }
}

function isAlive(holder: string): boolean {
  const [, id, host] = /^(\d+)@(.*)$/.exec(holder) ?? [];
  if (host !== hostname()) return true; // nobody can know from here
  if (Number(id) === pid) return false; // a container's number, used again
  try {
    return kill(Number(id), 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function inUse(journal: string, path: string, holder: string): UsageError {
  return new UsageError(`${journal} is in use by process ${holder}; if that is not so, delete ${path}`);
}
