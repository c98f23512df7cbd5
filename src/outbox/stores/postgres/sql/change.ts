import type { Names } from '../names.ts';
import { CLOCK, given, list, wake } from './parts.ts';

/** Changes of what workers hold, and of what people decide. */
export function changing(names: Names): Readonly<Record<'renew' | 'mark' | 'settle', string>> {
  const { mail, mailBlob, pause } = names;
  // States are subqueries, as the planner would otherwise read the index of all that workers hold, with what is dead in it.
  // Rows are locked in one order, so that no two of these statements wait for each other.
  const held = (rows: string, where: string, more = '') => `held AS MATERIALIZED (
  SELECT mail.id, mail.fence${more} FROM ${rows} JOIN ${mail} AS mail USING (id)
  WHERE mail.fence = given.fence AND ${where} ORDER BY mail.id FOR NO KEY UPDATE OF mail
)`;
  return {
    renew: `WITH request AS MATERIALIZED (
  SELECT * FROM json_to_record(${given(1, 'json')}) AS given(held json, lease_ms double precision)
),
${held('request, json_to_recordset(held) AS given(id text, fence bigint)', "(state = (SELECT 'claimed') OR state = (SELECT 'sending'))")},
changed AS (
  UPDATE ${mail} AS mail SET lease_until = clock_timestamp() + lease_ms * interval '1 millisecond'
  FROM held, request WHERE mail.id = held.id RETURNING held.*
)
SELECT CAST(${list('changed', 'changed')} AS text) AS answer`,
    // Whether the lease has run out is asked once the row is locked: that may have taken a while.
    mark: `WITH ${held(
      `json_to_recordset(${given(1, 'json')}) AS given(id text, fence bigint, request text, repeat_ms double precision)`,
      "state = (SELECT 'claimed')",
      ', given.request, repeat_ms',
    )},
changed AS (
  UPDATE ${mail} AS mail SET state = 'sending', changed_at = date_trunc('milliseconds', clock_timestamp()),
    repeat_until = CASE WHEN mail.request IS NOT DISTINCT FROM held.request THEN repeat_until
      ELSE clock_timestamp() + repeat_ms * interval '1 millisecond' END, request = held.request
  FROM held WHERE mail.id = held.id AND lease_until > clock_timestamp() RETURNING held.id, held.fence
)
SELECT CAST(${list('changed', 'changed')} AS text) AS answer`,
    settle: `WITH ${CLOCK},
request AS MATERIALIZED (
  SELECT settlements, pauses FROM json_to_record(${given(1, 'json')}) AS given(settlements json, pauses json)
),
given AS MATERIALIZED (
  SELECT given.* FROM request, json_to_recordset(settlements) AS given(id text, fence bigint, states text[], next_state text,
    after_ms double precision, is_tried boolean, new_facts text, keeps_request boolean, drops_content boolean)
),
held AS MATERIALIZED (
  SELECT mail.id FROM given JOIN ${mail} AS mail USING (id)
  WHERE (given.fence IS NULL OR given.fence = mail.fence) AND state = ANY(states)
  ORDER BY mail.id FOR NO KEY UPDATE OF mail
),
changed AS (
  UPDATE ${mail} AS mail SET state = next_state, is_ready = after_ms <= 0, fence = mail.fence + 1, lease_until = NULL,
    due_at = now + after_ms * interval '1 millisecond', changed_at = now,
    tries = CASE WHEN is_tried THEN tries + 1 ELSE tries END, facts = coalesce(new_facts, facts),
    request = CASE WHEN keeps_request THEN mail.request END,
    content = CASE WHEN drops_content THEN NULL ELSE content END
  FROM held JOIN given USING (id), clock WHERE mail.id = held.id
  RETURNING mail.id, state, is_ready, order_key, drops_content
),
unlinked AS (
  DELETE FROM ${mailBlob} WHERE mail IN (SELECT id FROM changed WHERE drops_content)
),
paused AS MATERIALIZED (
  SELECT given.* FROM request, json_to_recordset(pauses) AS given(lane text, pause_ms double precision, reason text)
),
resumed AS (
  DELETE FROM ${pause} WHERE lane IN (SELECT lane FROM paused WHERE pause_ms <= 0) RETURNING 1
),
stopped AS (
  INSERT INTO ${pause} (lane, until, reason)
  SELECT lane, now + pause_ms * interval '1 millisecond', reason FROM paused, clock WHERE pause_ms > 0 ORDER BY lane
  ON CONFLICT (lane) DO UPDATE SET until = EXCLUDED.until, reason = EXCLUDED.reason
),
woken AS MATERIALIZED ( -- when there may be more to claim than before
  SELECT ${wake(names)} WHERE EXISTS (SELECT FROM resumed)
    OR EXISTS (SELECT FROM changed WHERE order_key IS NOT NULL OR (state = 'queued' AND is_ready))
)
SELECT CAST(json_build_object('changed', ${list('id', 'changed')}, 'isWaking', EXISTS (SELECT FROM woken)) AS text) AS answer`,
  };
}
