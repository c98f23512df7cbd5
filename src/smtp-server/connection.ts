import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { ResolvedSmtpServerOptions } from './options.ts';
import { type SessionWire, SmtpSession } from './session.ts';

/** How long a client may take to close its side after we closed ours. */
const LINGER_MS = 2000;

/** One socket and its session: buffers the session's writes, switches to TLS, and applies backpressure. */
export class Connection implements SessionWire {
  readonly session: SmtpSession;
  readonly #options: ResolvedSmtpServerOptions;
  readonly #raw: Socket;
  #socket: Socket; // a TLSSocket over #raw once TLS is up
  #text = '';
  #isClosing = false;

  constructor(socket: Socket, id: number, options: ResolvedSmtpServerOptions) {
    this.#raw = socket;
    this.#socket = socket;
    this.#options = options;
    this.session = new SmtpSession(id, socket.remoteAddress ?? '', options, this);
    socket.setNoDelay(true);
    socket.on('error', ignore);
    if (options.implicitTls) this.#secure(() => this.session.start());
    else {
      this.#listen(socket);
      this.session.start();
    }
  }

  write(bytes: string | Uint8Array): void {
    if (typeof bytes === 'string') {
      this.#text += bytes;
      return;
    }
    this.flush();
    this.#send(bytes);
  }

  flush(): void {
    if (this.#text !== '') {
      const text = this.#text;
      this.#text = '';
      this.#send(text);
    }
    if (!this.session.isBusy && this.#socket.isPaused()) this.#regulate();
  }

  startTls(): void {
    this.flush();
    this.#socket
      .removeAllListeners('data')
      .removeAllListeners('end')
      .removeAllListeners('drain')
      .removeAllListeners('timeout');
    this.#secure(() => {});
  }

  end(): void {
    this.flush();
    if (this.#isClosing) return;
    this.#isClosing = true;
    // Closing with unread input would send RST, which can cost the client our last reply.
    this.#socket.end();
    this.#socket.setTimeout(LINGER_MS);
    this.#socket.resume();
  }

  reset(): void {
    this.flush();
    if (this.#isClosing) return;
    this.#isClosing = true;
    const socket = this.#socket;
    // Node cannot send RST under TLS: the socket is just closed.
    const resetNow = (): unknown => (socket === this.#raw ? this.#raw.resetAndDestroy() : socket.destroy());
    // The client must read our data first: libuv reports an RST that arrives together with data as a normal end.
    socket.write('', () => setImmediate(() => setImmediate(resetNow)));
  }

  /** Closes the socket immediately. */
  destroy(): void {
    this.#socket.destroy();
  }

  #send(bytes: string | Uint8Array): void {
    if (this.#isClosing || this.#socket.destroyed) return;
    const { onSend } = this.#options;
    const sent =
      onSend === undefined ? bytes : onSend(typeof bytes === 'string' ? Buffer.from(bytes) : bytes, this.session);
    if (sent.length > 0) this.#socket.write(sent);
  }

  #listen(socket: Socket): void {
    this.#socket = socket;
    socket.setTimeout(this.#options.idleTimeoutMs);
    socket.on('data', (chunk: Buffer) => {
      this.session.receive(chunk);
      this.#regulate();
    });
    socket.on('drain', () => this.#regulate());
    socket.on('end', () => {
      if (this.#isClosing) socket.destroy();
      else this.session.receiveEnd();
    });
    socket.on('timeout', () => {
      if (this.#isClosing) {
        socket.destroy();
        return;
      }
      this.write('421 4.4.2 Idle for too long\r\n');
      this.session.end();
    });
  }

  /** Stops reading while a hook is pending or the client does not read. */
  #regulate(): void {
    if (this.session.isBusy || this.#socket.writableNeedDrain) this.#socket.pause();
    else if (this.#socket.isPaused()) this.#socket.resume();
  }

  #secure(onSecure: () => void): void {
    const { secureContext } = this.#options;
    if (secureContext === null) throw new Error('there is no certificate');
    const socket = new TLSSocket(this.#raw, { isServer: true, secureContext });
    socket.on('error', ignore);
    socket.once('secure', () => {
      this.session.secured();
      this.#listen(socket);
      onSecure();
    });
    socket.setTimeout(this.#options.idleTimeoutMs, () => socket.destroy());
    this.#socket = socket;
  }
}

function ignore(): void {}
