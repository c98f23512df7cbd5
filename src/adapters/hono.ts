import { type MailService, type MailServiceOptions, startMail } from '../app/mail-service.ts';
import type { EmailBackend } from '../backend.ts';

/** The variable that {@link honoMail} sets: `new Hono<{ Variables: MailVariables }>()`. */
export interface MailVariables {
  /** The connection; `sendMail({..., connection: c.var.mail})` sends over it. */
  readonly mail: EmailBackend;
}

/** What of Hono's context the middleware uses. */
export interface HonoContextLike {
  /** Sets a variable of the request. */
  set(name: 'mail', value: EmailBackend): void;
}

/** A middleware that sets the variable `mail`, and the service behind it. */
export interface HonoMailMiddleware extends MailService {
  (context: HonoContextLike, next: () => Promise<void>): Promise<void>;
}

/**
 * Hono middleware: `c.var.mail` is the connection. It is open when this returns; `close()` lets every mail under way be sent
 * and closes it, as SIGTERM and SIGINT do before they end the process.
 *
 * ```ts
 * const mail = await honoMail();
 * const app = new Hono<{ Variables: MailVariables }>();
 * app.use(mail);
 * app.post('/orders', async (c) => c.json(await sendMail({ ..., connection: c.var.mail })));
 * ```
 *
 * @param app what plugins see as the server (ServerStartup)
 * @throws As {@link startMail}.
 */
export async function honoMail(options: MailServiceOptions = {}, app: unknown = null): Promise<HonoMailMiddleware> {
  const service = await startMail(options, app);
  const middleware = async (context: HonoContextLike, next: () => Promise<void>): Promise<void> => {
    context.set('mail', service.connection);
    await next();
  };
  return Object.defineProperties(middleware, Object.getOwnPropertyDescriptors(service)) as HonoMailMiddleware; // the service's own members
}
