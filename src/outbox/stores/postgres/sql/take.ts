import type { Names } from '../names.ts';
import { CLOCK, given, ms } from './parts.ts';

/** What is kept of the buckets of rates: read with the time, and written if nobody else has written meanwhile. */
export function taking({ bucket }: Names): Readonly<Record<'buckets' | 'allBuckets' | 'newBuckets' | 'swap', string>> {
  const read = (filter: string) => `WITH ${CLOCK}
SELECT CAST(json_build_object('now', ${ms('now')}, 'kept',
  coalesce((SELECT json_object_agg(name, kept) FROM ${bucket}${filter}), '{}')) AS text) AS answer FROM clock`;
  const names = `json_array_elements_text(${given(1, 'json')})`;
  return {
    buckets: read(` WHERE name IN (SELECT ${names})`),
    allBuckets: read(''),
    newBuckets: `WITH made AS (
  INSERT INTO ${bucket} (name, kept) SELECT DISTINCT value, '' FROM ${names} AS value ORDER BY value
  ON CONFLICT (name) DO NOTHING RETURNING name
)
SELECT CAST(count(*) AS text) AS answer FROM made`,
    // In the order of names, so that no two wait for each other; what is locked is as it is now, not as when the statement began.
    swap: `WITH change AS MATERIALIZED (
  SELECT * FROM json_to_recordset(${given(1, 'json')}) AS given(name text, before text, after text)
),
locked AS MATERIALIZED (
  SELECT name, kept FROM ${bucket} WHERE name IN (SELECT name FROM change) ORDER BY name FOR UPDATE
),
same AS MATERIALIZED (
  SELECT bool_and(locked.kept IS NOT DISTINCT FROM before) AS is_same FROM change LEFT JOIN locked USING (name)
),
written AS (
  UPDATE ${bucket} AS bucket SET kept = after FROM change, same WHERE bucket.name = change.name AND is_same
  RETURNING bucket.name
)
SELECT CAST(to_json(count(*) > 0) AS text) AS answer FROM written`,
  };
}
