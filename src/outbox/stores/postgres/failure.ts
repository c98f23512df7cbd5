import {
  ConfigurationError,
  type ConnectionErrorCode,
  EmailConnectionError,
  EmailError,
} from '../../../model/errors.ts';
import { isError, reasonOf } from '../../../util/reason.ts';

/** Codes of Node and SQLSTATEs of which this package knows more than that something failed. */
const CODES: Readonly<Record<string, ConnectionErrorCode>> = {
  ...{ ECONNREFUSED: 'refused', ENOENT: 'refused', ENOTFOUND: 'dns', EAI_AGAIN: 'dns' },
  ...{ EHOSTUNREACH: 'unreachable', ENETUNREACH: 'unreachable', ETIMEDOUT: 'timeout' },
  ...{ '28000': 'auth', '28P01': 'auth' },
};

/** Where it may go well later: it cannot be reached, starts or stops, has too many clients, is full, or had to give up one of two. */
const PASSING = /^(?:E[A-Z_]+|(?:08|53|57P0|40).*|55P03)$/;

/** That there is no such table or column. */
const MISSING = new Set(['42P01', '3F000', '42703']);

/** Whether an error says that the tables are not there; libraries such as Drizzle have the driver's as the cause of their own. */
export function isMissing(error: unknown): boolean {
  return MISSING.has(codeOf(error)) || (isError(error) && MISSING.has(codeOf(error.cause)));
}

export function schemaMissing(found: string, cause?: unknown): ConfigurationError {
  const message = `${found}: run the SQL that \`npx amsdal-mail outbox migrate\` prints, or call migrate() of the store`;
  return new ConfigurationError('invalid-option', message, { option: 'pool', ...(cause !== undefined && { cause }) });
}

/**
 * What is thrown when a statement on the pool failed. Its text names no server, user or password, and nothing of a mail: those are
 * in the driver's error at most, which is the cause.
 */
export function failure(what: string, error: unknown): EmailError {
  if (error instanceof EmailError) return error;
  if (isMissing(error)) return schemaMissing(`the outbox could not ${what}, as a table of it is missing`, error);
  const code = codeOf(error);
  const isAnswer = /^[0-9A-Z]{5}$/.test(code) && !(code in CODES);
  // Without any code the connection was lost, and whether the server had done it by then is not known.
  const isLost = code === '' || code === 'ECONNRESET' || code === 'EPIPE';
  const outcome = isLost ? 'unknown' : 'not-sent';
  const why = code === '' ? (isError(error) ? 'the connection was lost' : reasonOf(error)) : code;
  const message = isAnswer
    ? `the outbox could not ${what}: Postgres answered ${code}`
    : `the outbox could not ${what}: no connection to Postgres (${why})`;
  const retryable = !isLost && PASSING.test(code);
  return new EmailConnectionError(CODES[code] ?? 'connection', message, { cause: error, retryable, outcome });
}

function codeOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : '';
  return typeof code === 'string' ? code : '';
}
