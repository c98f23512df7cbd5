// A scripted SMTP server in a process of its own, as a blocking call would block one in the same thread.
// It refuses recipients whose address begins with "no-", tells its port, and what it got when its input ends.
import { ScriptedSmtpServer } from '../../dist/testing/index.js';

const server = await ScriptedSmtpServer.start({ users: { mailer: 'right' } });
server.on('RCPT', ({ argument }) => (argument.includes('<no-') ? '550 5.1.1 No such user' : undefined));
process.stdout.write(`${server.port}\n`);
process.stdin.resume();
process.stdin.on('end', async () => {
  process.stdout.write(JSON.stringify({ messages: server.messages.length, connections: server.connections.length }));
  await server[Symbol.asyncDispose]();
});
