// @ts-check
// Sends one mail, blocking: node test/wrappers/blocking-child.js
import { stdout } from 'node:process';
import { sendMailSync } from 'amsdal-mail';

const recipients = { recipientList: ['ann@customer.org', 'bob@allowed.example'], bcc: ['eve@customer.org'] };
const status = sendMailSync({ subject: 'Hello', message: 'Text', fromEmail: 'shop@example.com', ...recipients });
stdout.write(
  JSON.stringify(Object.fromEntries([...status.recipients].map(([address, each]) => [address, each.status]))),
);
