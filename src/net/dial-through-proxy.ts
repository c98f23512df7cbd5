import type { Duplex } from 'node:stream';
import { EmailConnectionError } from '../model/errors.ts';
import { reasonOf } from '../util/reason.ts';
import { addressesOf, connected, connectFirst } from './connect.ts';
import { connectError } from './connect-error.ts';
import { httpConnect } from './http-connect.ts';
import { type ProxyServer, proxiedHost } from './proxy-server.ts';
import { HungUp } from './read-answer.ts';
import { socksConnect } from './socks5.ts';
import { handshakeError } from './tls-failure.ts';

/** The destination of a tunnel. */
interface TunnelTarget {
  /** A name, which the proxy resolves, or an IP address. */
  readonly host: string;
  readonly port: number;
}

/**
 * Connects to a host through a proxy: dials the proxy, over TLS if its scheme is https, and requests a tunnel. The stream begins
 * with the first byte that the host sends.
 *
 * @param signal Aborts it at any step, leaving nothing open.
 * @param isPlain Whether the stream will not be upgraded to TLS.
 * @throws {EmailConnectionError} in phase `connect`, for a failure at the proxy.
 * @throws {ConfigurationError} `invalid-option` for a host that cannot be reached through a proxy.
 * @throws The signal's reason.
 */
export async function dialThroughProxy(
  proxy: ProxyServer,
  target: TunnelTarget,
  signal: AbortSignal,
  isPlain = false,
): Promise<Duplex> {
  const asked = { host: proxiedHost(target.host), port: target.port };
  const socket = await reachProxy(proxy, signal, isPlain);
  const stream = proxy.scheme === 'https' ? await secure(socket, proxy, signal) : socket;
  try {
    await (proxy.scheme === 'socks5' ? socksConnect : httpConnect)(stream, proxy, asked, signal);
    return stream;
  } catch (error) {
    stream.on('error', () => {});
    stream.destroy();
    if (signal.aborted || error instanceof EmailConnectionError) throw error;
    const why = error instanceof HungUp ? 'hung up' : `failed (${reasonOf(error)})`;
    throw new EmailConnectionError('closed', `the proxy ${proxy.name} ${why} instead of an answer`, {
      retryable: true,
      cause: error,
    });
  }
}

async function reachProxy(proxy: ProxyServer, signal: AbortSignal, isPlain: boolean): Promise<Duplex> {
  try {
    const addresses = await addressesOf(proxy.host, signal);
    return (await connectFirst(addresses, proxy.port, signal, isPlain && proxy.scheme !== 'https')).socket;
  } catch (error) {
    if (signal.aborted) throw error;
    throw connectError(error, `the proxy ${proxy.name}`, { dns: 'proxy', refused: 'proxy', unreachable: 'proxy' });
  }
}

/** Starts TLS with the proxy itself, whose certificate is checked against Node's authorities, unlike the mail server's. */
async function secure(socket: Duplex, { host, name }: ProxyServer, signal: AbortSignal): Promise<Duplex> {
  const servername = process.getBuiltinModule('node:net').isIP(host) === 0 ? host : undefined;
  try {
    const tls = process.getBuiltinModule('node:tls');
    const options = { socket, host, minVersion: 'TLSv1.2', ...(servername !== undefined && { servername }) } as const;
    return await connected(tls.connect(options), signal, 'secureConnect');
  } catch (error) {
    socket.destroy();
    if (signal.aborted) throw error;
    throw handshakeError(error, `the proxy ${name}`, {
      phase: 'connect',
      certificate: 'NODE_EXTRA_CA_CERTS names the file of an authority of your own',
      other: 'check the scheme and port of proxy',
    });
  }
}
