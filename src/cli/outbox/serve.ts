import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { reasonOf } from '../../util/reason.ts';
import { UsageError } from '../failure.ts';

/** A server that answers every request with a handler of the Fetch API. */
export interface Served {
  readonly port: number;
  close(): Promise<void>;
}

/** @throws {UsageError} when the port cannot be listened on */
export async function serve(
  handler: (request: Request) => Promise<Response>,
  host: string,
  port: number,
): Promise<Served> {
  const server = createServer((incoming, outgoing) => {
    answer(handler, incoming, outgoing).catch(() => outgoing.destroy());
  });
  const listening = once(server, 'listening');
  const listen = async (): Promise<unknown> => {
    server.listen(port, host); // throws for a number that is no port
    return listening;
  };
  await listen().catch((error: unknown) => {
    throw new UsageError(`port ${port} of ${host} cannot be listened on: ${reasonOf(error)}; choose another --port`);
  });
  return {
    port: (server.address() as AddressInfo).port, // it listens on TCP
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(
  handler: (request: Request) => Promise<Response>,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const { method = 'GET', url = '/', headers, rawHeaders } = incoming;
  const target = `http://${headers.host ?? 'localhost'}/${url.replace(/^\/+/, '')}`;
  if (!URL.canParse(target) || ['CONNECT', 'TRACE', 'TRACK'].includes(method)) {
    outgoing.writeHead(400).end();
    return;
  }
  const pairs = rawHeaders.flatMap((name, at): [string, string][] =>
    at % 2 === 0 ? [[name, rawHeaders[at + 1] ?? '']] : [],
  );
  const hasBody = method !== 'GET' && method !== 'HEAD';
  const body = hasBody && { body: Readable.toWeb(incoming) as ReadableStream, duplex: 'half' }; // the same, by another name
  const response = await handler(new Request(target, { method, headers: pairs, ...body }));
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  outgoing.end(new Uint8Array(await response.arrayBuffer()));
}
