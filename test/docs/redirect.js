// @ts-check
// Loaded before an example: the servers it names are the receiver of the test, and TLS trusts that one.
import { env } from 'node:process';

/** @type {Record<string, number>} */
const PORTS = JSON.parse(env['RECEIVER_PORTS'] ?? '{}');
const { promises: dns, Resolver } = process.getBuiltinModule('node:dns');
const net = process.getBuiltinModule('node:net');
const tls = process.getBuiltinModule('node:tls');

Object.assign(dns, { lookup: async () => [{ address: '127.0.0.1', family: 4 }] });

// Nodemailer asks the servers of names itself.
Object.assign(Resolver.prototype, {
  /** @type {(host: string, callback: (error: null, addresses: string[]) => void) => void} */
  resolve4: (_host, callback) => setImmediate(callback, null, ['127.0.0.1']),
  /** @type {(host: string, callback: (error: null, addresses: string[]) => void) => void} */
  resolve6: (_host, callback) => setImmediate(callback, null, []),
});

const { connect } = net;
Object.assign(net, {
  /** @type {(options: import('node:net').TcpNetConnectOpts, listener?: () => void) => import('node:net').Socket} */
  connect: (options, listener) => connect({ ...options, port: PORTS[options.port] ?? options.port }, listener),
});

const { connect: connectTls } = tls;
Object.assign(tls, {
  /** @type {(options: import('node:tls').ConnectionOptions, listener?: () => void) => import('node:tls').TLSSocket} */
  connect: (options, listener) => {
    const port = PORTS[options.port ?? 0] ?? options.port;
    return connectTls({ ...options, ...(port && { port }), host: 'localhost', servername: 'localhost' }, listener);
  },
});
