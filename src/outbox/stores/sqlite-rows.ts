import type { ClaimedMail, Count, ListQuery, MailState, OnDoubt, StoredMail } from '../store.ts';
import { textFilter } from '../text-filter.ts';
import type { SqlRow } from './sqlite-database.ts';
import { STATES } from './sqlite-schema.ts';

/** Both of one lane and state. */
export function added(one: Count, other: Count | undefined): Count {
  if (other === undefined) return one;
  return { ...one, count: one.count + other.count, oldestMs: Math.max(one.oldestMs ?? 0, other.oldestMs ?? 0) };
}

export function stateOf(row: SqlRow): MailState {
  const state = STATES[Number(row['state'])];
  return state === undefined || state === 'later' ? 'queued' : state;
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

export function bytesOf(value: unknown): Uint8Array | null {
  return value instanceof Uint8Array ? value : null;
}

export function storedOf(row: SqlRow): StoredMail {
  return {
    id: String(row['id']),
    key: textOrNull(row['key']),
    lane: String(row['lane']),
    priority: Number(row['priority']),
    orderKey: textOrNull(row['order_key']),
    messageId: textOrNull(row['message_id']),
    state: stateOf(row),
    dueAt: Number(row['due_at']),
    onDoubt: onDoubtOf(row),
    facts: String(row['facts']),
    tries: Number(row['tries']),
    fence: Number(row['fence']),
    request: textOrNull(row['request']),
    createdAt: Number(row['created_at']),
    changedAt: Number(row['changed_at']),
  };
}

export function claimedOf(row: SqlRow, now: number, isProbe: boolean): ClaimedMail {
  return {
    id: String(row['id']),
    fence: Number(row['fence']),
    lane: String(row['lane']),
    tries: Number(row['tries']),
    onDoubt: onDoubtOf(row),
    request: textOrNull(row['request']),
    repeatMs: Number(row['repeat_until']) - now,
    createdAt: Number(row['created_at']),
    facts: String(row['facts']),
    content: bytesOf(row['content']) ?? new Uint8Array(),
    isProbe,
  };
}

function onDoubtOf(row: SqlRow): OnDoubt {
  return row['on_doubt'] === 'resend' ? 'resend' : 'hold';
}

const TEXT_PAGE = 1_000;

/** What a list has, from the pages that SQLite finds; its `lower()` knows ASCII alone. */
export function searched(
  { text, ...query }: ListQuery,
  list: (page: ListQuery) => readonly StoredMail[],
): readonly StoredMail[] {
  if (text === undefined) return list(query);
  const isFound = textFilter(text);
  const prefilter = /^\p{ASCII}*$/u.test(text) ? text : undefined;
  const found: StoredMail[] = [];
  let { before } = query;
  while (found.length < query.limit) {
    const page = list({ ...query, text: prefilter, before, limit: TEXT_PAGE });
    found.push(...page.filter(isFound));
    before = page.at(-1)?.id;
    if (page.length < TEXT_PAGE) break;
  }
  return found.slice(0, query.limit);
}
