// @ts-check
// An application with plugins: npm run build && node examples/plugin/main.js
import { stdout } from 'node:process';
import { sendMail } from 'amsdal-mail';
import { setupContribs, startMail } from 'amsdal-mail/app';

const apps = await setupContribs({ cwd: import.meta.dirname });
stdout.write(`plugins: ${apps.map(({ name }) => name).join(', ')}\n`);

const mail = await startMail();
for (const recipient of ['ann@example.com', 'bob@left.example']) {
  const status = await sendMail({ subject: 'Hello', message: 'Thanks.', recipientList: [recipient] });
  stdout.write(`${recipient}: ${status.recipients.get(recipient)?.status}\n`);
}
await mail.close();
