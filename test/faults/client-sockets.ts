import { connect, type Socket } from 'node:net';
import type { SmtpTarget } from '../../src/smtp/options.ts';

/** Makes the connections of one backend, and knows what was written to them and whether they are gone. */
export class ClientSockets {
  readonly #sockets: Socket[] = [];
  readonly #written: Buffer[][] = [];

  /** How many are not destroyed. */
  get open(): number {
    return this.#sockets.filter((socket) => !socket.destroyed).length;
  }

  /** What the client handed to each connection, in clear, whether or not it left. */
  get written(): readonly string[] {
    return this.#written.map((parts) => Buffer.concat(parts).toString('latin1'));
  }

  /** The `socket` option of the backend. */
  readonly dial = ({ host, port }: SmtpTarget): Promise<Socket> =>
    new Promise((resolve, reject) => {
      const socket = connect({ host, port, noDelay: true });
      const parts: Buffer[] = [];
      this.#sockets.push(socket);
      this.#written.push(parts);
      const write = socket.write.bind(socket);
      // write(chunk), the only form the wire uses.
      socket.write = ((chunk: string | Uint8Array) => {
        parts.push(Buffer.from(chunk as string));
        return write(chunk);
      }) as typeof socket.write;
      socket.once('connect', () => resolve(socket));
      socket.once('error', reject);
    });
}
