import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';
import { addAbortListener, removeAbortListener } from '../util/abort-listeners.ts';
import { nextTurn } from '../util/breathe.ts';
import { Deadline, DeadlinePassed } from '../util/deadline.ts';
import { dialThroughProxy } from './dial-through-proxy.ts';
import type { ProxyServer } from './proxy-server.ts';
import { type HttpAnswer, type HttpRequest, MAX_ANSWER, NoAnswer, SHORT_TEXT, type Transport } from './transport.ts';

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

/** Where a request goes, which is mostly where the one before went. */
interface Target {
  readonly url: string;
  readonly isSecure: boolean;
  readonly options: RequestOptions;
}

/** A connection that is used again. */
interface Kept {
  readonly socket: Duplex;
  /** Since when it idles; null while it is in use, and when it is closed here. */
  since: number | null;
  /** How long it had idled when it was used again. */
  idledMs: number;
  /** How long it may idle. */
  forMs: number;
}

/** Requests by node:https over connections that are kept, or by node:http for stand-ins. */
export class NodeTransport implements Transport {
  readonly #proxy: ProxyServer | null;
  readonly #tls: ConnectionOptions;
  readonly #idleMs: number;
  #target: Target | null = null;
  readonly #agents = new Map<boolean, Agent>();
  readonly #kept = new WeakMap<Duplex, Kept>();
  /** Those that no request uses; the last one is used next. */
  readonly #idle = new Set<Kept>();
  /** The shortest that a connection idled before the server closed it; what says no more than that the server failed does not count. */
  #closedAfterMs = Number.POSITIVE_INFINITY;

  constructor({ proxy = null, tls = {}, idleMs = 4_000 }: NodeTransportOptions = {}) {
    this.#proxy = proxy;
    this.#tls = tls;
    this.#idleMs = idleMs;
  }

