import type { ListQuery } from '../../../store.ts';
import { literal, type Names } from '../names.ts';
import { CLOCK, given, list, ms, STORED } from './parts.ts';

/** What can be asked of a store, by the names of its queries. */
export function reading(
  names: Names,
): Readonly<Record<'mail' | 'doubts' | 'content' | 'blobs' | 'counts' | 'pauses', string>> {
  const { mail, blob, pause } = names;
  const isIt = `id = (${given(1, 'json')} #>> '{}')`;
  return {
    mail: `SELECT CAST(${STORED} AS text) AS answer FROM ${mail} WHERE ${isIt}`,
    doubts: `SELECT CAST(coalesce(json_agg(${STORED}), '[]') AS text) AS answer FROM ${mail}
WHERE message_id = (${given(1, 'json')} #>> '{}') AND (state IN ('sending', 'in-doubt') OR request IS NOT NULL)`,
    content: `SELECT CAST(to_json(encode(content, 'base64')) AS text) AS answer FROM ${mail}
WHERE ${isIt} AND content IS NOT NULL`,
    blobs: `SELECT CAST(coalesce(json_agg(json_build_object('hash', hash, 'bytes', encode(bytes, 'base64'))), '[]') AS text)
  AS answer
FROM ${blob} WHERE hash IN (SELECT value FROM json_array_elements_text(${given(1, 'json')}) AS value)`,
    counts: `WITH ${CLOCK},
counted AS (
  SELECT lane, state, count(*) AS count, min(CASE state WHEN 'queued' THEN due_at ELSE changed_at END)
    FILTER (WHERE state NOT IN ('sent', 'failed', 'cancelled')) AS oldest
  FROM ${mail} GROUP BY lane, state
)
SELECT CAST(${list(
      `json_build_object('lane', lane, 'state', state, 'count', count, 'oldestMs', ${ms('(now - oldest)')})`,
      'counted, clock',
    )} AS text) AS answer`,
    pauses: `WITH ${CLOCK}
SELECT CAST(${list(
      `json_build_object('lane', lane, 'ms', greatest(0, ${ms('(until - now)')}), 'reason', reason)`,
      `${pause}, clock`,
    )} AS text) AS answer`,
  };
}

/** A page of mails; written for the filters that are set, so that each of them finds its index. */
export function listing({ mail }: Names, { state, lane, text, before }: ListQuery): string {
  const wanted = (name: string) => `(SELECT ${name} FROM wanted)`;
  const hasText = (told: string) => `position(lower(${wanted('text')}) IN lower(${told})) > 0`;
  const filters = [
    // Not "=": rows of one state would be read in the order of ids, all others along with them.
    ...(state === undefined ? [] : [`state >= ${literal(state)} AND state <= ${literal(state)}`]),
    ...(lane === undefined ? [] : [`lane = ${wanted('lane')}`]),
    // The names of what is told are nothing that is looked for.
    ...(text === undefined ? [] : ['facts', `regexp_replace(facts, '"[A-Za-z]+":', '', 'g')`].map(hasText)),
    ...(before === undefined ? [] : [`id < ${wanted('before')}`]),
  ];
  return `WITH wanted AS MATERIALIZED (
  SELECT * FROM json_to_record(${given(1, 'json')}) AS given(lane text, text text, before text, "limit" int)
),
page AS (
  SELECT * FROM ${mail} ${filters.length === 0 ? '' : `WHERE ${filters.join(' AND ')}`}
  ORDER BY ${state === undefined ? '' : 'state DESC, '}id DESC LIMIT ${wanted('"limit"')}
)
SELECT CAST(coalesce(json_agg(${STORED} ORDER BY id DESC), '[]') AS text) AS answer FROM page`;
}
