import { literal, type Names, namesOf, type PostgresPlace } from './names.ts';

/** Of the tables as this package makes and uses them. */
export const SCHEMA_VERSION = 2;

/**
 * The SQL that makes the tables of an outbox, for an application's own migrations: plain statements that may run in a
 * transaction, and change nothing when they run again.
 *
 * @throws {ConfigurationError} `invalid-option` for a schema or prefix that cannot be a name.
 */
export function outboxSchema(place: PostgresPlace = {}): string {
  return statementsOf(namesOf(place)).join('\n\n').concat('\n');
}

/** All of it as one statement, which two processes may run at once. */
export function migration(names: Names): string {
  const body = [
    `PERFORM pg_advisory_xact_lock(hashtext(${literal(`amsdal-mail ${names.mail}`)}));`,
    ...statementsOf(names),
  ].join('\n');
  return `DO ${block(body)}`;
}

function statementsOf(names: Names): readonly string[] {
  const { mail, mailBlob, blob, pause, bucket, version, sequence, index } = names;
  return [
    // CREATE SCHEMA IF NOT EXISTS asks for the right to make one even where it exists. The table is asked, not to_regnamespace:
    // that may still know what was before somebody else was waited for.
    `DO ${block(`  IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = ${literal(names.payload)}) THEN
    CREATE SCHEMA ${names.schema};
  END IF;`)};`,
    `CREATE SEQUENCE IF NOT EXISTS ${sequence};`,
    `CREATE TABLE IF NOT EXISTS ${mail} (
  id text COLLATE "C" PRIMARY KEY,
  seq bigint NOT NULL DEFAULT nextval(${literal(sequence)}),
  key text COLLATE "C",
  lane text COLLATE "C" NOT NULL,
  priority double precision NOT NULL,
  order_key text COLLATE "C",
  message_id text COLLATE "C",
  on_doubt text NOT NULL,
  state text COLLATE "C" NOT NULL,
  is_ready boolean NOT NULL, -- of those queued: whether their time has come
  due_at timestamptz(3) NOT NULL,
  created_at timestamptz(3) NOT NULL,
  changed_at timestamptz(3) NOT NULL,
  lease_until timestamptz(3),
  fence bigint NOT NULL DEFAULT 0,
  tries integer NOT NULL DEFAULT 0,
  request text COLLATE "C",
  repeat_until timestamptz(3),
  facts text NOT NULL,
  content bytea
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05);`,
    `CREATE UNIQUE INDEX IF NOT EXISTS ${index('key')} ON ${mail} (key) WHERE key IS NOT NULL;`,
    `CREATE INDEX IF NOT EXISTS ${index('ready')} ON ${mail} (lane, priority DESC, seq)
  WHERE state = 'queued' AND is_ready;`,
    `CREATE INDEX IF NOT EXISTS ${index('later')} ON ${mail} (due_at) WHERE state = 'queued' AND NOT is_ready;`,
    `CREATE INDEX IF NOT EXISTS ${index('order')} ON ${mail} (order_key, seq)
  WHERE order_key IS NOT NULL AND state IN ('queued', 'claimed', 'sending');`,
    `CREATE INDEX IF NOT EXISTS ${index('held')} ON ${mail} (id) WHERE state IN ('claimed', 'sending');`,
    `CREATE INDEX IF NOT EXISTS ${index('doubt')} ON ${mail} (message_id)
  WHERE state IN ('sending', 'in-doubt') OR request IS NOT NULL;`,
    `CREATE INDEX IF NOT EXISTS ${index('ended')} ON ${mail} (changed_at)
  WHERE state IN ('sent', 'failed', 'cancelled');`,
    `CREATE INDEX IF NOT EXISTS ${index('state')} ON ${mail} (state, id) INCLUDE (lane, due_at, changed_at);`,
    `CREATE TABLE IF NOT EXISTS ${blob} (
  hash text COLLATE "C" PRIMARY KEY,
  bytes bytea NOT NULL,
  used_at timestamptz(3) NOT NULL -- when a mail was last known to need it, to the hour
);`,
    `CREATE INDEX IF NOT EXISTS ${index('blob_used')} ON ${blob} (used_at);`,
    `CREATE TABLE IF NOT EXISTS ${mailBlob} (
  mail text COLLATE "C" NOT NULL REFERENCES ${mail} ON DELETE CASCADE,
  hash text COLLATE "C" NOT NULL REFERENCES ${blob},
  PRIMARY KEY (mail, hash)
);`,
    `CREATE INDEX IF NOT EXISTS ${index('blob_hash')} ON ${mailBlob} (hash);`,
    `CREATE TABLE IF NOT EXISTS ${pause} (
  lane text COLLATE "C" PRIMARY KEY,
  until timestamptz(3) NOT NULL,
  reason text NOT NULL
);`,
    `CREATE TABLE IF NOT EXISTS ${bucket} (
  name text COLLATE "C" PRIMARY KEY,
  kept text NOT NULL -- what went in the windows of its rates
) WITH (fillfactor = 50);`,
    `CREATE TABLE IF NOT EXISTS ${version} (
  is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
  version integer NOT NULL
);`,
    `INSERT INTO ${version} AS known (version) VALUES (${SCHEMA_VERSION})
  ON CONFLICT (is_only) DO UPDATE SET version = EXCLUDED.version WHERE known.version < EXCLUDED.version;`,
  ];
}

/** The body of a DO statement, between tags that are not in it. */
function block(body: string): string {
  let tag = '$outbox';
  while (body.includes(tag)) tag += '_';
  return `${tag}$\nBEGIN\n${body}\nEND\n${tag}$`;
}
