import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer as createTlsServer } from 'node:tls';
import type { Certificate } from '../../src/smtp-server/certificate.ts';

/** How a {@link TestProxy} behaves. */
export interface TestProxyOptions {
  /** Who may use it; without it, it takes anybody, and is told no login. */
  readonly login?: { readonly username: string; readonly password: string };
  /** Speaks TLS from the first byte. */
  readonly tls?: Certificate;
  /** 127.0.0.1 by default. */
  readonly host?: string;
  /** Where every tunnel leads, whatever is asked for; without it to what is asked for. */
  readonly to?: { readonly host: string; readonly port: number };
  /** Called when a client says something, which is then never answered. */
  readonly ignore?: () => void;
  /** Waits for the server's first words, and sends them in one write with the answer. */
  readonly isGlued?: boolean;
}

/** What a proxy asks of a stream. */
export interface Asking {
  /** Waits for the next bytes of the client, exactly as many. */
  take(length: number): Promise<Buffer>;
  /** Waits for bytes up to and with an end. */
  takeUntil(end: string): Promise<Buffer>;
}

/** A proxy on loopback that holds its clients to the rules of its protocol, and remembers what they did. */
export abstract class TestProxy implements AsyncDisposable {
  /** What was asked for: `host:port`, in order. */
  readonly targets: string[] = [];
  /** Breaches of the protocol by clients; a test expects none. */
  readonly breaches: string[] = [];
  protected readonly options: TestProxyOptions;
  readonly #streams = new Set<Duplex>();
  readonly #server: Server;
  #connections = 0;

  constructor(options: TestProxyOptions = {}) {
    this.options = options;
    const onClient = (stream: Socket): void => this.#accept(stream);
    this.#server = options.tls ? createTlsServer(options.tls, onClient) : createServer(onClient);
    this.#server.on('tlsClientError', () => {});
  }

  /** How many connections were made to it. */
  get connections(): number {
    return this.#connections;
  }

  /** How many streams are open, those to servers included. */
  get openStreams(): number {
    return this.#streams.size;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port; // it listens on TCP
  }

  async start(): Promise<this> {
    await once(this.#server.listen(0, this.options.host ?? '127.0.0.1'), 'listening');
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const stream of this.#streams) stream.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Serves one client. @throws a breach of the protocol */
  protected abstract serve(stream: Duplex, client: Asking): Promise<void>;

  /** Connects to a server; null when it does not take the connection. */
  protected async reach(host: string, port: number): Promise<Socket | null> {
    this.targets.push(`${host}:${port}`);
    const { host: toHost, port: toPort } = this.options.to ?? { host, port };
    const socket = connect({ host: toHost, port: toPort, noDelay: true });
    this.#keep(socket);
    try {
      await once(socket, 'connect');
      return socket;
    } catch {
      return null;
    }
  }

  /** Says that the tunnel is there, and is nothing but that from now on. */
  protected async open(stream: Duplex, server: Socket, answer: Buffer): Promise<void> {
    const { isGlued = false } = this.options;
    const [start] = isGlued ? ((await once(server, 'data')) as [Buffer]) : [Buffer.alloc(0)];
    stream.write(Buffer.concat([answer, start]));
    stream.pipe(server).pipe(stream);
    // What nobody takes any more would hold its end back.
    server.on('close', () => stream.resume());
    stream.on('close', () => server.destroy());
  }

  #accept(stream: Socket): void {
    this.#connections++;
    this.#keep(stream);
    const { ignore } = this.options;
    if (ignore) {
      stream.on('data', ignore);
      return;
    }
    this.serve(stream, asking(stream)).catch((error: unknown) => {
      if (!(error instanceof Gone)) this.breaches.push(String(error));
      stream.destroy();
    });
  }

  #keep(stream: Duplex): void {
    this.#streams.add(stream);
    stream.on('error', () => stream.destroy());
    stream.on('close', () => this.#streams.delete(stream));
  }
}

/** The client has hung up. */
class Gone extends Error {}

function asking(stream: Duplex): Asking {
  const read = async (isWhole: (bytes: Buffer) => boolean): Promise<Buffer> => {
    let bytes = Buffer.alloc(0);
    while (!isWhole(bytes)) {
      const byte: Buffer | null = stream.read(1);
      if (byte !== null) bytes = Buffer.concat([bytes, byte]);
      else if (stream.readableEnded || stream.destroyed) throw new Gone();
      else await Promise.race([once(stream, 'readable'), once(stream, 'end'), once(stream, 'close')]);
    }
    return bytes;
  };
  return {
    take: (length) => read((bytes) => bytes.length === length),
    takeUntil: (end) => read((bytes) => bytes.includes(end)),
  };
}
