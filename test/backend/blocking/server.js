// A scripted SMTP server in a process of its own, as a blocking call would block one in the same thread.
// It refuses recipients whose address begins with "no-", and with "later-" for now, counting how often; it tells its port and that of a token endpoint, which gives the password
// as a token, and what it got when its input ends.
import { createServer } from 'node:http';
import { ScriptedSmtpServer } from '../../../dist/testing/index.js';

let later = 0;
const server = await ScriptedSmtpServer.start({ users: { mailer: 'right' } });
server.on('RCPT', ({ argument }) => {
  if (argument.includes('<no-')) return '550 5.1.1 No such user';
  return argument.includes('<later-') ? `450 4.2.0 Try ${++later}` : undefined;
});
const endpoint = createServer((_, response) => {
  response.end(JSON.stringify({ access_token: 'right', token_type: 'Bearer', expires_in: 3600 }));
});
await new Promise((resolve) => endpoint.listen(0, '127.0.0.1', () => resolve(null)));
const address = endpoint.address();
process.stdout.write(`${server.port} ${typeof address === 'object' ? address?.port : 0}\n`);
process.stdin.resume();
process.stdin.on('end', async () => {
  process.stdout.write(JSON.stringify({ messages: server.messages.length, connections: server.connections.length }));
  endpoint.close();
  endpoint.closeAllConnections();
  await server[Symbol.asyncDispose]();
});
