// @ts-check
// Sends many mails and is ended in their midst: node test/app/bulk-child.js COUNT
import { argv, stdout } from 'node:process';
import { getConnection } from 'amsdal-mail';
import { setupContribs, startMail } from 'amsdal-mail/app';

await setupContribs({ envFile: null });
const mail = await startMail({ connection: getConnection() });
const drafts = Array.from({ length: Number(argv[2]) }, (_, index) => ({
  subject: `Mail ${index}`,
  body: 'Text',
  fromEmail: 'shop@example.com',
  to: `u${index}@example.org`,
}));
const status = await mail.connection.sendMessages(drafts);
stdout.write(JSON.stringify({ isSuccess: status.isSuccess, recipients: status.recipients.size }));
setInterval(() => {}, 60_000); // as a server that goes on listening
