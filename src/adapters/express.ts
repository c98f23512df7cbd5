import type { EmailBackend } from '../backend/backend.ts';
import { type MailService, type MailServiceOptions, startMail } from '../connection/mail-service.ts';

/** What {@link expressMail} adds to a request; extend Express's own `Request` interface with it. */
export interface ExpressMail {
  /** The connection; `sendMail({..., connection: request.mail})` sends over it. */
  readonly mail: EmailBackend;
}

/** The middleware, which is also the mail service. */
export interface ExpressMailMiddleware extends MailService {
  (request: object, response: object, next: () => void): void;
}

/**
 * Express middleware that sets `request.mail` to the connection, which is open when this returns. `close()` finishes the mails
 * under way and closes it, and so do SIGTERM and SIGINT before they end the process.
 *
 * ```ts
 * const mail = await expressMail();
 * app.use(mail);
 * app.post('/orders', async (request, response) => {
 *   await sendMail({ ..., connection: request.mail });
 * });
 * ```
 *
 * @param app The server that plugins see in ServerStartup; default null.
 * @throws As {@link startMail}.
 */
export async function expressMail(
  options: MailServiceOptions = {},
  app: unknown = null,
): Promise<ExpressMailMiddleware> {
  const service = await startMail(options, app);
  const middleware = (request: object, _response: object, next: () => void): void => {
    Object.defineProperty(request, 'mail', { value: service.connection, configurable: true, enumerable: true });
    next();
  };
  return Object.defineProperties(middleware, Object.getOwnPropertyDescriptors(service)) as ExpressMailMiddleware; // with the service's own members
}
