import { type ConnectionErrorCode, EmailConnectionError } from '../errors.ts';
import { NETWORK_CODES, systemCode } from '../util/network-code.ts';

/** The error for a connection that the system did not make; `where` is what it should have led to. */
export function connectError(error: unknown, where: string): EmailConnectionError {
  const system = systemCode(error);
  const code = NETWORK_CODES[system] ?? 'connection';
  const why: Partial<Record<ConnectionErrorCode, string>> = {
    dns: 'its name was not found: check host',
    refused: 'nothing listens there: check host and port',
    unreachable: 'there is no way to it: check host and network',
  };
  const reason = why[code] ?? (error instanceof Error ? error.message : String(error));
  return new EmailConnectionError(code, `no connection to ${where}: ${reason}`, {
    retryable: system !== 'ENOTFOUND',
    cause: error,
  });
}
