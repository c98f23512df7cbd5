import { connect, type Socket } from 'node:net';
import type { SmtpTarget } from '../../src/smtp/options.ts';

/** Makes the connections of one backend, and knows what was written to them and whether they are gone. */
export class ClientSockets {
  readonly #sockets: Socket[] = [];
  readonly #written: Buffer[][] = [];
  /** What was written to connections that had said 421, but for QUIT: a session ends with it (RFC 5321, section 3.8). */
  readonly writtenAfter421: string[] = [];

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
      let isOver = false;
      // write(chunk), the only form the wire uses.
      socket.write = ((chunk: string | Uint8Array) => {
        const bytes = Buffer.from(chunk as string);
        parts.push(bytes);
        if (isOver && bytes.toString() !== 'QUIT\r\n') this.writtenAfter421.push(bytes.toString('latin1'));
        return write(chunk);
      }) as typeof socket.write;
      let line = '';
      const emit = socket.emit.bind(socket);
      // Who listens to it would take the data from the client.
      socket.emit = ((event: string, ...facts: unknown[]) => {
        if (event === 'data') {
          const lines = (line + String(facts[0])).split('\n');
          isOver ||= lines.slice(0, -1).some((text) => /^421\b/.test(text));
          line = lines.at(-1) ?? '';
        }
        return emit(event, ...facts);
      }) as typeof socket.emit;
      socket.once('connect', () => resolve(socket));
      socket.once('error', reject);
    });
}
