// @ts-check
// Loaded before an example: the servers it names are the receiver of the test, and TLS trusts that one.
import { env } from 'node:process';

/** @type {Record<string, number>} */
const PORTS = JSON.parse(env['RECEIVER_PORTS'] ?? '{}');
const dns = process.getBuiltinModule('node:dns').promises;
const net = process.getBuiltinModule('node:net');
const tls = process.getBuiltinModule('node:tls');

Object.assign(dns, { lookup: async () => [{ address: '127.0.0.1', family: 4 }] });

const { connect } = net;
Object.assign(net, {
  /** @param {import('node:net').TcpNetConnectOpts} options */
  connect: (options) => connect({ ...options, port: PORTS[options.port] ?? options.port }),
});

const { connect: connectTls } = tls;
Object.assign(tls, {
  /** @param {import('node:tls').ConnectionOptions} options */
  connect: (options) => {
    const port = PORTS[options.port ?? 0] ?? options.port;
    return connectTls({ ...options, ...(port && { port }), host: 'localhost', servername: 'localhost' });
  },
});
