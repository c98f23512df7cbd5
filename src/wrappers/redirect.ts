import { EmailBackend } from '../backend.ts';
import { redirectFilter } from './redirect-filter.ts';
import type { RedirectOptions } from './redirect-rules.ts';

export type { RedirectOptions } from './redirect-rules.ts';

/**
 * Keeps mail from real recipients: all but the allowed ones are replaced by one address, in headers and envelope both, and so
 * is whoever would get bounces and receipts.
 *
 * The connection itself is changed and returned, for good: whoever has it sends through the guard, blocking calls and wrappers
 * around it included. `X-Original-To` has the addresses of `to` and `cc` that were replaced, those of `bcc` as a count. The
 * SendStatus speaks of the original recipients. AMSDAL_EMAIL_REDIRECT_TO and AMSDAL_EMAIL_ALLOW do this to every connection
 * there is.
 *
 * @throws {ConfigurationError} `invalid-option` for a wrong address or domain, `missing-option` without any,
 *   `invalid-backend` for a connection that cannot be guarded: it does not extend EmailBackend, or overrides `sendMessages`.
 */
export function redirect<B extends EmailBackend>(connection: B, options: RedirectOptions): B {
  EmailBackend.filter(connection, redirectFilter(options));
  return connection;
}
