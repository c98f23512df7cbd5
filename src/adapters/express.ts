import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import type { EmailBackend } from '../backend/backend.ts';
import { type MailService, type MailServiceOptions, startMail } from '../connection/mail-service.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { WebHandler } from './web-handler.ts';
import { webRequest } from './web-request.ts';

export type { WebHandler } from './web-handler.ts';

/** What {@link expressMail} adds to a request; extend Express's own `Request` interface with it. */
export interface ExpressMail {
  /** The connection; `sendMail({..., connection: request.mail})` sends over it. */
  readonly mail: EmailBackend;
}

/** What it adds where there is an outbox: one that is given, or the connection. */
export interface ExpressOutbox {
  /** `request.outbox.enqueue(mail, { tx })`. */
  readonly outbox: Outbox;
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
    const { connection: mail, outbox } = service;
    for (const [name, value] of Object.entries({ mail, ...(outbox && { outbox }) })) {
      Object.defineProperty(request, name, { value, configurable: true, enumerable: true });
    }
    next();
  };
  return Object.defineProperties(middleware, Object.getOwnPropertyDescriptors(service)) as ExpressMailMiddleware; // with the service's own members
}

/**
 * Express middleware of what answers requests by the Fetch standard; Nest takes it by `app.use`, too. The handler sees the path
 * that the browser sees.
 *
 * ```ts
 * app.use('/admin/outbox', expressHandler(outbox.dashboard({ auth })));
 * ```
 */
export function expressHandler(
  handler: WebHandler,
): (request: object, response: object, next: (error?: unknown) => void) => void {
  return (request, response, next) => {
    answer(handler, request as ExpressRequest, response as ServerResponse).catch(next); // as Express gives them
  };
}

interface ExpressRequest extends IncomingMessage {
  readonly originalUrl: string;
  readonly protocol: string;
  readonly body?: unknown;
}

async function answer(handler: WebHandler, request: ExpressRequest, response: ServerResponse): Promise<void> {
  const { originalUrl: url, protocol, body } = request;
  const asked = webRequest(request, response, { url, protocol, body });
  const {
    status,
    headers,
    body: content,
  } = asked === null ? new Response(null, { status: 400 }) : await handler(asked);
  response.statusCode = status;
  for (const [name, value] of headers) {
    if (name === 'set-cookie') response.appendHeader(name, value);
    else response.setHeader(name, value);
  }
  if (content === null || request.method === 'HEAD') {
    await content?.cancel();
    response.end();
    return;
  }
  response.flushHeaders();
  // What breaks off in the midst breaks off the response: its status is sent.
  await pipeline(Readable.fromWeb(content as ReadableStream), response).catch(() => {}); // Node's type of the same thing
}
