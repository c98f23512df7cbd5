import { EmailBackend } from '../backend/backend.ts';
import { redirectFilter } from '../backend/staging/redirect-filter.ts';
import type { RedirectOptions } from '../backend/staging/redirect-rules.ts';

export type { RedirectOptions } from '../backend/staging/redirect-rules.ts';

/**
 * Keeps mail from real recipients: all but the allowed ones are replaced by one address, in the headers and the envelope, and so
 * are the addresses that would get bounces and receipts.
 *
 * It permanently changes the connection and returns it: everyone who uses it sends through the guard, including blocking calls
 * and wrappers. `X-Original-To` lists the replaced addresses of `to` and `cc` and counts those of `bcc`. The SendStatus has the
 * original recipients. AMSDAL_EMAIL_REDIRECT_TO and AMSDAL_EMAIL_ALLOW do this to every connection.
 *
 * @throws {ConfigurationError} `invalid-option` for a wrong address or domain, `missing-option` without any,
 *   `invalid-backend` for a connection that cannot be guarded: it does not extend EmailBackend, or overrides `sendMessages`.
 */
export function redirect<B extends EmailBackend>(connection: B, options: RedirectOptions): B {
  EmailBackend.filter(connection, redirectFilter(options));
  return connection;
}
