import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { keepRemoteAddress } from '../util/remote-address.ts';

/** What a framework tells of a request of node:http besides. */
export interface RequestFacts {
  /** The path that the browser sees, with the query. */
  readonly url: string;
  /** As the framework's settings for proxies say. */
  readonly protocol: string;
  /** Where a parser has read the body. */
  readonly body?: unknown;
}

/**
 * A request of node:http by the Fetch standard, which aborts when the browser leaves; null for one that has no URL, as a hostile
 * Host may make it, or a method that Fetch forbids.
 */
export function webRequest(
  request: IncomingMessage,
  response: ServerResponse,
  { url, protocol, body }: RequestFacts,
): Request | null {
  const { method = 'GET', headers: fields } = request;
  const host = fields.host ?? String(fields[':authority'] ?? 'localhost'); // HTTP/2 has the latter
  const whole = `${protocol}://${host}${url}`;
  if (!(/^[\w.:[\]-]+$/.test(host) && url.startsWith('/') && URL.canParse(whole))) return null;
  if (/^(?:connect|trace|track)$/i.test(method)) return null;
  const headers = new Headers();
  for (const [name, values] of Object.entries(fields)) {
    if (!name.startsWith(':')) for (const value of [values ?? []].flat()) headers.append(name, value);
  }
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const init: RequestInit & { duplex: 'half' } = { method, headers, signal: gone.signal, duplex: 'half' };
  const isReading = method === 'GET' || method === 'HEAD';
  const asked = new Request(whole, isReading ? init : { ...init, body: bodyOf(request, body, headers) });
  return keepRemoteAddress(asked, request.socket.remoteAddress);
}

/** The body as it came, or written again where a parser of the framework has read it. */
function bodyOf(request: IncomingMessage, parsed: unknown, headers: Headers): BodyInit {
  if (!request.readableEnded) return Readable.toWeb(request) as ReadableStream as BodyInit; // Node's type of the same thing
  headers.delete('content-length');
  headers.delete('content-encoding');
  if (typeof parsed === 'string' || parsed instanceof Uint8Array) return parsed as BodyInit; // parsers share no memory
  const type = headers.get('content-type') ?? '';
  if (type.includes('json')) return JSON.stringify(parsed);
  if (!type.includes('urlencoded'))
    throw new Error(
      `the body of a request was read before its handler got it: mount that before the parser of ${type}`,
    );
  const fields = Object.entries(parsed as object).flatMap(([name, values]) =>
    [values].flat().map((value) => [name, String(value)]),
  );
  return new URLSearchParams(fields);
}
