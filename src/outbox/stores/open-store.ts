import { ConfigurationError } from '../../model/errors.ts';
import { optionalRequire } from '../../options/optional-package.ts';
import { memoryStore } from '../memory-store.ts';
import type { OutboxStore } from '../store.ts';
import { bullmqStore } from './bullmq.ts';
import { type PostgresPool, postgresStore } from './postgres.ts';
import { sqliteStore } from './sqlite.ts';

/** What is used of the package pg. */
interface PgModule {
  readonly Pool: new (options: {
    readonly connectionString: string;
    readonly max: number;
  }) => PostgresPool & {
    end(): Promise<void>;
    on(event: 'error', listener: (error: Error) => void): unknown;
  };
}

/** Connections to a Postgres that a text names: one hears of new mails, the others claim, mark and settle. */
const POSTGRES_CONNECTIONS = 4;

/**
 * The store that a text names: `sqlite:./mail.db`, `postgres://user:password@host/database`, `redis://host:6379/0`, `memory:`.
 *
 * @throws {ConfigurationError} `invalid-option` for another text, which is not shown; `unknown-option` for what neither the outbox
 *   nor the store has; `missing-dependency`; and as the stores.
 */
export function openStore(text: string): OutboxStore {
  const colon = text.indexOf(':');
  const [kind, rest] = [text.slice(0, Math.max(0, colon)), text.slice(colon + 1)];
  const [path, query] = rest.split('?', 2);
  if (kind === 'sqlite' && query !== undefined) {
    const [option = ''] = query.split('=', 1);
    const text = `neither the outbox nor its store has the option '${option}': a file for sqlite takes none`;
    throw new ConfigurationError('unknown-option', text, { option });
  }
  if (kind === 'sqlite' && path) return sqliteStore(path);
  if (kind === 'memory' && rest === '') return memoryStore();
  if (kind === 'postgres' || kind === 'postgresql') return openPostgres(text);
  if (kind === 'redis' || kind === 'rediss') return openRedis(text);
  const message =
    "the store of an outbox is 'sqlite:PATH', 'postgres://...', 'redis://...' or 'memory:', or an object that a function such as postgresStore makes";
  throw new ConfigurationError('invalid-option', message, { option: 'store' });
}

/** Options of the store stand behind the `?`: `name`, `prefix`, and `jobs=false`. */
function openRedis(text: string): OutboxStore {
  const [connection = '', query] = text.split('?', 2);
  const { name, prefix, jobs, ...others } = Object.fromEntries(new URLSearchParams(query));
  for (const option of Object.keys(others)) {
    const known = 'its store in Redis knows name, prefix and jobs';
    throw new ConfigurationError('unknown-option', `the outbox has no option '${option}', and ${known}`, { option });
  }
  if (jobs !== undefined && jobs !== 'true' && jobs !== 'false')
    throw new ConfigurationError('invalid-option', 'jobs must be true or false', { option: 'jobs' });
  return bullmqStore({
    connection,
    ...(name !== undefined && { name }),
    ...(prefix !== undefined && { prefix }),
    jobs: jobs !== 'false',
  });
}

function openPostgres(connectionString: string): OutboxStore {
  const { Pool } = optionalRequire<PgModule>('pg', 'an outbox in Postgres');
  const pool = new Pool({ connectionString, max: POSTGRES_CONNECTIONS });
  pool.on('error', () => {}); // of an idle connection that is lost: the next statement opens another
  const store = postgresStore(pool);
  const close = store.close.bind(store);
  return Object.assign(store, {
    close: async () => {
      await close();
      await pool.end();
    },
  });
}
