import type { EmailBackend } from '../backend/backend.ts';
import { type MailService, type MailServiceOptions, startMail } from '../connection/mail-service.ts';
import type { Outbox } from '../outbox/outbox.ts';

/** The variable that {@link honoMail} sets: `new Hono<{ Variables: MailVariables }>()`. */
export interface MailVariables {
  /** The connection; `sendMail({..., connection: c.var.mail})` sends over it. */
  readonly mail: EmailBackend;
}

/** The variable that it sets where there is an outbox: one that is given, or the connection. */
export interface OutboxVariables {
  /** `c.var.outbox.enqueue(mail, { tx })`. */
  readonly outbox: Outbox;
}

/** The part of Hono's context that the middleware uses. */
export interface HonoContextLike {
  /** Sets a variable of the request. */
  set(name: 'mail', value: EmailBackend): void;
  /** Sets a variable of the request. */
  set(name: 'outbox', value: Outbox): void;
}

/** The middleware, which is also the mail service. */
export interface HonoMailMiddleware extends MailService {
  (context: HonoContextLike, next: () => Promise<void>): Promise<void>;
}

/**
 * Hono middleware that sets `c.var.mail` to the connection, which is open when this returns. `close()` finishes the mails
 * under way and closes it, and so do SIGTERM and SIGINT before they end the process.
 *
 * ```ts
 * const mail = await honoMail();
 * const app = new Hono<{ Variables: MailVariables }>();
 * app.use(mail);
 * app.post('/orders', async (c) => c.json(await sendMail({ ..., connection: c.var.mail })));
 * ```
 *
 * @param app The server that plugins see in ServerStartup; default null.
 * @throws As {@link startMail}.
 */
export async function honoMail(options: MailServiceOptions = {}, app: unknown = null): Promise<HonoMailMiddleware> {
  const service = await startMail(options, app);
  const middleware = async (context: HonoContextLike, next: () => Promise<void>): Promise<void> => {
    context.set('mail', service.connection);
    if (service.outbox !== null) context.set('outbox', service.outbox);
    await next();
  };
  return Object.defineProperties(middleware, Object.getOwnPropertyDescriptors(service)) as HonoMailMiddleware; // with the service's own members
}
