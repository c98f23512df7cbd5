// What a product does with the package, bundled or not: it prints as JSON what came of each. Its environment says where to send.
import { getConnection, sendMail } from 'amsdal-mail';

const mail = { subject: 'Hello', body: 'Text', fromEmail: 'shop@example.com', to: 'ann@example.org' };
const where = { host: '127.0.0.1', port: Number(process.env.SMTP_PORT) };

/** 'sent', or the code of what went wrong and what is said about it. */
async function outcome(work) {
  try {
    const { isSuccess } = await work();
    return isSuccess ? 'sent' : 'not sent';
  } catch (error) {
    return `${error.code}: ${error.message}`;
  }
}

async function main() {
  let printed = '';
  const stream = { write: (text) => (printed += text) };
  const results = {
    smtp: await outcome(() => getConnection('smtp', { ...where, useTls: false }).sendMessages([mail])),
    byName: await outcome(() =>
      sendMail({ subject: 'Hello', message: 'Text', fromEmail: mail.fromEmail, recipientList: [mail.to] }),
    ),
    console: await outcome(() => getConnection('console', { stream }).sendMessages([mail])),
    blocking: await outcome(async () => getConnection('smtp', { ...where, useTls: false }).sendMessagesSync([mail])),
    mailbox: await outcome(() => getConnection('mailbox', { port: 0, smtpPort: 0 }).sendMessages([mail])),
    ses: await outcome(() => getConnection('ses', { region: 'eu-west-1' }).sendMessages([mail])),
  };
  console.log(JSON.stringify({ ...results, printed: printed.includes('Subject: Hello') }));
  process.exit();
}

void main();
