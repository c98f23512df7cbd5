import {
  ConfigurationError,
  type ConnectionErrorCode,
  EmailConnectionError,
  EmailError,
} from '../../../model/errors.ts';
import { isError, reasonOf } from '../../../util/reason.ts';

/** What Redis answers when it does nothing now, and may later. */
const PASSING = /^(?:OOM|MISCONF|LOADING|BUSY|READONLY|CLUSTERDOWN|MASTERDOWN|TRYAGAIN|NOREPLICAS|GONE|UNBLOCKED)$/;
const AUTH = /^(?:NOAUTH|WRONGPASS|NOPERM)$/;
const CODES: Readonly<Record<string, ConnectionErrorCode>> = {
  ...{ ENOTFOUND: 'dns', EAI_AGAIN: 'dns', ETIMEDOUT: 'timeout' },
  ...{ EHOSTUNREACH: 'unreachable', ENETUNREACH: 'unreachable' },
};

/**
 * What is thrown when a script failed. Its text names no server, user or password, and nothing of a mail.
 *
 * @param what it was for, as `claim mails`
 */
export function failure(what: string, error: unknown): EmailError {
  if (error instanceof EmailError) return error;
  const code = wordOf(error);
  if (code !== '') {
    const message = `the outbox could not ${what}: Redis answered ${code}`;
    const kind = isAuthFault(error) ? 'auth' : 'connection';
    return new EmailConnectionError(kind, message, {
      cause: causeOf(error),
      retryable: PASSING.test(code),
      outcome: 'not-sent',
    });
  }
  // The answer may be what was lost.
  const message = `the outbox could not ${what}: the connection to Redis was lost`;
  return new EmailConnectionError('connection', message, {
    cause: causeOf(error),
    retryable: false,
    outcome: 'unknown',
  });
}

/** @param fault what the connection last failed with, if anything */
export function noConnection(what: string, fault: unknown): EmailConnectionError {
  const why = wordOf(fault) || codeOf(fault);
  const message = `the outbox could not ${what}: no connection to Redis${why && ` (${why})`}`;
  const code = isAuthFault(fault) ? 'auth' : (CODES[codeOf(fault)] ?? 'refused');
  return new EmailConnectionError(code, message, {
    cause: causeOf(fault),
    retryable: code !== 'auth',
    outcome: 'not-sent',
  });
}

export function isAuthFault(error: unknown): boolean {
  return AUTH.test(wordOf(error));
}

/** What the driver threw, without the command that it keeps: that has whole mails in it, or the password. */
function causeOf(error: unknown): unknown {
  if (!isError(error) || !('command' in error)) return error;
  const { name, message, stack } = error;
  return Object.assign(new Error(message), { name, stack });
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}

/** Answers of Redis begin with a word in capitals; whatever else fails is the driver's. */
function wordOf(error: unknown): string {
  return /^([A-Z]{3,}) /.exec(reasonOf(error))?.[1] ?? '';
}

export function refused(option: string, message: string): ConfigurationError {
  return new ConfigurationError('invalid-option', `${option}: ${message}`, { option });
}
