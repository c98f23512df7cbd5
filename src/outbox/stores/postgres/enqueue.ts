import type { Enqueued, NewMail } from '../../store.ts';
import { answerOf, certainAnswerOf, type PostgresQuery } from './database.ts';
import type { Names } from './names.ts';
import { arrayOf, enqueueValues, wellFormed } from './rows.ts';
import { enqueueing, owning } from './sql/enqueue.ts';

/** How often a mail is tried whose key was another one's, which is gone by the time it is looked for. */
const TRIES = 5;

/** Writes mails down with one statement, and a second one that finds those that had the keys of some before. */
export async function enqueueMails(
  query: PostgresQuery,
  names: Names,
  mails: readonly NewMail[],
  tries = 1,
): Promise<readonly Enqueued[]> {
  const sql = enqueueing(
    names,
    mails.some(({ blobs }) => blobs.length > 0),
  );
  const ids = certainAnswerOf(await query(sql, enqueueValues(mails))) as readonly string[]; // those that it wrote down
  const written = new Set(ids);
  const keys = mails.flatMap(({ id, key }) => (written.has(id) || key === null ? [] : key));
  // A statement of its own: it sees what the other one waited for.
  const found = keys.length === 0 ? [] : (answerOf(await query(owning(names), [arrayOf(keys)])) as readonly KeyRow[]); // its columns
  const owners = new Map(found.map(({ id, key }) => [key, id]));
  const enqueued = mails.map(({ id, key }): Enqueued | null => {
    if (written.has(id)) return { id, isDuplicate: false };
    if (key === null) return { id, isDuplicate: true }; // itself: it was written down before
    const owner = owners.get(wellFormed(key));
    return owner === undefined ? null : { id: owner, isDuplicate: true };
  });
  const again = mails.filter((_, place) => enqueued[place] === null);
  if (again.length === 0) return enqueued.filter((each) => each !== null);
  if (tries === TRIES) throw new Error('mails with the same idempotency key come and go');
  const rest = [...(await enqueueMails(query, names, again, tries + 1))];
  return enqueued.map((each) => each ?? (rest.shift() as Enqueued)); // one for each of `again`
}

interface KeyRow {
  readonly id: string;
  readonly key: string;
}
