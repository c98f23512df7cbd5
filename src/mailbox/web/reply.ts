import type { ServerResponse } from 'node:http';

/** The response of a route. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** On every response: no content sniffing, no other origin, no Referer, no cache. */
export const ALWAYS: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cache-control': 'no-store',
};

export function jsonReply(value: unknown, status = 200): Reply {
  const headers = {
    'content-type': 'application/json; charset=utf-8',
    'content-security-policy': "default-src 'none'",
  };
  return { status, headers, body: JSON.stringify(value) };
}

/** An error as `{error: {code, message}}`. */
export function errorReply(status: number, code: string, message: string): Reply {
  return jsonReply({ error: { code, message } }, status);
}

export function notFound(what: string): Reply {
  return errorReply(404, 'not-found', `there is no such ${what}`);
}

/** Content of a mail, in a sandbox where nothing runs. */
export function contentReply(body: string | Uint8Array, type: string, filename: string | null): Reply {
  return {
    status: 200,
    headers: {
      'content-type': type,
      'content-security-policy': "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:",
      ...(filename === null ? {} : { 'content-disposition': attachmentDisposition(filename) }),
    },
    body,
  };
}

/** RFC 6266, with the exact name as in RFC 8187. */
function attachmentDisposition(filename: string): string {
  const ascii = filename.replace(/[^\w .()-]/g, '_').slice(0, 100);
  const exact = encodeURIComponent(filename.replace(/\p{Cs}/gu, '_')).replace(
    /['()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16)}`,
  );
  return `attachment; filename="${ascii}"; filename*=UTF-8''${exact}`;
}

export function send(response: ServerResponse, { status, headers, body }: Reply): void {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  response.writeHead(status, { ...ALWAYS, ...headers, 'content-length': bytes.length });
  response.end(response.req.method === 'HEAD' ? undefined : bytes);
}

/** Begins a stream of server-sent events. */
export function sendEvents(response: ServerResponse): void {
  response.writeHead(200, { ...ALWAYS, 'content-type': 'text/event-stream; charset=utf-8' });
}
