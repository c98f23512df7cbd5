import type { Names } from '../names.ts';
import { CLOCK, given, ms } from './parts.ts';

/** At most so many that have waited for their time become ready at once. */
const BATCH = 1_000;

/**
 * Giving at most `most` mails to a worker, of all lanes in one statement.
 *
 * Limits are written as numbers where the planner has to know that there are few: it would read whole tables otherwise. For the
 * same reason rows are changed by a list of ids, of which it expects ten.
 */
export function claiming({ mail, pause }: Names, most: number): string {
  // What can be claimed of a lane, in the order in which it is given, as the index of those that are ready has it. Rows are locked
  // one after the other as they are asked for, so that none stays locked that is not given.
  const ready = (share: string, where: string, limit: string) => `SELECT * FROM (
    SELECT share.place, share.lane, share.is_probe, mail.* FROM ${share}, LATERAL (
      SELECT id, priority, seq FROM ${mail} AS mail
      WHERE lane = share.lane AND state = 'queued' AND is_ready ${where} AND (order_key IS NULL OR NOT EXISTS (
        SELECT FROM ${mail} AS earlier WHERE earlier.order_key = mail.order_key AND earlier.seq < mail.seq
        AND earlier.state IN ('queued', 'claimed', 'sending')))
      ORDER BY priority DESC, seq LIMIT ${limit} FOR UPDATE OF mail SKIP LOCKED
    ) mail LIMIT ${most}
  ) mail`;
  return `WITH ${CLOCK},
request AS MATERIALIZED (
  SELECT lanes, now + lease_ms * interval '1 millisecond' AS lease_until
  FROM json_to_record(${given(1, 'json')}) AS given(lanes json, lease_ms double precision), clock
),
asked AS MATERIALIZED (
  SELECT place, lane, most FROM ROWS FROM (
    json_to_recordset((SELECT lanes FROM request)) AS (lane text, most int)
  ) WITH ORDINALITY AS given(lane, most, place)
),
probe AS MATERIALIZED ( -- by one worker only
  SELECT lane FROM ${pause} WHERE lane IN (SELECT lane FROM asked) AND until <= (SELECT now FROM clock)
  FOR UPDATE SKIP LOCKED
),
share AS MATERIALIZED (
  SELECT place, asked.lane, CASE WHEN probe.lane IS NULL THEN most ELSE least(1, most) END AS most,
    probe.lane IS NOT NULL AS is_probe
  FROM asked LEFT JOIN probe USING (lane) LEFT JOIN ${pause} AS pause USING (lane)
  WHERE pause.lane IS NULL OR probe.lane IS NOT NULL ORDER BY place
),
part AS MATERIALIZED (${ready('share', '', 'share.most')}),
missing AS MATERIALIZED (SELECT ${most} - count(*) AS most FROM part),
rest AS MATERIALIZED (
  ${ready('(SELECT * FROM share WHERE NOT is_probe) share', 'AND id <> ALL (ARRAY(SELECT id FROM part))', '(SELECT most FROM missing)')}
  LIMIT (SELECT most FROM missing)
),
chosen AS MATERIALIZED (SELECT 1 AS part, * FROM part UNION ALL SELECT 2 AS part, * FROM rest),
claimed AS (
  UPDATE ${mail} SET state = 'claimed', fence = fence + 1, lease_until = (SELECT lease_until FROM request),
    changed_at = (SELECT now FROM clock)
  WHERE id = ANY (ARRAY(SELECT id FROM chosen)) RETURNING *
),
probing AS (
  UPDATE ${pause} SET until = (SELECT lease_until FROM request) WHERE lane IN (SELECT lane FROM chosen WHERE is_probe)
),
promoted AS (
  UPDATE ${mail} SET is_ready = true WHERE id = ANY (ARRAY(
    SELECT id FROM ${mail} WHERE state = 'queued' AND NOT is_ready AND due_at <= (SELECT now FROM clock)
    ORDER BY due_at LIMIT ${BATCH} FOR UPDATE SKIP LOCKED))
  RETURNING 1
),
next AS (
  SELECT least(
    (SELECT min(due_at) FROM ${mail} WHERE state = 'queued' AND NOT is_ready AND due_at > (SELECT now FROM clock)),
    (SELECT min(until) FROM ${pause} WHERE until > (SELECT now FROM clock)),
    (SELECT lease_until FROM request WHERE EXISTS (SELECT FROM chosen WHERE is_probe))
  ) AS at
)
SELECT CAST(json_build_object(
  'mails', coalesce((SELECT json_agg(json_build_object('id', id, 'lane', claimed.lane, 'fence', fence, 'tries', tries,
    'onDoubt', on_doubt, 'createdAt', ${ms('created_at')}, 'facts', facts, 'content', encode(content, 'base64'),
    'isProbe', is_probe, 'request', request, 'repeatMs',
    coalesce(${ms('(repeat_until - now)')}, 0)) ORDER BY part, place, chosen.priority DESC, chosen.seq) FROM claimed JOIN chosen USING (id), clock), '[]'),
  'nextMs', (SELECT ${ms('(at - now)')} FROM next, clock),
  'promoted', (SELECT count(*) FROM promoted)
) AS text) AS answer`;
}
