// @ts-check
// A newsletter, one mail to each reader, with progress: npm run build && node examples/newsletter.js
// Sends where the environment says, AMSDAL_EMAIL_URL='smtp://localhost:1025' for example; without it, nowhere.
import { env, stdout } from 'node:process';
import { getConnection } from 'amsdal-mail';

const connection = env['AMSDAL_EMAIL_URL'] ? getConnection() : getConnection('dummy');
const total = Number(env['READERS'] ?? 1_000);
const counts = { sent: 0, failed: 0, unknown: 0 };

/** Where the readers come from: a database cursor, a file; they are read only as fast as they are sent. */
async function* readers() {
  for (let number = 1; number <= total; number++)
    yield { name: `Reader ${number}`, address: `reader${number}@example.org` };
}

async function* mails() {
  for await (const reader of readers()) {
    yield {
      fromEmail: 'Example News <news@example.com>',
      to: reader,
      subject: `News for ${reader.name}`,
      body: `Hello ${reader.name},\n\nthe news of the week.`,
      listUnsubscribe: { url: `https://example.com/unsubscribe?reader=${reader.address}`, oneClick: true },
    };
  }
}

const started = performance.now();
let shown = 0;
for await (const { recipients } of connection.stream(mails())) {
  for (const { status } of recipients.values()) {
    counts[status === 'sent' || status === 'queued' ? 'sent' : status === 'unknown' ? 'unknown' : 'failed']++;
  }
  if (stdout.isTTY && performance.now() - shown > 100) {
    shown = performance.now();
    stdout.write(`\r${progress()}`);
  }
}
await connection.close();
stdout.write(`${stdout.isTTY ? '\r' : ''}${progress()}\n`);

function progress() {
  const { sent, failed, unknown } = counts;
  const rate = Math.round((sent + failed + unknown) / ((performance.now() - started) / 1000));
  return `${sent} of ${total} sent, ${failed} failed, ${unknown} unknown, ${rate} a second`;
}
