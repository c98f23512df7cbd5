// @ts-check
// Sends mails with pauses between them, over some connections at once: node test/http/pausing-child.js URL CONNECTIONS MAILS
// Each pause is as long as the server lets a connection idle, give or take 10 ms. Prints what is said of the mails.
import { argv, stdout } from 'node:process';
import { setTimeout } from 'node:timers/promises';
import { getConnection } from 'amsdal-mail';

const [, , baseUrl = '', connections, mails] = argv;
/** @type {Record<string, number>} */
const statuses = {};

async function sendSome() {
  const connection = getConnection('sendgrid', { apiKey: 'SG.a.b', baseUrl });
  for (let count = 0; count < Number(mails); count++) {
    if (count > 0) await setTimeout(390 + 20 * Math.random());
    const mail = { subject: 's', body: 'b', fromEmail: 'a@example.com', to: 'b@example.org' };
    const { recipients } = await connection.sendMessages([mail], { failSilently: true });
    for (const { status } of recipients.values()) statuses[status] = (statuses[status] ?? 0) + 1;
  }
  await connection.close();
}

await Promise.all(Array.from({ length: Number(connections) }, sendSome));
stdout.write(JSON.stringify(statuses));
