import type { Names } from '../names.ts';
import { CLOCK, given, list, STORED, wake } from './parts.ts';

/** How many rows one call changes at most, so that none holds its locks for long. */
const BATCH = { recover: 1_000, prune: 5_000, blobs: 1_000 };

/** Taking mails from workers that are gone, and deleting what is not needed any more. */
export function recovering(names: Names): Readonly<Record<'recover' | 'prune' | 'pruneBlobs', string>> {
  const { mail, mailBlob, blob } = names;
  return {
    recover: `WITH ${CLOCK},
lost AS MATERIALIZED (
  SELECT id, state = 'claimed' AS is_unsent, 
    on_doubt = 'resend' OR (request IS NOT NULL AND repeat_until > (SELECT now FROM clock)) AS is_resent
  FROM ${mail}
  WHERE state IN ('claimed', 'sending') AND lease_until <= (SELECT now FROM clock)
  ORDER BY id LIMIT ${BATCH.recover} FOR NO KEY UPDATE SKIP LOCKED
),
changed AS (
  UPDATE ${mail} AS mail SET state = CASE WHEN is_unsent OR is_resent THEN 'queued' ELSE 'in-doubt' END,
    is_ready = true, lease_until = NULL, changed_at = (SELECT now FROM clock),
    tries = CASE WHEN is_unsent THEN tries ELSE tries + 1 END,
    fence = CASE WHEN is_resent AND NOT is_unsent THEN fence + 1 ELSE fence END
  FROM lost WHERE mail.id = lost.id AND mail.id = ANY (ARRAY(SELECT id FROM lost)) RETURNING mail.*, is_unsent
),
woken AS MATERIALIZED (SELECT ${wake(names)} WHERE EXISTS (SELECT FROM changed))
SELECT CAST(json_build_object('requeued', ${list(STORED, 'changed WHERE is_unsent')},
  'doubtful', ${list(STORED, 'changed WHERE NOT is_unsent')}, 'isWaking', EXISTS (SELECT FROM woken)) AS text) AS answer`,
    prune: `WITH pruned AS (
  DELETE FROM ${mail} WHERE id = ANY (ARRAY(
    SELECT id FROM ${mail} WHERE state IN ('sent', 'failed', 'cancelled')
    AND changed_at <= date_trunc('milliseconds', clock_timestamp()) - ${given(1, 'double precision')} * interval '1 millisecond'
    ORDER BY changed_at LIMIT ${BATCH.prune} FOR UPDATE SKIP LOCKED))
  RETURNING 1
)
SELECT CAST(count(*) AS text) AS answer FROM pruned`,
    // One that was needed within a day is not looked at: a transaction that is not committed yet may be about to need it again.
    pruneBlobs: `WITH ${CLOCK},
old AS MATERIALIZED (
  SELECT hash, EXISTS (SELECT FROM ${mailBlob} AS link WHERE link.hash = blob.hash) AS is_needed FROM ${blob} AS blob
  WHERE used_at < (SELECT now FROM clock) - interval '24 hours'
  ORDER BY used_at LIMIT ${BATCH.blobs} FOR UPDATE SKIP LOCKED
),
kept AS (UPDATE ${blob} SET used_at = now FROM clock WHERE hash IN (SELECT hash FROM old WHERE is_needed)),
pruned AS (DELETE FROM ${blob} WHERE hash IN (SELECT hash FROM old WHERE NOT is_needed) RETURNING 1)
SELECT CAST(count(*) AS text) AS answer FROM pruned`,
  };
}
