import type { IncomingMessage, ServerResponse } from 'node:http';
import type { EmailBackend } from '../backend/backend.ts';
import { type MailService, type MailServiceOptions, startMail } from '../connection/mail-service.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { WebHandler } from './web-handler.ts';
import { webRequest } from './web-request.ts';

export type { WebHandler } from './web-handler.ts';

/** Options of {@link fastifyMail}. */
export type FastifyMailOptions = MailServiceOptions;

/** What {@link fastifyMail} adds to a Fastify instance; extend Fastify's own `FastifyInstance` interface with it. */
export interface FastifyMail {
  /** The connection; `sendMail({..., connection: app.mail})` sends over it. */
  readonly mail: EmailBackend;
}

/** What it adds where there is an outbox: one that is given, or the connection. */
export interface FastifyOutbox {
  /** `app.outbox.enqueue(mail, { tx })`. */
  readonly outbox: Outbox;
}

/** The part of a Fastify instance that the plugin uses. */
export interface FastifyLike {
  /** Adds a property. */
  decorate(name: 'mail', value: { getter(): EmailBackend }): unknown;
  /** Adds a property. */
  decorate(name: 'outbox', value: Outbox): unknown;
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
    if (service.outbox !== null) app.decorate('outbox', service.outbox);
    app.addHook('onClose', () => service.close());
  },
  {
    // As set by the package fastify-plugin: the decorator is for the whole application, not only for the plugin's scope.
    [Symbol.for('skip-override')]: true,
    [Symbol.for('fastify.display-name')]: 'amsdal-mail',
  },
);

/** The part of a Fastify instance that a handler uses. */
export interface FastifyRoutes {
  /** Forgets how bodies are parsed. */
  removeAllContentTypeParsers(): void;
  /** Says how bodies of a type are parsed. */
  addContentTypeParser(
    type: '*',
    parse: (request: object, payload: object, done: (error: null) => void) => void,
  ): unknown;
  /** Adds a route for every method. */
  all(path: string, options: object, handler: (request: never, reply: never) => Promise<Response>): unknown;
}

/**
 * Fastify plugin of what answers requests by the Fetch standard, at the prefix and all below it. The handler sees the path that the
 * browser sees.
 *
 * ```ts
 * await app.register(fastifyHandler(outbox.dashboard({ auth })), { prefix: '/admin/outbox' });
 * ```
 */
export function fastifyHandler(handler: WebHandler): (app: FastifyRoutes, options: object) => Promise<void> {
  return async (app) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', (_request, _payload, done) => done(null)); // the handler reads it
    const answer = async (request: FastifyRequest, { raw }: { readonly raw: ServerResponse }): Promise<Response> => {
      const asked = webRequest(request.raw, raw, { url: request.originalUrl, protocol: request.protocol });
      return asked === null ? new Response(null, { status: 400 }) : handler(asked);
    };
    app.all('/', {}, answer);
    app.all('/*', {}, answer);
  };
}

interface FastifyRequest {
  readonly raw: IncomingMessage;
  readonly originalUrl: string;
  readonly protocol: string;
}
