import type { Duplex } from 'node:stream';
import { type Asking, TestProxy } from './proxy-server.ts';

/** A proxy that speaks SOCKS 5 (RFC 1928) with logins (RFC 1929). */
export class SocksProxy extends TestProxy {
  /** How targets were told: `name`, `ipv4` or `ipv6`. */
  readonly kinds: string[] = [];

  protected override async serve(stream: Duplex, client: Asking): Promise<void> {
    const { login } = this.options;
    const [version, count = 0] = await client.take(2);
    if (version !== 5) throw new Error(`version ${version}`);
    const methods = [...(await client.take(count))];
    if (stream.readableLength > 0) throw new Error('bytes came behind the methods');
    const method = login ? 2 : 0;
    if (!methods.includes(method)) {
      stream.write(Uint8Array.of(5, 0xff));
      stream.end();
      return;
    }
    stream.write(Uint8Array.of(5, method));
    if (login) {
      const [sub] = await client.take(1);
      if (sub !== 1) throw new Error(`version ${sub} of the login`);
      const username = await text(client);
      const password = await text(client);
      const isRight = username === login.username && password === login.password;
      stream.write(Uint8Array.of(1, isRight ? 0 : 1));
      if (!isRight) {
        stream.end();
        return;
      }
    }
    const [again, command, reserved, kind] = await client.take(4);
    if (again !== 5 || command !== 1 || reserved !== 0) throw new Error(`request ${again} ${command} ${reserved}`);
    const host = await this.#address(client, kind);
    const port = (await client.take(2)).readUInt16BE();
    if (stream.readableLength > 0) throw new Error('bytes came behind the request');
    const server = await this.reach(host, port);
    const answer = Buffer.of(5, server ? 0 : 5, 0, 1, 127, 0, 0, 1, 0x1f, 0x90);
    if (server) await this.open(stream, server, answer);
    else {
      stream.write(answer);
      stream.end();
    }
  }

  async #address(client: Asking, kind: number | undefined): Promise<string> {
    if (kind === 3) {
      this.kinds.push('name');
      return text(client);
    }
    if (kind === 1) {
      this.kinds.push('ipv4');
      return [...(await client.take(4))].join('.');
    }
    if (kind !== 4) throw new Error(`address of kind ${kind}`);
    this.kinds.push('ipv6');
    const octets = await client.take(16);
    return Array.from({ length: 8 }, (_, at) => octets.readUInt16BE(2 * at).toString(16)).join(':');
  }
}

async function text(client: Asking): Promise<string> {
  const [length = 0] = await client.take(1);
  if (length === 0) throw new Error('an empty text');
  return String(await client.take(length));
}
