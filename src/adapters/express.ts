import { type MailService, type MailServiceOptions, startMail } from '../app/mail-service.ts';
import type { EmailBackend } from '../backend.ts';

/** What {@link expressMail} adds to a request; extend Express's own interface by it to have it typed. */
export interface ExpressMail {
  /** The connection; `sendMail({..., connection: request.mail})` sends over it. */
  readonly mail: EmailBackend;
}

/** A middleware that gives every request its `mail`, and the service behind it. */
export interface ExpressMailMiddleware extends MailService {
  (request: object, response: object, next: () => void): void;
}

/**
 * Express middleware: `request.mail` is the connection. It is open when this returns; `close()` lets every mail under way be
 * sent and closes it, as SIGTERM and SIGINT do before they end the process.
 *
 * ```ts
 * const mail = await expressMail();
 * app.use(mail);
 * app.post('/orders', async (request, response) => {
 *   await sendMail({ ..., connection: request.mail });
 * });
 * ```
 *
 * @param app what plugins see as the server (ServerStartup)
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
  return Object.defineProperties(middleware, Object.getOwnPropertyDescriptors(service)) as ExpressMailMiddleware; // the service's own members
}
