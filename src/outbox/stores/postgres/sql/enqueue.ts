import { literal, type Names } from '../names.ts';
import { CLOCK, given, list, wake } from './parts.ts';

/**
 * Writing mails down, with their blobs where there are any. Its parameters are lists, one a column, as texts of Postgres' own
 * form: the server reads them many times faster than JSON.
 */
export function enqueueing(names: Names, hasBlobs: boolean): string {
  const { mail, sequence } = names;
  // The number of each is taken in the order of the list; the rows are written in the order of their keys, so that of two
  // transactions with the same keys one waits for the other, and never both.
  return `WITH ${CLOCK},
given AS MATERIALIZED (
  SELECT nextval(${literal(sequence)}) AS seq, each.* FROM (
    SELECT * FROM unnest(${given(1, 'text[]')}, ${given(2, 'text[]')}, ${given(3, 'text[]')}, ${given(4, 'float8[]')}, ${given(5, 'text[]')},
      ${given(6, 'text[]')}, ${given(7, 'float8[]')}, ${given(8, 'text[]')}, ${given(9, 'text[]')}, ${given(10, 'text[]')})
      WITH ORDINALITY AS given(id, key, lane, priority, order_key, message_id, due_ms, on_doubt, facts, content, place)
    ORDER BY place
  ) each
),
written AS (
  INSERT INTO ${mail} (seq, id, key, lane, priority, order_key, message_id, on_doubt, state, is_ready, due_at, created_at, changed_at,
    facts, content)
  SELECT seq, id, key, lane, priority, order_key, message_id, on_doubt, 'queued', due_ms IS NULL OR to_timestamp(due_ms / 1000) <= now,
    coalesce(to_timestamp(due_ms / 1000), now), now, now, facts, decode(content, 'base64')
  FROM given, clock ORDER BY key, place
  ON CONFLICT DO NOTHING
  RETURNING id
)${hasBlobs ? `,\n${withBlobs(names)}` : ''}
SELECT CAST(${list('id', 'written')} AS text) || ${wake(names)} AS answer`;
}

function withBlobs({ mailBlob, blob }: Names): string {
  return `needed AS MATERIALIZED (
  SELECT mail, hash FROM unnest(${given(11, 'text[]')}, ${given(12, 'text[]')}) AS given(mail, hash)
  WHERE mail IN (SELECT id FROM written)
),
kept AS MATERIALIZED ( -- nobody deletes them before this transaction ends
  SELECT hash, used_at FROM ${blob} WHERE hash IN (SELECT hash FROM needed) ORDER BY hash FOR KEY SHARE
),
used AS ( -- those that another transaction writes this of are skipped: it would be waited for
  UPDATE ${blob} SET used_at = now FROM clock WHERE hash IN (
    SELECT hash FROM ${blob} WHERE hash IN (SELECT hash FROM kept, clock WHERE used_at < now - interval '1 hour')
    FOR NO KEY UPDATE SKIP LOCKED)
),
new_blob AS (
  INSERT INTO ${blob} (hash, bytes, used_at)
  SELECT hash, decode(bytes, 'base64'), now FROM unnest(${given(13, 'text[]')}, ${given(14, 'text[]')}) AS given(hash, bytes), clock
  WHERE hash IN (SELECT hash FROM needed) AND hash NOT IN (SELECT hash FROM kept)
  ORDER BY hash ON CONFLICT DO NOTHING
),
link AS (
  INSERT INTO ${mailBlob} (mail, hash) SELECT DISTINCT mail, hash FROM needed
)`;
}

/** Finding the mails that have keys. */
export function owning({ mail }: Names): string {
  return `SELECT CAST(coalesce(json_agg(json_build_object('id', id, 'key', key)), '[]') AS text) AS answer FROM ${mail}
WHERE key = ANY (${given(1, 'text[]')})`;
}
