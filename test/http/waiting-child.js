// @ts-check
// Sends a mail for each line that it reads, over one connection, and prints what is said of it: node test/http/waiting-child.js URL
import { argv, stdin, stdout } from 'node:process';
import { createInterface } from 'node:readline';
import { getConnection } from 'amsdal-mail';

const connection = getConnection('sendgrid', { apiKey: 'SG.a.b', baseUrl: argv[2] ?? '' });
for await (const line of createInterface({ input: stdin })) {
  const mail = { subject: line, body: 'b', fromEmail: 'a@example.com', to: 'b@example.org' };
  const { recipients } = await connection.sendMessages([mail], { failSilently: true });
  stdout.write(`${[...recipients.values()].map(({ status }) => status).join()}\n`);
}
await connection.close();
