import { ConfigurationError } from '../../../model/errors.ts';

/** Where the tables of an outbox are in a database. */
export interface PostgresPlace {
  /** The schema that they are in, of any name; default `public`. */
  readonly schema?: string;
  /** What their names begin with: lower-case letters, digits and `_`, at most 32; default `outbox_`. */
  readonly prefix?: string;
}

/** The names of all that an outbox has in a database: quoted, to be written into statements, but for `channel` and `payload`. */
export interface Names {
  readonly schema: string;
  /** Inside the schema, for indexes, which are always in that of their table. */
  readonly index: (name: string) => string;
  readonly mail: string;
  readonly mailBlob: string;
  readonly blob: string;
  readonly pause: string;
  readonly bucket: string;
  readonly version: string;
  readonly sequence: string;
  /** What is listened to: outboxes of one prefix share it, and tell each other apart by `payload`. */
  readonly channel: string;
  readonly payload: string;
}

/** A longer name is cut off by the server, as `NAMEDATALEN` is 64: https://www.postgresql.org/docs/current/sql-syntax-lexical.html */
const MAX_BYTES = 63;

/** @throws {ConfigurationError} `invalid-option` for what cannot be a name. */
export function namesOf({ schema = 'public', prefix = 'outbox_' }: PostgresPlace): Names {
  if (schema === '' || schema.includes('\0') || Buffer.byteLength(schema) > MAX_BYTES) {
    throw new ConfigurationError('invalid-option', `schema: must be a name of 1 to ${MAX_BYTES} bytes without NUL`, {
      option: 'schema',
    });
  }
  if (!/^[a-z_][a-z0-9_]{0,31}$/.test(prefix)) {
    const message = 'prefix: must be 1 to 32 lower-case letters, digits and _, and must not begin with a digit';
    throw new ConfigurationError('invalid-option', message, { option: 'prefix' });
  }
  const inSchema = (name: string) => `${quoted(schema)}.${quoted(prefix + name)}`;
  return {
    schema: quoted(schema),
    index: (name) => quoted(`${prefix}mail_${name}`),
    mail: inSchema('mail'),
    mailBlob: inSchema('mail_blob'),
    blob: inSchema('blob'),
    pause: inSchema('pause'),
    bucket: inSchema('bucket'),
    version: inSchema('version'),
    sequence: inSchema('mail_seq'),
    channel: `${prefix}wake`,
    payload: schema,
  };
}

/** An identifier as it is, whatever it has in it. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text as a literal that means the same whatever `standard_conforming_strings` is. */
export function literal(text: string): string {
  const doubled = text.replaceAll("'", "''");
  return doubled.includes('\\') ? `E'${doubled.replaceAll('\\', '\\\\')}'` : `'${doubled}'`;
}
