import { ConfigurationError, type ConfigurationErrorCode } from '../model/errors.ts';
import { isWorkerd } from '../util/runtime.ts';

/**
 * Refuses what workerd cannot do.
 *
 * @throws {ConfigurationError} with `code`, saying why and what to do instead
 */
export function refuseInWorkerd(code: ConfigurationErrorCode, what: string, why: string): void {
  if (isWorkerd()) throw new ConfigurationError(code, `${what} in Cloudflare Workers: ${why}`);
}
