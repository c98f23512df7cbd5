import { ConfigurationError, EmailConnectionError, type EmailError } from '../../model/errors.ts';
import { optionalRequire } from '../../options/optional-package.ts';
import { pause } from '../../util/pause.ts';
import { reasonOf } from '../../util/reason.ts';

type Value = string | number | null | Uint8Array;

/** A row, by the names of its columns. */
export type SqlRow = Readonly<Record<string, Value>>;

/** What is used of `node:sqlite`, and of the package that has the same for Node 20. */
export interface SqlStatement {
  run(...values: readonly Value[]): { readonly changes: number | bigint };
  get(...values: readonly Value[]): SqlRow | undefined;
  all(...values: readonly Value[]): readonly SqlRow[];
}

interface RawDatabase {
  exec(sql: string): void;
  prepare(sql: string): SqlStatement;
  close(): void;
}

interface SqliteModule {
  readonly DatabaseSync: new (path: string, options?: object) => RawDatabase;
}

/** How long another process may hold the database, in milliseconds; longer is a fault. */
const BUSY_MS = 30_000;
/** How long the thread is blocked for it: then others have their turn, and it is tried again. */
const BLOCKED_MS = 20;
/** As long as there is no thread to keep waiting: while it is opened. */
const OPENING_MS = 10_000;
/** What a thousand mails change fits in, so that no page is written twice in one transaction. */
const CACHE_KB = 16_000;
const SQLITE_BUSY = 5;
/** The bits of an extended code that are its primary one (sqlite.org/rescode.html). */
const PRIMARY = 0xff;
/** `AMSD`: other programs' databases are left alone. */
const APPLICATION_ID = 0x41_4d_53_44;

/** A database in a file of its own: it is opened, and its tables are made, before the constructor returns. */
export class SqliteDatabase {
  readonly #database: RawDatabase;
  readonly #path: string;
  readonly #statements = new Map<string, SqlStatement>();
  #isDurable = true;

  /**
   * @param schema the statements that make version `n` of the tables from the one before, at place `n - 1`
   * @throws {ConfigurationError} `invalid-option` for a file that cannot be opened, is none of an outbox, or of a later version;
   *   `missing-dependency` where this Node has no SQLite.
   */
  constructor(path: string, schema: readonly string[]) {
    this.#path = path;
    const { DatabaseSync } = sqlite();
    try {
      if (path !== ':memory:') makePrivate(path);
      this.#database = new DatabaseSync(path);
    } catch (cause) {
      throw this.#unusable(`cannot be opened: ${reasonOf(cause)}`, cause);
    }
    try {
      this.#database.exec(`PRAGMA busy_timeout = ${OPENING_MS}; PRAGMA trusted_schema = OFF`);
      this.#migrate(schema);
      this.#database.exec(
        `PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -${CACHE_KB}; PRAGMA busy_timeout = ${BLOCKED_MS}`,
      );
    } catch (cause) {
      this.#database.close();
      throw cause instanceof ConfigurationError ? cause : this.#unusable(`cannot be used: ${reasonOf(cause)}`, cause);
    }
  }

  /** A statement, prepared once. */
  prepare(sql: string): SqlStatement {
    const found = this.#statements.get(sql);
    if (found !== undefined) return found;
    const statement = this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  /**
   * Runs `work` in one transaction, which is on disk when it resolves; again where another process held the database.
   *
   * @param isDurable false: a loss of power may undo it, a crash of the process does not
   * @throws {EmailConnectionError} `connection`: nothing of it was done.
   */
  async transaction<T>(work: () => T, isDurable = true): Promise<T> {
    const since = performance.now();
    for (;;) {
      try {
        return this.#transact(work, isDurable);
      } catch (cause) {
        if (!isBusy(cause) || performance.now() - since > BUSY_MS) throw this.failure(cause);
        await pause(BLOCKED_MS * Math.random(), undefined);
      }
    }
  }

  #transact<T>(work: () => T, isDurable: boolean): T {
    if (isDurable !== this.#isDurable) {
      this.#database.exec(`PRAGMA synchronous = ${isDurable ? 'FULL' : 'NORMAL'}`);
      this.#isDurable = isDurable;
    }
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#database.exec('COMMIT');
      return result;
    } catch (cause) {
      try {
        this.#database.exec('ROLLBACK');
      } catch {
        // some errors, such as a full disk, have rolled it back by themselves
      }
      throw cause;
    }
  }

  /** What an error of the database means for who called. */
  failure(cause: unknown): EmailError {
    const text = `the outbox in '${this.#path}' could not be read or written: ${reasonOf(cause)}`;
    return new EmailConnectionError('connection', text, { phase: 'queue', retryable: true, cause });
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  #migrate(schema: readonly string[]): void {
    if (this.#pragma('user_version') === schema.length && this.#pragma('application_id') === APPLICATION_ID) return;
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const version = this.#pragma('user_version'); // another process may have been faster
      const isEmpty = this.#database.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.['n'] === 0;
      if (!isEmpty && this.#pragma('application_id') !== APPLICATION_ID)
        throw this.#unusable('holds tables of another program: give a file of its own');
      if (version > schema.length) {
        const text = `is of a later version of amsdal-mail (schema ${version}, this one knows ${schema.length}): update amsdal-mail`;
        throw this.#unusable(text);
      }
      for (const step of schema.slice(version)) this.#database.exec(step);
      this.#database.exec(`PRAGMA user_version = ${schema.length}; PRAGMA application_id = ${APPLICATION_ID}; COMMIT`);
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  #pragma(name: string): number {
    return Number(this.#database.prepare(`PRAGMA ${name}`).get()?.[name]);
  }

  #unusable(what: string, cause?: unknown): ConfigurationError {
    return new ConfigurationError('invalid-option', `the outbox file '${this.#path}' ${what}`, {
      option: 'store',
      cause,
    });
  }
}

function isBusy(error: unknown): boolean {
  return (
    typeof error === 'object' &&
    error !== null &&
    'errcode' in error &&
    (Number(error.errcode) & PRIMARY) === SQLITE_BUSY
  );
}

/** Node 22.13 and later have it built in; it says there that it is experimental. */
function sqlite(): SqliteModule {
  const builtIn = process.getBuiltinModule('node:sqlite') as SqliteModule | undefined;
  return builtIn ?? optionalRequire<SqliteModule>('@photostructure/sqlite', 'an outbox in a file, before Node 22.13,');
}

/** Mails are nobody else's business: SQLite gives its further files the permissions of the first. */
function makePrivate(path: string): void {
  const { closeSync, openSync } = process.getBuiltinModule('node:fs');
  closeSync(openSync(path, 'a', 0o600));
}
