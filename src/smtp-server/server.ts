import { createServer, type Server, type Socket } from 'node:net';
import { Connection } from './connection.ts';
import { type ResolvedSmtpServerOptions, resolveSmtpServerOptions, type SmtpServerOptions } from './options.ts';

/**
 * An SMTP or LMTP server whose every reply a hook can decide, for development and tests. It neither stores nor forwards mail,
 * which is up to `onMessage`.
 */
export class SmtpServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #options: ResolvedSmtpServerOptions;
  readonly #connections = new Set<Connection>();
  #accepted = 0;

  private constructor(options: ResolvedSmtpServerOptions) {
    this.#options = options;
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
  }

  /**
   * Starts a server, by default on a free port of 127.0.0.1.
   *
   * @throws {ConfigurationError} As {@link resolveSmtpServerOptions}.
   * @throws The system's error when the port is in use.
   */
  static async start(options: SmtpServerOptions = {}): Promise<SmtpServer> {
    const resolved = await resolveSmtpServerOptions(options);
    const server = new SmtpServer(resolved);
    await server.#listen();
    return server;
  }

  /** The address the server listens on. */
  get host(): string {
    return this.#options.host;
  }

  /** The port the server listens on. */
  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** The server's certificate, PEM, for a client to trust; null without TLS. */
  get certificate(): string | null {
    return this.#options.certificate;
  }

  /** How many connections are open. */
  get connections(): number {
    return this.#connections.size;
  }

  /** How many connections there have been. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Lets the process exit while the server is listening. */
  unref(): void {
    this.#server.unref();
  }

  /** Closes every connection and stops listening. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.closeConnections();
    await closed;
  }

  /** Closes every connection and continues to listen. */
  closeConnections(): void {
    for (const connection of this.#connections) connection.destroy();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#options.port, this.#options.host, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
  }

  #accept(socket: Socket): void {
    if (this.#connections.size >= this.#options.maxConnections) {
      socket.on('error', () => {});
      socket.end('421 4.7.0 Too many connections\r\n', () => socket.destroySoon());
      return;
    }
    this.#accepted++;
    const connection = new Connection(socket, this.#accepted, this.#options);
    this.#connections.add(connection);
    socket.once('close', () => {
      this.#connections.delete(connection);
      this.#options.onClose?.(connection.session);
    });
  }
}
