import { ConfigurationError, type ConfigurationErrorCode } from '../errors.ts';

/**
 * Whether this is workerd, the runtime of Cloudflare Workers: sockets and promises belong to the request that made them there,
 * so that nothing may be kept for the next one.
 */
export function isWorkerd(): boolean {
  return globalThis.navigator?.userAgent === 'Cloudflare-Workers';
}

/**
 * Refuses what workerd cannot do.
 *
 * @throws {ConfigurationError} with `code`, saying why and what to do instead
 */
export function refuseInWorkerd(code: ConfigurationErrorCode, what: string, why: string): void {
  if (isWorkerd()) throw new ConfigurationError(code, `${what} in Cloudflare Workers: ${why}`);
}
