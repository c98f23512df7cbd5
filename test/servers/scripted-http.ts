import { createServer, type IncomingMessage, Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Certificate } from '../../src/smtp-server/certificate.ts';

/** A request as it arrived. */
export interface HttpCall {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** The number of its connection, from 1. */
  readonly connection: number;
}

/** What is answered, and where it breaks off. */
export interface HttpReply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A value that is no text is written as JSON. */
  readonly body?: unknown;
  /** What the answer waits for. */
  readonly after?: Promise<unknown>;
  /**
   * `unread` before the body is read; `unanswered` when it has been; `head` in the middle of the status line; `body` in the middle
   * of the body; `stalled` is there, too, but for the end of the connection; `silent` never answers.
   */
  readonly cut?: 'unread' | 'unanswered' | 'head' | 'body' | 'stalled' | 'silent';
}

/** A server of HTTP that says what it is told to. */
export class ScriptedHttp {
  /** Everything that arrived whole, in order. */
  readonly calls: HttpCall[] = [];
  /** Answers; by default with an empty object. */
  script: (call: HttpCall, count: number) => HttpReply = () => ({});
  /** Asked before a body is read; when it is to be silent, the body is not read at all. */
  scriptUnread: (count: number) => HttpReply['cut'] = () => undefined;
  readonly #server: Server;
  readonly #sockets = new Map<Socket, number>();
  readonly #idling = new WeakMap<Socket, NodeJS.Timeout>();
  #connections = 0;
  #arrived = 0;

  private constructor(server: Server) {
    this.#server = server;
    server.keepAliveTimeout = 60_000;
    const event = server instanceof Server ? 'connection' : 'secureConnection';
    server.on(event, (socket: Socket) => {
      this.#sockets.set(socket, ++this.#connections);
      socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket));
    });
    server.on('request', (request, response) => void this.#take(request, response).catch(() => {}));
  }

  static async start(certificate?: Certificate): Promise<ScriptedHttp> {
    const server = certificate ? createSecureServer(certificate) : createServer();
    const scripted = new ScriptedHttp(server as Server); // https has all that is used here
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return scripted;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port; // it is TCP
  }

  get url(): string {
    return `${this.#server instanceof Server ? 'http' : 'https'}://127.0.0.1:${this.port}`;
  }

  /** Connections that were made. */
  get connections(): number {
    return this.#connections;
  }

  /** Connections that are open. */
  get open(): number {
    return this.#sockets.size;
  }

  /** How long a connection may idle, and whether clients are told. */
  idle(ms: number, isTold = true): void {
    this.#server.keepAliveTimeout = ms;
    this.#isTold = isTold;
    this.#idleMs = ms;
  }
  #isTold = true;
  /** Node itself waits a second longer than it says. */
  #idleMs = 60_000;

  /** Breaks every connection, or the one with this number. */
  drop(how: 'end' | 'reset' = 'reset', only?: number): void {
    for (const [socket, number] of this.#sockets) {
      if (only !== undefined && number !== only) continue;
      if (how === 'end') socket.end();
      else socket.resetAndDestroy();
    }
  }

  close(): Promise<void> {
    for (const socket of this.#sockets.keys()) socket.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request;
    clearTimeout(this.#idling.get(socket));
    const unread = this.scriptUnread(++this.#arrived);
    if (unread === 'unread') socket.resetAndDestroy();
    if (unread !== undefined) return;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const call: HttpCall = {
      method: request.method ?? '',
      path: request.url ?? '',
      headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)])),
      body: Buffer.concat(chunks),
      connection: this.#sockets.get(socket) ?? 0,
    };
    this.calls.push(call);
    const reply = this.script(call, this.calls.length);
    if (reply.after !== undefined) await reply.after;
    this.#answer(socket, response, reply);
  }

  #answer(socket: Socket, response: ServerResponse, { status = 200, headers = {}, body = {}, cut }: HttpReply): void {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    if (cut === 'silent') return;
    if (cut === 'unanswered' || cut === 'unread') socket.resetAndDestroy();
    else if (cut === 'head') socket.end('HTTP/1.1 20');
    else if (cut === 'body' || cut === 'stalled') {
      socket.write(`HTTP/1.1 ${status} X\r\ncontent-length: ${text.length + 20}\r\n\r\n${text.slice(0, 5)}`);
      if (cut === 'body') socket.end();
    } else {
      response.shouldKeepAlive = this.#isTold ? response.shouldKeepAlive : true;
      response.writeHead(status, {
        'content-type': 'application/json',
        ...headers,
        ...(this.#isTold ? {} : { 'keep-alive': 'max=1' }),
      });
      response.end(text, () => this.#idling.set(socket, setTimeout(() => socket.end(), this.#idleMs).unref()));
    }
  }
}
