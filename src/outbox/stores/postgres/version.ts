import { ConfigurationError } from '../../../model/errors.ts';
import { certainAnswerOf, type PostgresQuery } from './database.ts';
import { schemaMissing } from './failure.ts';
import { literal, type Names } from './names.ts';
import { SCHEMA_VERSION } from './schema.ts';

/** Of a database, which may hold texts of any language. */
const ENCODINGS: readonly unknown[] = ['UTF8', 'SQL_ASCII'];

/**
 * The version of the tables; null where there are none. Fails in no case in a way that would end the transaction around it.
 *
 * @throws {ConfigurationError} `invalid-option` for a database that cannot hold every text.
 */
export async function versionOf(query: PostgresQuery, { version }: Names): Promise<number | null> {
  const facts = `json_build_array(to_regclass(${literal(version)}) IS NOT NULL, current_setting('server_encoding'))`;
  const [isThere, encoding] = (await ask(query, facts)) as readonly unknown[]; // a list, as just above
  if (!ENCODINGS.includes(encoding)) {
    const message = `pool: the encoding of the database must be UTF8, as mails have texts of every language; it is ${encoding}`;
    throw new ConfigurationError('invalid-option', message, { option: 'pool' });
  }
  return isThere === true ? Number(await ask(query, `(SELECT coalesce(max(version), 0) FROM ${version})`)) : null;
}

/** @throws {ConfigurationError} `invalid-option` when this package knows nothing of that version. */
export function refuseNewer(version: number | null): void {
  if (version === null || version <= SCHEMA_VERSION) return;
  const message = `pool: the tables of the outbox are of version ${version}, and this version of amsdal-mail knows them up to ${SCHEMA_VERSION}: update it`;
  throw new ConfigurationError('invalid-option', message, { option: 'pool' });
}

/** @throws {ConfigurationError} `invalid-option` when it is not the one that this package uses. */
export function checkVersion(version: number | null, names: Names): void {
  refuseNewer(version);
  if (version === null) throw schemaMissing(`pool: there is no table ${names.mail} for the outbox`);
  if (version < SCHEMA_VERSION) {
    throw schemaMissing(`pool: the tables of the outbox are of version ${version}, and must be of ${SCHEMA_VERSION}`);
  }
}

async function ask(query: PostgresQuery, expression: string): Promise<unknown> {
  return certainAnswerOf(await query(`SELECT CAST(${expression} AS text) AS answer`, []));
}
