import { ConfigurationError } from '../../../model/errors.ts';
import { isObject } from '../../../util/json.ts';

/**
 * What runs a statement: resolves with its rows, or with an object that has them.
 *
 * The values stand in the text as `$1`, `$2`, ..., in this order and each once, so that placeholders of another form can take
 * their places; a `?` is never in it.
 */
export type PostgresQuery = (text: string, values: string[]) => Promise<PostgresResult>;

/** The rows of a statement, as objects or lists of columns. */
export type PostgresResult = readonly unknown[] | { readonly rows: readonly unknown[] };

/** A client of the `pg` package, or what has its `query`. */
export interface PostgresClient {
  /** Runs one statement. */
  query(text: string, values: string[]): Promise<{ readonly rows: readonly unknown[] }>;
}

/** What a server tells those who listen. */
export interface PostgresNotification {
  /** What was listened to. */
  readonly channel: string;
  /** What was said. */
  readonly payload?: string | undefined;
}

/** A client that a pool has given away. */
export interface PostgresPoolClient extends PostgresClient {
  /** Gives it back; with true, or an error, it is closed. */
  release(error?: Error | boolean): void;
  /** As of an EventEmitter. */
  on(event: 'error' | 'end', listener: (error?: Error) => void): unknown;
  /** As of an EventEmitter. */
  on(event: 'notification', listener: (message: PostgresNotification) => void): unknown;
  /** As of an EventEmitter. */
  removeListener(event: 'error', listener: () => void): unknown;
}

/** A `Pool` of the `pg` package; or anything with `query`, which does without the rest. */
export interface PostgresPool extends PostgresClient {
  /** A connection of its own. */
  connect?(): Promise<PostgresPoolClient>;
  /** A client of `pg` can connect as well, but gives none away. */
  readonly totalCount?: number;
  /** Of which `max` is read: how many connections there are. */
  readonly options?: { readonly max?: number | undefined };
}

/** A pool that gives clients away. */
export type ClientPool = PostgresPool & { connect(): Promise<PostgresPoolClient> };

export function givesClients(pool: PostgresPool): pool is ClientPool {
  return typeof pool.connect === 'function' && typeof pool.totalCount === 'number';
}

/** @throws {ConfigurationError} `invalid-option` for what has no `query`. */
export function checkPool(pool: unknown): asserts pool is PostgresPool {
  if (hasQuery(pool)) return;
  const message = 'pool: must be a Pool of pg, or have query(text, values), which resolves with { rows }';
  throw new ConfigurationError('invalid-option', message, { option: 'pool' });
}

/**
 * How a caller's own transaction runs statements.
 *
 * @throws {ConfigurationError} `invalid-option` for what is no transaction.
 */
export function queryOf(tx: unknown): PostgresQuery {
  // A function of the caller's is what the type says: what it resolves with is looked at.
  if (typeof tx === 'function') return tx as PostgresQuery;
  if (hasQuery(tx) && !('totalCount' in tx)) return (text, values) => tx.query(text, values);
  const isPool = hasQuery(tx) ? ', not the pool itself, whose statements belong to no transaction' : '';
  const message = `tx: must be a client with query(text, values) inside a transaction, or a function (text, values) that resolves with its rows${isPool}`;
  throw new ConfigurationError('invalid-option', message, { option: 'tx' });
}

/**
 * The only column of the first row; undefined when there is no row.
 *
 * @throws {ConfigurationError} `invalid-option` for what is no answer to a statement.
 */
export function answerOf(result: PostgresResult): unknown {
  const rows: unknown = isObject(result) && 'rows' in result ? result.rows : result;
  if (!Array.isArray(rows)) throw noAnswer();
  const row: unknown = rows[0];
  if (row === undefined) return undefined;
  const [answer] = typeof row === 'object' && row !== null ? Object.values(row) : []; // of a list as well
  if (typeof answer !== 'string') throw noAnswer();
  return JSON.parse(answer);
}

/** Of a statement that has a row in any case: without one nobody knows whether it was run. */
export function certainAnswerOf(result: PostgresResult): unknown {
  const answer = answerOf(result);
  if (answer === undefined) throw noAnswer();
  return answer;
}

function noAnswer(): ConfigurationError {
  const message =
    'tx: must resolve with the rows of each statement, or with an object that has them as `rows`; so must query of a pool';
  return new ConfigurationError('invalid-option', message, { option: 'tx' });
}

function hasQuery(value: unknown): value is PostgresClient {
  return typeof value === 'object' && value !== null && 'query' in value && typeof value.query === 'function';
}
