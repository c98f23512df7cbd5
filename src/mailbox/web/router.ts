import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { parseObject } from '../../util/json.ts';
import type { Reply } from './reply.ts';

/** A request to a route. */
export interface RouteRequest {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  /** The parts of the path at the `:names`, and its rest at a `*name`, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Aborts when the client disconnects. */
  readonly signal: AbortSignal;
  /** For routes that stream. */
  readonly response: ServerResponse;
  /** The body. @throws {TooLarge} */
  bytes(): Promise<Buffer>;
  /** The body, as JSON. @throws {BadRequest} */
  json(): Promise<Readonly<Record<string, unknown>>>;
}

/** Answers a request; null when it writes the response itself. */
export type RouteHandler = (request: RouteRequest) => Reply | null | Promise<Reply | null>;

/** Handlers by method and path, such as `GET /api/messages/:id`. */
export type Routes = Readonly<Record<string, RouteHandler>>;

/** A request that is not valid; its message is for the client. */
export class BadRequest extends Error {}

/** A request whose body is too large. */
export class TooLarge extends BadRequest {}

const BASE = 'http://mailbox';

interface Route {
  readonly method: string;
  readonly pattern: RegExp;
  readonly names: readonly string[];
  readonly handler: RouteHandler;
}

/** Routes requests to their handlers. */
export class Router {
  readonly #routes: readonly Route[];
  readonly #maxBody: number;

  /** @param maxBody how many bytes a body may have */
  constructor(routes: Routes, maxBody: number) {
    this.#routes = Object.entries(routes).map(([key, handler]) => {
      const [method = '', path = ''] = key.split(' ');
      const names = [...path.matchAll(/[:*](\w+)/g)].map(([, name = '']) => name);
      const pattern = path.replace(/:\w+/g, '([^/]+)').replace(/\*\w+/, '(.+)');
      return { method, names, handler, pattern: new RegExp(`^${pattern}$`) };
    });
    this.#maxBody = maxBody;
  }

  /** Answers a request; undefined when no route matches. */
  run(request: IncomingMessage, response: ServerResponse): ReturnType<RouteHandler> | undefined {
    const target = request.url ?? '/';
    if (!URL.canParse(target, BASE)) throw new BadRequest('the path cannot be read');
    const url = new URL(target, BASE);
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    for (const { method: routeMethod, pattern, names, handler } of this.#routes) {
      const match = routeMethod === method ? pattern.exec(url.pathname) : null;
      if (match === null) continue;
      const abort = new AbortController();
      response.once('close', () => abort.abort());
      return handler({
        method: routeMethod,
        headers: request.headers,
        params: Object.fromEntries(names.map((name, index) => [name, decode(match[index + 1] ?? '')])),
        query: url.searchParams,
        signal: abort.signal,
        response,
        bytes: () => readBytes(request, this.#maxBody),
        json: () => readJson(request, this.#maxBody),
      });
    }
    return undefined;
  }
}

async function readJson(request: IncomingMessage, limit: number): Promise<Readonly<Record<string, unknown>>> {
  // A form of another site cannot send this type without a CORS preflight.
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
    throw new BadRequest('the content-type must be application/json');
  }
  const bytes = await readBytes(request, limit);
  const value = parseObject(bytes.toString('utf8'));
  if (value !== null) return value;
  throw new BadRequest('the body must be a JSON object');
}

async function readBytes(request: IncomingMessage, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > limit) throw new TooLarge(`the body may have ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
