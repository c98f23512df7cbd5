import type { Duplex } from 'node:stream';
import { type Asking, TestProxy } from './proxy-server.ts';

const REQUEST =
  /^CONNECT (\[[\da-f:]+\]|[\w.-]+):(\d{1,5}) HTTP\/1\.1\r\nHost: (\S+)\r\n(?:Proxy-Authorization: Basic ([A-Za-z\d+/]+={0,2})\r\n)?\r\n$/;

/** A proxy that knows nothing but CONNECT (RFC 9110, section 9.3.6), with a Basic login (RFC 7617). */
export class ConnectProxy extends TestProxy {
  protected override async serve(stream: Duplex, client: Asking): Promise<void> {
    const request = String(await client.takeUntil('\r\n\r\n'));
    // Who talks before the answer could talk to the proxy.
    if (stream.readableLength > 0) throw new Error('bytes came behind the request');
    const [, host = '', port = '', authority, basic] = REQUEST.exec(request) ?? [];
    if (authority !== `${host}:${port}`) throw new Error(`no request: ${JSON.stringify(request)}`);
    const { login } = this.options;
    const told = basic === undefined ? null : Buffer.from(basic, 'base64').toString('utf8');
    if (login ? told !== `${login.username}:${login.password}` : told !== null) {
      const head =
        'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="test", charset="UTF-8"';
      stream.write(`${head}\r\nContent-Length: 6\r\n\r\nLogin!`);
      stream.end();
      return;
    }
    const server = await this.reach(host.replace(/^\[(.*)\]$/, '$1'), Number(port));
    if (server === null) {
      stream.write('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n');
      stream.end();
    } else await this.open(stream, server, Buffer.from('HTTP/1.1 200 Connection established\r\nVia: 1.1 test\r\n\r\n'));
  }
}
