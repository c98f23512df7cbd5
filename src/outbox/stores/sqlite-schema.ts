import type { MailState } from '../store.ts';

/** The states as they are kept; `later` and `ready` are both `queued`. */
export const STATES: readonly (MailState | 'later')[] = [
  'later',
  'queued',
  'claimed',
  'sending',
  'in-doubt',
  'sent',
  'failed',
  'cancelled',
];

/** How a state is kept. */
export const LATER = 0;
export const READY = 1;
export const CLAIMED = 2;
export const SENDING = 3;
export const IN_DOUBT = 4;

/** The steps from one version to the next. Partial indexes: what has ended is not in the way of what waits. */
export const SCHEMA: readonly string[] = [
  `
  CREATE TABLE mail (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    key TEXT UNIQUE,
    lane TEXT NOT NULL,
    priority INTEGER NOT NULL,
    order_key TEXT,
    message_id TEXT,
    state INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    on_doubt TEXT NOT NULL,
    facts TEXT NOT NULL,
    content BLOB,
    tries INTEGER NOT NULL DEFAULT 0,
    fence INTEGER NOT NULL DEFAULT 0,
    lease_until INTEGER NOT NULL DEFAULT 0,
    request TEXT,
    repeat_until INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX mail_ready ON mail (lane, priority DESC, seq, due_at) WHERE state = 1;
  CREATE INDEX mail_later ON mail (due_at, lane) WHERE state = 0;
  CREATE INDEX mail_leased ON mail (lease_until) WHERE state IN (2, 3);
  CREATE INDEX mail_order ON mail (order_key, seq) WHERE order_key IS NOT NULL AND state < 4;
  CREATE INDEX mail_doubt ON mail (message_id) WHERE state IN (3, 4) OR request IS NOT NULL;
  CREATE INDEX mail_ended ON mail (changed_at) WHERE state > 4;
  CREATE INDEX mail_state ON mail (state, lane, id);
  CREATE TABLE blob (hash TEXT PRIMARY KEY, bytes BLOB NOT NULL, used_at INTEGER NOT NULL) STRICT;
  CREATE INDEX blob_used ON blob (used_at, hash);
  CREATE TABLE mail_blob (
    hash TEXT NOT NULL REFERENCES blob,
    seq INTEGER NOT NULL,
    PRIMARY KEY (hash, seq)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX mail_blob_seq ON mail_blob (seq);
  CREATE TABLE lane (
    lane TEXT PRIMARY KEY,
    paused_until INTEGER,
    reason TEXT NOT NULL DEFAULT '',
    tokens REAL,
    filled_at INTEGER
  ) STRICT;
  `,
  `
  ALTER TABLE lane DROP COLUMN tokens;
  ALTER TABLE lane DROP COLUMN filled_at;
  CREATE TABLE bucket (name TEXT PRIMARY KEY, kept TEXT NOT NULL) STRICT;
  `,
];

/** By state, since when the oldest of a lane waits. */
export const OLDEST: readonly string[] = [
  `SELECT due_at AS at FROM mail INDEXED BY mail_later WHERE state = ${LATER} AND lane = ? ORDER BY due_at LIMIT 1`,
  `SELECT min(due_at) AS at FROM mail INDEXED BY mail_ready WHERE state = ${READY} AND lane = ?`,
  ...[CLAIMED, SENDING, IN_DOUBT].map(
    (state) => `SELECT min(changed_at) AS at FROM mail INDEXED BY mail_state WHERE state = ${state} AND lane = ?`,
  ),
];
