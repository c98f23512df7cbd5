import { type MailService, type MailServiceOptions, startMail } from '../app/mail-service.ts';
import type { EmailBackend } from '../backend.ts';

/** Options of {@link fastifyMail}. */
export type FastifyMailOptions = MailServiceOptions;

/** What {@link fastifyMail} adds to a Fastify instance; extend the module's own interface by it to have it typed. */
export interface FastifyMail {
  /** The connection; `sendMail({..., connection: app.mail})` sends over it. */
  readonly mail: EmailBackend;
}

/** What of a Fastify instance the plugin uses. */
export interface FastifyLike {
  /** Adds a property. */
  decorate(name: 'mail', value: { getter(): EmailBackend }): unknown;
  /** Adds what is done at the end. */
  addHook(name: 'onClose', hook: () => Promise<void>): unknown;
  /** Ends the application. */
  close(): PromiseLike<unknown>;
}

/**
 * A Fastify plugin: `app.mail` is the connection, opened when the application gets ready and closed, after every mail under way
 * was sent, by `app.close()`. SIGTERM and SIGINT close the application.
 *
 * ```ts
 * await app.register(fastifyMail, { verify: true });
 * app.post('/orders', async () => sendMail({ ..., connection: app.mail }));
 * ```
 *
 * @throws As {@link startMail}: the application does not get ready then.
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
    // What the package fastify-plugin sets: the decorator is for the whole application, not for the plugin's own scope.
    [Symbol.for('skip-override')]: true,
    [Symbol.for('fastify.display-name')]: 'amsdal-mail',
  },
);