  async send(request: HttpRequest, end: AbortSignal | Deadline): Promise<HttpAnswer> {
    const target = this.#targetOf(request.url);
    let latest: number | null = null;
    for (const { since } of this.#idle) latest = since;
    // The end of a connection may have come, and wait to be read, as when the pause between two mails ends with a timer.
    if (latest !== null && Date.now() - latest >= LATELY_MS) await untilRead();
    try {
      return await this.#exchange(request, target, end);
    } catch (error) {
      // It died while it idled, and nobody noticed: what did not leave whole cannot have been carried out (RFC 9112, section 8).
      if (!(error instanceof DeadConnection)) throw error;
    }
    for (const kept of this.#idle) this.#discard(kept); // those under way have requests of their own
    return this.#exchange(request, target, end);
  }

  close(): void {
    for (const kept of this.#idle) this.#discard(kept);
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
    this.#target = null;
  }

  #exchange(
    { method, headers, body }: HttpRequest,
    { isSecure, options }: Target,
    end: AbortSignal | Deadline,
  ): Promise<HttpAnswer> {
    this.#dropStale();
    const { request } = process.getBuiltinModule(isSecure ? 'node:https' : 'node:http');
    return new Promise((resolve, reject) => {
      if (end.aborted) {
        reject(new NoAnswer(end.reason, false));
        return;
      }
      const state = { isOpen: false, isWhole: false };
      const content = typeof body === 'string' && !isWrittenAtOnce(body) ? [Buffer.from(body)] : body;
      const length = content !== null && { 'content-length': String(octetsOf(content)) };
      const outgoing: ClientRequest = request({ method, headers: { ...length, ...headers }, ...options });
      const onAbort = (): void => void outgoing.destroy(end.reason);
      addAbortListener(end, onAbort);
      let connecting: NodeJS.Timeout | undefined;
      const settle = (): void => {
        clearTimeout(connecting);
        removeAbortListener(end, onAbort);
      };
      outgoing.on('socket', (socket) => {
        // Through a proxy it may be connected.
        state.isOpen = outgoing.reusedSocket || (!socket.connecting && !isSecure);
        if (state.isOpen) return;
        connecting = setTimeout(() => outgoing.destroy(new DeadlinePassed(CONNECT_MS)), CONNECT_MS);
        socket.once(isSecure ? 'secureConnect' : 'connect', () => {
          state.isOpen = true;
          clearTimeout(connecting);
        });
      });
      outgoing.on('finish', () => (state.isWhole = true));
      outgoing.on('error', (cause) => {
        settle();
        // What we stop ourselves may have left although nothing has said so yet; a write that failed is told to have finished, too.
        const mayBeWhole = end.aborted || (state.isWhole && syscallOf(cause) !== 'write');
        const isSent = state.isOpen && mayBeWhole;
        if (outgoing.reusedSocket && outgoing.socket && !end.aborted)
          this.#noteClosed(this.#kept.get(outgoing.socket)?.idledMs ?? 0);
        reject(outgoing.reusedSocket && !mayBeWhole ? new DeadConnection(cause) : new NoAnswer(cause, isSent));
      });
      outgoing.on('response', (incoming: IncomingMessage) => {
        this.#noteLimit(incoming);
        whenRead(incoming, (text) => {
          settle();
          const told = incoming.headers as Readonly<Record<string, string>>; // all but Set-Cookie, which nobody asks for
          resolve({ status: incoming.statusCode ?? 0, headers: told, text });
        });
      });
      if (typeof content === 'string') outgoing.end(content, 'latin1');
      else {
        for (const chunk of content?.slice(0, -1) ?? []) outgoing.write(chunk);
        outgoing.end(content?.at(-1));
      }
    });
  }

  /** A timer would not tell: a process may have been frozen since. */
  #dropStale(): void {
    const now = Date.now();
    for (const kept of this.#idle) {
      const idleMs = now - (kept.since ?? 0);
      if (idleMs >= 0 && idleMs < Math.min(kept.forMs, this.#closedAfterMs / 2)) continue;
      // This one is there for longer than the other was: that had another reason.
      if (idleMs > this.#closedAfterMs * 1.5) this.#closedAfterMs = Number.POSITIVE_INFINITY;
      this.#discard(kept);
    }
  }

  #discard(kept: Kept): void {
    this.#take(kept);
    kept.socket.destroy();
  }

  /** It idles no more: it is in use, or is closed here, and not by the server. */
  #take(kept: Kept): void {
    kept.since = null;
    this.#idle.delete(kept);
  }

  /** A server that closed one connection after some time does so with others: they are used half as long. */
  #noteClosed(idleMs: number): void {
    if (idleMs >= SHORTEST_MS) this.#closedAfterMs = Math.min(this.#closedAfterMs, idleMs);
  }

  #noteLimit({ headers, socket }: IncomingMessage): void {
    const told = /\btimeout=(\d+)/.exec(String(headers['keep-alive'] ?? ''))?.[1];
    const forMs = told === undefined ? this.#idleMs : Math.min(this.#idleMs, Number(told) * 1_000 - MARGIN_MS);
    const known = this.#kept.get(socket);
    if (known) {
      known.forMs = forMs;
      return;
    }
    const kept: Kept = { socket, since: null, idledMs: 0, forMs };
    this.#kept.set(socket, kept);
    socket.on('timeout', () => this.#take(kept)); // the agent closes it then, if it idles
    socket.once('close', () => {
      if (kept.since !== null) this.#noteClosed(Date.now() - kept.since);
      this.#take(kept);
    });
  }

  #targetOf(url: string): Target {
    if (this.#target?.url === url) return this.#target;
    const { protocol, hostname, port, path, auth } = process
      .getBuiltinModule('node:url')
      .urlToHttpOptions(new URL(url));
    const isSecure = protocol === 'https:';
    this.#target = { url, isSecure, options: { agent: this.#agentFor(isSecure), hostname, port, path, auth } };
    return this.#target;
  }

  #agentFor(isSecure: boolean): Agent {
    const known = this.#agents.get(isSecure);
    if (known) return known;
    const { Agent: Base } = process.getBuiltinModule(isSecure ? 'node:https' : 'node:http');
    const agent: Agent = new Base({ keepAlive: true, scheduling: 'lifo', ...this.#tls });
    const keep = agent.keepSocketAlive.bind(agent);
    agent.keepSocketAlive = (socket) => {
      const kept = this.#kept.get(socket);
      if (kept === undefined || kept.forMs <= 0) return void socket.destroy();
      kept.since = Date.now();
      this.#idle.add(kept);
      const isKept: unknown = keep(socket);
      // The agent destroys it then, if it still idles; what comes from a proxy may be no socket.
      (socket as Partial<Socket>).setTimeout?.(kept.forMs);
      return isKept;
    };
    const reuse = agent.reuseSocket.bind(agent);
    agent.reuseSocket = (socket, request) => {
      const kept = this.#kept.get(socket);
      if (kept) {
        kept.idledMs = kept.since === null ? 0 : Date.now() - kept.since;
        this.#take(kept);
      }
      reuse(socket, request);
    };
    const proxy = this.#proxy;
    if (proxy !== null) {
      const connect = agent.createConnection.bind(agent);
      agent.createConnection = (options, callback) => {
        tunnel(proxy, options)
          .then((socket) =>
            callback?.(null, isSecure ? (connect({ ...options, socket } as RequestOptions) ?? socket) : socket),
          )
          .catch((error: Error) => callback?.(error, null as never));
        return undefined;
      };
    }
    this.#agents.set(isSecure, agent);
    return agent;
  }
}

function octetsOf(content: Exclude<HttpRequest['body'], null>): number {
  if (typeof content === 'string') return content.length;
  return content.reduce((octets, chunk) => octets + chunk.length, 0);
}

/** Whether Node writes a text in one piece with the headers; a long one it would copy behind them first. */
function isWrittenAtOnce(text: string): boolean {
  return text.length < SHORT_TEXT && Buffer.byteLength(text) === text.length;
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
