import { isNode } from '../util/runtime.ts';
import { FetchTransport } from './fetch-transport.ts';
import { NodeTransport } from './node-transport.ts';
import { parseProxy } from './proxy-server.ts';
import type { Transport } from './transport.ts';

/** What requests are made with; all may be left out. */
interface TransportOptions {
  readonly fetch?: typeof globalThis.fetch | undefined;
  readonly proxy?: string | undefined;
  /** As {@link NodeTransport} has it. */
  readonly idleMs?: number;
}

/** The way of requests that the options and the runtime ask for. */
export function transportOf({ fetch, proxy, idleMs }: TransportOptions): Transport {
  if (fetch !== undefined || !isNode()) return new FetchTransport(fetch ?? globalThis.fetch);
  return new NodeTransport({ proxy: proxy ? parseProxy(proxy) : null, ...(idleMs !== undefined && { idleMs }) });
}
