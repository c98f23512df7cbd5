// A TCP relay that holds every byte back for some milliseconds each way: a long line on one machine. It reads as fast as
// bytes come and does no work for them, so that it is not itself the limit.
import { connect, createServer, type Socket } from 'node:net';

const [port = 0, delayMs = 0] = process.argv.slice(2).map(Number);

function pass(from: Socket, to: Socket): void {
  from.on('data', (chunk) => setTimeout(() => to.write(chunk), delayMs));
  from.on('end', () => setTimeout(() => to.end(), delayMs));
  from.on('error', () => to.destroy());
}

const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
  const upstream = connect({ host: '127.0.0.1', port, noDelay: true, allowHalfOpen: true });
  pass(client, upstream);
  pass(upstream, client);
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.({ port: typeof address === 'object' && address ? address.port : 0 });
});
process.on('disconnect', () => process.exit());
