import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** A bare client that sends exactly what a test says and gives back exactly what the server said. */
export class Client {
  #socket: Socket;
  #received = '';
  #ended = false;
  /** The code of the error that ended the connection, or null. */
  error: string | null = null;
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#listen();
  }

  static async open(port: number, ca?: string): Promise<Client> {
    const socket = ca
      ? connectTls({ port, host: '127.0.0.1', servername: 'localhost', ca })
      : connect(port, '127.0.0.1');
    const client = new Client(socket);
    await once(socket, ca ? 'secureConnect' : 'connect');
    return client;
  }

  /** Sends octets, and waits for `replies` complete replies. */
  async say(text: string | Uint8Array, replies = 1): Promise<string> {
    this.#socket.write(text);
    return this.read(replies);
  }

  /** Sends one command line. */
  command(line: string): Promise<string> {
    return this.say(`${line}\r\n`);
  }

  /** The next complete replies, or all that came before the connection ended. */
  async read(replies = 1): Promise<string> {
    for (;;) {
      const found = new RegExp(`^(?:(?:\\d{3}-.*\\r\\n)*\\d{3}(?: .*)?\\r\\n){${replies}}`).exec(this.#received)?.[0];
      if (found !== undefined || this.#ended) {
        const taken = found ?? this.#received;
        this.#received = this.#received.slice(taken.length);
        return taken;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** What the server said up to the end of the connection. */
  async readToEnd(): Promise<string> {
    while (!this.#ended)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    return this.#received;
  }

  /** Goes over to TLS after the server's 220. */
  async startTls(ca: string): Promise<void> {
    this.#socket.removeAllListeners('data');
    const socket = connectTls({ socket: this.#socket, servername: 'localhost', ca });
    this.#socket = socket;
    this.#listen();
    await once(socket, 'secureConnect');
  }

  write(text: string | Uint8Array): void {
    this.#socket.write(text);
  }

  /** Leaves what the server says where it is. */
  stopReading(): void {
    this.#socket.pause();
  }

  /** Sends FIN and goes on reading. */
  endWriting(): void {
    this.#socket.end();
  }

  close(): void {
    this.#socket.destroy();
  }

  #listen(): void {
    this.#socket.on('data', (chunk: Buffer) => {
      this.#received += chunk.toString();
      this.#wake();
    });
    this.#socket.on('error', (error: NodeJS.ErrnoException) => {
      this.error = error.code ?? error.message;
    });
    this.#socket.on('end', () => this.#socket.end());
    this.#socket.on('close', () => {
      this.#ended = true;
      this.#wake();
    });
  }
}
