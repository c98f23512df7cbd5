import { Agent } from 'node:https';
import { connect } from 'node:net';
import { vi } from 'vitest';
import { type HttpCall, type HttpReply, ScriptedHttp } from '../servers/scripted-http.ts';

/** A request as a vendor would read it. */
export interface SentRequest {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** Headers that say how a request travels and who made it, not what is asked. */
const OF_THE_CLIENT = [
  ...['accept', 'accept-encoding', 'accept-language', 'connection', 'content-length', 'host', 'keep-alive'],
  ...['sec-fetch-mode', 'transfer-encoding', 'user-agent', 'x-host'],
];
const OF_ITS_MAKER = /^x-(?:fern-|ms-client-request-id$)/;

/** Takes every request of this process on loopback and returns what was posted, whatever host it is for, while `work` runs. */
export async function requestsOf(
  answer: (call: HttpCall) => HttpReply,
  work: () => Promise<unknown>,
): Promise<readonly SentRequest[]> {
  const server = await ScriptedHttp.start();
  server.script = answer;
  const { fetch } = globalThis;
  // Without TLS; some SDKs ask what became of it.
  const dial = () => Object.assign(connect(server.port, '127.0.0.1'), { authorized: true });
  vi.spyOn(Agent.prototype, 'createConnection').mockImplementation(dial);
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
    const request = new Request(input, init);
    const { host, pathname, search } = new URL(request.url);
    const { method } = request;
    const headers = { ...Object.fromEntries(request.headers), 'x-host': host };
    return fetch(`${server.url}${pathname}${search}`, { method, headers, body: await request.arrayBuffer() });
  });
  try {
    await work();
    // Some SDKs ask afterwards what became of it.
    return await Promise.all(server.calls.filter(({ method }) => method === 'POST').map(read));
  } finally {
    vi.restoreAllMocks();
    await server.close();
  }
}

async function read({ method, path, headers, body }: HttpCall): Promise<SentRequest> {
  const { pathname, searchParams } = new URL(path, 'http://localhost');
  const { 'content-type': type = '', host = '', 'x-host': given = host } = headers;
  const others = Object.entries(headers).filter(([name]) => !OF_THE_CLIENT.includes(name) && !OF_ITS_MAKER.test(name));
  return {
    method,
    host: given,
    path: pathname,
    query: Object.fromEntries(searchParams),
    // JSON has no charset (RFC 8259, section 11), and a boundary is any text.
    headers: { ...Object.fromEntries(others), 'content-type': type.replace(/;.*/, '') },
    body: type.startsWith('multipart/') ? await readForm(type, body) : JSON.parse(body.toString('utf8')),
  };
}

/** The fields of a form, each with its values in their order: that of the fields means nothing. */
async function readForm(type: string, body: Buffer): Promise<Readonly<Record<string, readonly unknown[]>>> {
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData();
  const fields: Record<string, readonly unknown[]> = {};
  for (const [name, value] of form) {
    const entry =
      typeof value === 'string'
        ? value
        : { filename: value.name, type: value.type, base64: Buffer.from(await value.arrayBuffer()).toString('base64') };
    fields[name] = [...(fields[name] ?? []), entry];
  }
  return fields;
}
