import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';
import { dialThroughProxy } from '../net/dial-through-proxy.ts';
import type { ProxyServer } from '../net/proxy-server.ts';
import { addAbortListener, removeAbortListener } from '../util/abort-listeners.ts';
import { nextTurn } from '../util/breathe.ts';
import { Deadline, DeadlinePassed } from '../util/deadline.ts';
import { type HttpAnswer, type HttpRequest, MAX_ANSWER, NoAnswer, type Transport } from './transport.ts';

/** How a {@link NodeTransport} connects. */
export interface NodeTransportOptions {
  /** What it connects through. */
  readonly proxy?: ProxyServer | null;
  /** Of node:tls. */
  readonly tls?: ConnectionOptions;
  /** How long a connection that idles is kept, in milliseconds; default 4,000. Servers close them; the shortest that is usual is 5 s. */
  readonly idleMs?: number;
}

const CONNECT_MS = 10_000;
/** A server's own limit (`Keep-Alive: timeout=5`) less what a request may take to get there. */
const MARGIN_MS = 1_000;

/** A server that has not closed a connection for so long may be about to. */
const LATELY_MS = 50;

/** No server lets connections idle for less: what closes them sooner is a restart. */
const SHORTEST_MS = 100;

/** How long a proxy may take, when the request has ended before. */
const TUNNEL_MS = 30_000;

/** A connection that is used again. */
interface Kept {
  /** Since when it idles; null while it is in use, and when it is closed here. */
  since: number | null;
  /** How long it had idled when it was used again. */
  idledMs: number;
  /** How long it may idle. */
  readonly forMs: number;
}

/** Requests by node:https over connections that are kept, or by node:http for stand-ins. */
export class NodeTransport implements Transport {
  readonly #proxy: ProxyServer | null;
  readonly #tls: ConnectionOptions;
  readonly #idleMs: number;
  readonly #agents = new Map<string, Agent>();
  readonly #kept = new WeakMap<Duplex, Kept>();
  /** The shortest that a connection idled before the server closed it; what says no more than that the server failed does not count. */
  #closedAfterMs = Number.POSITIVE_INFINITY;

  constructor({ proxy = null, tls = {}, idleMs = 4_000 }: NodeTransportOptions = {}) {
    this.#proxy = proxy;
    this.#tls = tls;
    this.#idleMs = idleMs;
  }

  async send(request: HttpRequest, end: AbortSignal | Deadline): Promise<HttpAnswer> {
    const idling = freeSockets(this.#agentFor(request.url)).map((socket) => this.#kept.get(socket)?.since ?? 0);
    // The end of a connection may have come, and wait to be read, as when the pause between two mails ends with a timer.
    if (idling.length > 0 && Date.now() - Math.max(...idling) >= LATELY_MS) await untilRead();
    try {
      return await this.#exchange(request, end, this.#agentFor(request.url));
    } catch (error) {
      // It died while it idled, and nobody noticed: what did not leave whole cannot have been carried out (RFC 9112, section 8).
      if (!(error instanceof DeadConnection)) throw error;
    }
    const agent = this.#agentFor(request.url);
    for (const socket of freeSockets(agent)) this.#discard(socket); // those under way have requests of their own
    return this.#exchange(request, end, agent);
  }

  close(): void {
    for (const agent of this.#agents.values()) {
      for (const socket of freeSockets(agent)) this.#discard(socket);
      agent.destroy();
    }
    this.#agents.clear();
  }

  #exchange(
    { method, url, headers, body }: HttpRequest,
    end: AbortSignal | Deadline,
    agent: Agent,
  ): Promise<HttpAnswer> {
    this.#dropStale(agent);
    const { request } = process.getBuiltinModule(url.startsWith('https:') ? 'node:https' : 'node:http');
    return new Promise((resolve, reject) => {
      if (end.aborted) {
        reject(new NoAnswer(end.reason, false));
        return;
      }
      const state = { isOpen: false, isWhole: false };
      // A text would be copied behind the headers first.
      const bytes = typeof body === 'string' ? Buffer.from(body) : body;
      const length = bytes === null ? {} : { 'content-length': String(bytes.length) };
      const outgoing: ClientRequest = request(url, { method, agent, headers: { ...headers, ...length } });
      const onAbort = (): void => void outgoing.destroy(end.reason);
      addAbortListener(end, onAbort);
      let connecting: NodeJS.Timeout | undefined;
      const settle = (): void => {
        clearTimeout(connecting);
        removeAbortListener(end, onAbort);
      };
      outgoing.once('socket', (socket) => {
        // Through a proxy it may be connected.
        state.isOpen = outgoing.reusedSocket || (!socket.connecting && !url.startsWith('https:'));
        if (state.isOpen) return;
        connecting = setTimeout(() => outgoing.destroy(new DeadlinePassed(CONNECT_MS)), CONNECT_MS);
        socket.once(url.startsWith('https:') ? 'secureConnect' : 'connect', () => {
          state.isOpen = true;
          clearTimeout(connecting);
        });
      });
      outgoing.once('finish', () => (state.isWhole = true));
      outgoing.once('error', (cause) => {
        settle();
        // What we stop ourselves may have left although nothing has said so yet; a write that failed is told to have finished, too.
        const mayBeWhole = end.aborted || (state.isWhole && syscallOf(cause) !== 'write');
        const isSent = state.isOpen && mayBeWhole;
        if (outgoing.reusedSocket && outgoing.socket && !end.aborted)
          this.#noteClosed(this.#kept.get(outgoing.socket)?.idledMs ?? 0);
        reject(outgoing.reusedSocket && !mayBeWhole ? new DeadConnection(cause) : new NoAnswer(cause, isSent));
      });
      outgoing.once('response', (incoming: IncomingMessage) => {
        this.#noteLimit(incoming);
        whenRead(incoming, (text) => {
          settle();
          resolve({ status: incoming.statusCode ?? 0, headers: headersOf(incoming), text });
        });
      });
      outgoing.end(bytes ?? undefined);
    });
  }

