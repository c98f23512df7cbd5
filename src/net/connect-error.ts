import { type ConnectionErrorCode, EmailConnectionError } from '../model/errors.ts';
import { reasonOf } from '../util/reason.ts';
import { NETWORK_CODES, systemCode } from './network-code.ts';

/** The options to check for each kind of failure. */
export interface OptionsToCheck {
  readonly dns: string;
  readonly refused: string;
  readonly unreachable: string;
}

/** The error for a failed connection to `where`. */
export function connectError(error: unknown, where: string, check: OptionsToCheck): EmailConnectionError {
  const system = systemCode(error);
  const code = NETWORK_CODES[system] ?? 'connection';
  const why: Partial<Record<ConnectionErrorCode, string>> = {
    dns: `its name was not found: check ${check.dns}`,
    refused: `nothing listens there: check ${check.refused}`,
    unreachable: `there is no way to it: check ${check.unreachable}`,
  };
  const reason = why[code] ?? reasonOf(error);
  return new EmailConnectionError(code, `no connection to ${where}: ${reason}`, {
    retryable: system !== 'ENOTFOUND',
    cause: error,
  });
}
