import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Reply } from './reply.ts';

/** A request to a route. */
export interface RouteRequest {
  /** The parts of the path that stand for `:names`, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal;
  /** Where a route that streams writes by itself. */
  readonly response: ServerResponse;
  /** The body, as JSON. @throws {BadRequest} */
  json(): Promise<Readonly<Record<string, unknown>>>;
}

/** What a route does; null when it has taken over the response. */
export type RouteHandler = (request: RouteRequest) => Reply | null | Promise<Reply | null>;

/** `GET /api/messages/:id` to what it does. */
export type Routes = Readonly<Record<string, RouteHandler>>;

/** A request that cannot be understood; its message is for the client. */
export class BadRequest extends Error {}

/** A request with more than is taken. */
export class TooLarge extends BadRequest {}

const BASE = 'http://mailbox';

interface Route {
  readonly method: string;
  readonly pattern: RegExp;
  readonly names: readonly string[];
  readonly handler: RouteHandler;
}

/** Finds the route of a request. */
export class Router {
  readonly #routes: readonly Route[];
  readonly #maxBody: number;

  /** @param maxBody bytes a body may have */
  constructor(routes: Routes, maxBody: number) {
    this.#routes = Object.entries(routes).map(([key, handler]) => {
      const [method = '', path = ''] = key.split(' ');
      const names = [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => name);
      return { method, names, handler, pattern: new RegExp(`^${path.replace(/:\w+/g, '([^/]+)')}$`) };
    });
    this.#maxBody = maxBody;
  }

  /** Answers a request; undefined when no route is meant. */
  run(request: IncomingMessage, response: ServerResponse): ReturnType<RouteHandler> | undefined {
    const target = request.url ?? '/';
    if (!URL.canParse(target, BASE)) throw new BadRequest('the path cannot be read');
    const url = new URL(target, BASE);
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    for (const { method: wanted, pattern, names, handler } of this.#routes) {
      const match = wanted === method ? pattern.exec(url.pathname) : null;
      if (match === null) continue;
      const gone = new AbortController();
      response.once('close', () => gone.abort());
      return handler({
        params: Object.fromEntries(names.map((name, index) => [name, decode(match[index + 1] ?? '')])),
        query: url.searchParams,
        signal: gone.signal,
        response,
        json: () => readJson(request, this.#maxBody),
      });
    }
    return undefined;
  }
}

async function readJson(request: IncomingMessage, limit: number): Promise<Readonly<Record<string, unknown>>> {
  // A form of another page cannot send this type without being asked for permission first.
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
    throw new BadRequest('the content-type must be application/json');
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > limit) throw new TooLarge(`the body may have ${limit} bytes`);
    chunks.push(chunk);
  }
  try {
    const value: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // answered like any other body that is no object
  }
  throw new BadRequest('the body must be a JSON object');
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
