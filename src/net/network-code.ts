import type { ConnectionErrorCode } from '../model/errors.ts';

/** What error codes of the system, of name lookup and of Node's HTTP client mean for a connection. */
export const NETWORK_CODES: Readonly<Record<string, ConnectionErrorCode>> = {
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns',
  EAI_FAIL: 'dns',
  ENODATA: 'dns',
  ECONNREFUSED: 'refused',
  ENOENT: 'refused',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
  ETIMEDOUT: 'timeout',
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  ECONNRESET: 'closed',
  UND_ERR_SOCKET: 'closed',
};

/** OpenSSL's codes for a bad chain, and Node's for a wrong name. */
export const CERTIFICATE_CODE: RegExp = /CERT|SELF_SIGNED|UNABLE_TO_|CRL_|INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH/;

/** The code of an error of Node or the system, such as `ECONNREFUSED`; '' without one. */
export function systemCode(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}

/** The system's error inside one of Node's or undici's, which wrap it, once for every address that was tried. */
export function systemError(error: unknown, depth = 0): unknown {
  if (typeof error !== 'object' || error === null || depth > 3) return error;
  const { errors, cause } = error as { readonly errors?: readonly unknown[]; readonly cause?: unknown };
  const inner = Array.isArray(errors) ? errors[0] : cause;
  return systemCode(error) !== '' || inner === undefined ? error : systemError(inner, depth + 1);
}
