import { literal, type Names } from '../names.ts';

/** The server's time when a statement begins; `now()` would be that of the transaction around it, which may have begun long ago. */
export const CLOCK = `clock AS MATERIALIZED (SELECT date_trunc('milliseconds', clock_timestamp()) AS now)`;

/** The columns of a mail, as `StoredMail` names them. */
export const STORED: string = `json_build_object('id', id, 'key', key, 'lane', lane, 'priority', priority,
  'orderKey', order_key, 'messageId', message_id, 'onDoubt', on_doubt, 'state', state, 'facts', facts, 'dueAt', ${ms('due_at')}, 'tries', tries,
  'fence', fence, 'request', request, 'createdAt', ${ms('created_at')}, 'changedAt', ${ms('changed_at')})`;

/** A parameter, which is a text as it comes: a driver that is told another type writes it in that type's form once more. */
export function given(place: number, type: string): string {
  return `CAST(CAST($${place} AS text) AS ${type})`;
}

/** A time in milliseconds since 1970, or a time of `clock` before which another one lies. */
export function ms(time: string): string {
  return `CAST(extract(epoch FROM ${time}) * 1000 AS bigint)`;
}

/** A JSON list of what an expression is in each row. */
export function list(expression: string, rows: string): string {
  return `coalesce((SELECT json_agg(${expression}) FROM ${rows}), '[]')`;
}

/** What tells those who listen that there may be something to claim, once the transaction is committed; an empty text. */
export function wake({ channel, payload }: Names): string {
  return `CAST(pg_notify(${literal(channel)}, ${literal(payload)}) AS text)`;
}
