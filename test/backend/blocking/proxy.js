// A proxy in a process of its own, as a blocking call would block one in the same thread: Node's HTTP server, which reads the
// request, and a login. It tells its port, and ends with its input.
import { createServer } from 'node:http';
import { connect } from 'node:net';

const LOGIN = `Basic ${Buffer.from('user:päss').toString('base64')}`;
const server = createServer();
server.on('connect', ({ url = '', headers }, client) => {
  client.on('error', () => {});
  if (headers['proxy-authorization'] !== LOGIN) {
    client.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
    return;
  }
  const [host, port] = url.split(':');
  const target = connect({ host, port: Number(port) }, () => {
    client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
    client.pipe(target).pipe(client);
  });
  target.on('error', () => client.destroy());
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`${typeof address === 'object' ? address?.port : 0}\n`);
});
process.stdin.resume();
process.stdin.on('end', () => process.exit());
