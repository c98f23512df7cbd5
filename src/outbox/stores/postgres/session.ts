import { answerOf, givesClients, type PostgresPool, type PostgresQuery } from './database.ts';
import { failure } from './failure.ts';
import type { Names } from './names.ts';
import { inTransaction } from './transaction.ts';
import { checkVersion, versionOf } from './version.ts';

/** How a store asks its pool: the version of the tables is looked at first, and what fails says what it was for. */
export class Session {
  readonly pool: PostgresPool;
  /** Each statement is a transaction. */
  readonly query: PostgresQuery;
  readonly #names: Names;
  #isChecked = false;

  constructor(pool: PostgresPool, names: Names) {
    this.pool = pool;
    this.query = (text, values) => pool.query(text, values);
    this.#names = names;
  }

  /**
   * Looks at the version of the tables, until it has been right once.
   *
   * @throws {ConfigurationError} `invalid-option` when they are missing or of another version.
   */
  async check(query: PostgresQuery): Promise<void> {
    if (this.#isChecked) return;
    checkVersion(await versionOf(query, this.#names), this.#names);
    this.#isChecked = true;
  }

  /** What one statement answers. @param what it is for, as `claim mails`. */
  ask(what: string, sql: string, value?: unknown): Promise<unknown> {
    return this.run(what, (query) => ask(query, sql, value));
  }

  /** Runs statements, each by itself. */
  async run<T>(what: string, work: (query: PostgresQuery) => Promise<T>): Promise<T> {
    try {
      await this.check(this.query);
      return await work(this.query);
    } catch (error) {
      throw failure(what, error);
    }
  }

  /** Runs statements in one transaction; each by itself where the pool gives no clients away. */
  runTogether<T>(what: string, work: (query: PostgresQuery) => Promise<T>): Promise<T> {
    const { pool } = this;
    return this.run(what, (query) => (givesClients(pool) ? inTransaction(pool, work) : work(query)));
  }
}

/** What a statement answers to its parameter; to none for one without. */
export async function ask(query: PostgresQuery, sql: string, value?: unknown): Promise<unknown> {
  return answerOf(await query(sql, value === undefined ? [] : [JSON.stringify(value)]));
}
