import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';
import { dialThroughProxy } from '../net/dial-through-proxy.ts';
import type { ProxyServer } from '../net/proxy-server.ts';
import { addAbortListener, removeAbortListener } from '../util/abort-listeners.ts';
import { setDeadline } from '../util/deadline.ts';
import { type HttpAnswer, type HttpRequest, NoAnswer, readText, type Transport } from './transport.ts';

/** Servers close connections that idle; the shortest that is usual is 5 s. */
const IDLE_MS = 4_000;
/** A server's own limit (`Keep-Alive: timeout=5`) less what a request may take to get there. */
const MARGIN_MS = 1_000;

/** How long a proxy may take, when the request has ended before. */
const TUNNEL_MS = 30_000;

/** Since when a connection idles, and for how long it may be used again. */
interface Kept {
  since: number;
  forMs: number;
}

/** Requests by node:https over connections that are kept, or by node:http for stand-ins. */
export class NodeTransport implements Transport {
  readonly #proxy: ProxyServer | null;
  readonly #tls: ConnectionOptions;
  readonly #agents = new Map<string, Agent>();
  readonly #kept = new WeakMap<Duplex, Kept>();

  constructor(proxy: ProxyServer | null = null, tls: ConnectionOptions = {}) {
    this.#proxy = proxy;
    this.#tls = tls;
  }

  async send(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    try {
      return await this.#exchange(request, signal, this.#agentFor(request.url));
    } catch (error) {
      // It died while it idled, and nobody noticed: what did not leave whole cannot have been carried out (RFC 9112, section 8).
      if (!(error instanceof DeadConnection)) throw error;
    }
    const agent = this.#agentFor(request.url);
    for (const socket of freeSockets(agent)) socket.destroy(); // those under way have requests of their own
    return this.#exchange(request, signal, agent);
  }

  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }

  #exchange({ method, url, headers, body }: HttpRequest, signal: AbortSignal, agent: Agent): Promise<HttpAnswer> {
    this.#dropStale(agent);
    const { request } = process.getBuiltinModule(url.startsWith('https:') ? 'node:https' : 'node:http');
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(new NoAnswer(signal.reason, false));
        return;
      }
      const state = { isOpen: false, isWhole: false };
      const length = body === null ? {} : { 'content-length': String(Buffer.byteLength(body)) };
      const outgoing: ClientRequest = request(url, { method, agent, headers: { ...headers, ...length } });
      const onAbort = (): void => void outgoing.destroy(signal.reason);
      addAbortListener(signal, onAbort);
      const settle = (): void => removeAbortListener(signal, onAbort);
      outgoing.once('socket', (socket) => {
        state.isOpen = outgoing.reusedSocket;
        if (!state.isOpen)
          socket.once(url.startsWith('https:') ? 'secureConnect' : 'connect', () => (state.isOpen = true));
        if (!socket.connecting && !url.startsWith('https:')) state.isOpen = true; // through a proxy
      });
      outgoing.once('finish', () => (state.isWhole = true));
      outgoing.once('error', (cause) => {
        settle();
        // What we stop ourselves may have left although nothing has said so yet; a write that failed is told to have finished, too.
        const mayBeWhole = signal.aborted || (state.isWhole && syscallOf(cause) !== 'write');
        const isSent = state.isOpen && mayBeWhole;
        reject(outgoing.reusedSocket && !mayBeWhole ? new DeadConnection(cause) : new NoAnswer(cause, isSent));
      });
      outgoing.once('response', (incoming: IncomingMessage) => {
        this.#noteLimit(incoming);
        void readText(incoming)
          .then((text) => resolve({ status: incoming.statusCode ?? 0, headers: headersOf(incoming), text }))
          .finally(settle);
      });
      outgoing.end(body ?? undefined);
    });
  }

  /** A timer would not tell: a process may have been frozen since. */
  #dropStale(agent: Agent): void {
    const now = Date.now();
    for (const socket of freeSockets(agent)) {
      const { since = 0, forMs = 0 } = this.#kept.get(socket) ?? {};
      if (now < since || now - since >= forMs) socket.destroy();
    }
  }

  #noteLimit({ headers, socket }: IncomingMessage): void {
    const told = /\btimeout=(\d+)/.exec(String(headers['keep-alive']))?.[1];
    const forMs = told === undefined ? IDLE_MS : Math.min(IDLE_MS, Number(told) * 1_000 - MARGIN_MS);
    this.#kept.set(socket, { since: 0, forMs });
  }

  #agentFor(url: string): Agent {
    const { protocol } = new URL(url);
    const known = this.#agents.get(protocol);
    if (known) return known;
    const { Agent: Base } = process.getBuiltinModule(protocol === 'https:' ? 'node:https' : 'node:http');
    const agent: Agent = new Base({ keepAlive: true, scheduling: 'lifo', ...this.#tls });
    const keep = agent.keepSocketAlive.bind(agent);
    agent.keepSocketAlive = (socket) => {
      const kept = this.#kept.get(socket);
      if (kept === undefined || kept.forMs <= 0) return void socket.destroy();
      kept.since = Date.now();
      return keep(socket);
    };
    const proxy = this.#proxy;
    if (proxy !== null) {
      const connect = agent.createConnection.bind(agent);
      agent.createConnection = (options, callback) => {
        tunnel(proxy, options)
          .then((socket) =>
            callback?.(
              null,
              protocol === 'https:' ? (connect({ ...options, socket } as RequestOptions) ?? socket) : socket,
            ),
          )
          .catch((error: Error) => callback?.(error, null as never));
        return undefined;
      };
    }
    this.#agents.set(protocol, agent);
    return agent;
  }
}

/** A connection that was kept died before the request had left. */
class DeadConnection extends NoAnswer {
  constructor(cause: unknown) {
    super(cause, false);
  }
}

/** The connections that no request uses. */
function freeSockets({ freeSockets: byHost }: Agent): readonly Duplex[] {
  return Object.values(byHost).flatMap((sockets) => sockets ?? []);
}

function syscallOf(error: Error): unknown {
  return 'syscall' in error ? error.syscall : undefined;
}

async function tunnel(proxy: ProxyServer, { host, port }: RequestOptions): Promise<Duplex> {
  const deadline = setDeadline(TUNNEL_MS, undefined);
  try {
    return await dialThroughProxy(proxy, { host: String(host), port: Number(port) }, deadline.signal);
  } finally {
    deadline.clear();
  }
}

function headersOf({ headers }: IncomingMessage): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}
