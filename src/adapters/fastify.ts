import type { EmailBackend } from '../backend/backend.ts';
import { type MailService, type MailServiceOptions, startMail } from '../connection/mail-service.ts';

/** Options of {@link fastifyMail}. */
export type FastifyMailOptions = MailServiceOptions;

/** What {@link fastifyMail} adds to a Fastify instance; extend Fastify's own `FastifyInstance` interface with it. */
export interface FastifyMail {
  /** The connection; `sendMail({..., connection: app.mail})` sends over it. */
  readonly mail: EmailBackend;
}

/** The part of a Fastify instance that the plugin uses. */
export interface FastifyLike {
  /** Adds a property. */
  decorate(name: 'mail', value: { getter(): EmailBackend }): unknown;
  /** Adds a hook for the end of the application. */
  addHook(name: 'onClose', hook: () => Promise<void>): unknown;
  /** Ends the application. */
  close(): PromiseLike<unknown>;
}

/**
 * Fastify plugin that sets `app.mail` to the connection. It is opened while the application gets ready, and `app.close()`
 * finishes the mails under way and closes it. SIGTERM and SIGINT close the application.
 *
 * ```ts
 * await app.register(fastifyMail, { verify: true });
 * app.post('/orders', async () => sendMail({ ..., connection: app.mail }));
 * ```
 *
 * @throws As {@link startMail}; the application then fails to get ready.
 */
export const fastifyMail: (app: FastifyLike, options: FastifyMailOptions) => Promise<void> = Object.assign(
  async (app: FastifyLike, options: FastifyMailOptions): Promise<void> => {
    const service: MailService = await startMail(options, app, async () => {
      await app.close();
    });
    app.decorate('mail', { getter: () => service.connection });
    app.addHook('onClose', () => service.close());
  },
  {
    // As set by the package fastify-plugin: the decorator is for the whole application, not only for the plugin's scope.
    [Symbol.for('skip-override')]: true,
    [Symbol.for('fastify.display-name')]: 'amsdal-mail',
  },
);