  /** A timer would not tell: a process may have been frozen since. */
  #dropStale(agent: Agent): void {
    const now = Date.now();
    for (const socket of freeSockets(agent)) {
      const { since, forMs } = this.#kept.get(socket) ?? { since: null, forMs: 0 };
      const idleMs = since === null ? Number.POSITIVE_INFINITY : now - since;
      if (idleMs >= 0 && idleMs < Math.min(forMs, this.#closedAfterMs / 2)) continue;
      // This one is there for longer than the other was: that had another reason.
      if (since !== null && idleMs > this.#closedAfterMs * 1.5) this.#closedAfterMs = Number.POSITIVE_INFINITY;
      this.#discard(socket);
    }
  }

  #discard(socket: Duplex): void {
    this.#closing(socket);
    socket.destroy();
  }

  /** It is closed here, and not by the server. */
  #closing(socket: Duplex): void {
    const kept = this.#kept.get(socket);
    if (kept) kept.since = null;
  }

  /** A server that closed one connection after some time does so with others: they are used half as long. */
  #noteClosed(idleMs: number): void {
    if (idleMs >= SHORTEST_MS) this.#closedAfterMs = Math.min(this.#closedAfterMs, idleMs);
  }

  #noteLimit({ headers, socket }: IncomingMessage): void {
    const told = /\btimeout=(\d+)/.exec(String(headers['keep-alive']))?.[1];
    const forMs = told === undefined ? this.#idleMs : Math.min(this.#idleMs, Number(told) * 1_000 - MARGIN_MS);
    if (!this.#kept.has(socket)) {
      socket.on('timeout', () => this.#closing(socket)); // the agent closes it then, if it idles
      socket.once('close', () => {
        const since = this.#kept.get(socket)?.since ?? null;
        if (since !== null) this.#noteClosed(Date.now() - since);
      });
    }
    this.#kept.set(socket, { since: null, idledMs: 0, forMs });
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
      const isKept: unknown = keep(socket);
      // The agent destroys it then, if it still idles; what comes from a proxy may be no socket.
      (socket as Partial<Socket>).setTimeout?.(kept.forMs);
      return isKept;
    };
    const reuse = agent.reuseSocket.bind(agent);
    agent.reuseSocket = (socket, request) => {
      const kept = this.#kept.get(socket);
      if (kept) Object.assign(kept, { since: null, idledMs: Date.now() - (kept.since ?? Date.now()) });
      reuse(socket, request);
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

/** Until the event loop has read what had come: after the first turn it begins to, after the second it has. */
function untilRead(): Promise<void> {
  return new Promise((resolve) => nextTurn(() => nextTurn(resolve)));
}

/** Hands over the text of an answer, or null as {@link readText} does, at less than half of what an iteration costs. */
function whenRead(incoming: IncomingMessage, done: (text: string | null) => void): void {
  const chunks: Buffer[] = [];
  let octets = 0;
  incoming.on('data', (chunk: Buffer) => {
    octets += chunk.length;
    if (octets > MAX_ANSWER) incoming.destroy();
    else chunks.push(chunk);
  });
  incoming.once('error', () => {}); // it is closed after that, and not complete
  incoming.once('close', () =>
    done(incoming.complete && octets <= MAX_ANSWER ? Buffer.concat(chunks).toString() : null),
  );
}

/** The connections that no request uses. */
function freeSockets({ freeSockets: byHost }: Agent): readonly Duplex[] {
  return Object.values(byHost).flatMap((sockets) => sockets ?? []);
}

function syscallOf(error: Error): unknown {
  return 'syscall' in error ? error.syscall : undefined;
}

async function tunnel(proxy: ProxyServer, { host, port }: RequestOptions): Promise<Duplex> {
  const deadline = new Deadline(TUNNEL_MS, undefined);
  try {
    return await dialThroughProxy(proxy, { host: String(host), port: Number(port) }, deadline.signal);
  } finally {
    deadline.clear();
  }
}

function headersOf({ headers }: IncomingMessage): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}
