// @ts-check
// npm run demo [-- --host H --port P --username U --password P --tls | --ssl --from A --to A ...]: sends four mails through
// the smtp backend, and shows what the server said about every recipient and what arrived. Without --host the mails go to a
// receiver of its own on a loopback port, over TLS and with a login, so that nothing leaves this machine; a mailbox shows
// them in a browser, with --keep until it is interrupted.
import { once } from 'node:events';
import { stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { demoMails } from './lib/demo-mails.js';
import { printArrival, printStatus, printTitle } from './lib/demo-print.js';

/** @type {typeof import('../src/index.ts')} */
const { EmailError, getConnection, SendError } = await import(new URL('../dist/index.js', import.meta.url).href);
/** @type {typeof import('../src/testing/index.ts')} */
const { ScriptedSmtpServer } = await import(new URL('../dist/testing/index.js', import.meta.url).href);
/** @type {typeof import('../src/mailbox/index.ts')} */
const { startMailbox } = await import(new URL('../dist/mailbox/index.js', import.meta.url).href);

const USAGE = `npm run demo -- [options]
  --host H         a real server, instead of the demo's own receiver
  --port P         its port; default 25, 587 with --tls, 465 with --ssl
  --username U     for a login
  --password P
  --tls            STARTTLS, required
  --ssl            TLS from the first byte
  --from A         the sender; default demo@example.com
  --to A           the recipient; required with a real server
  --debug          prints the dialogue with the server
  --keep           leaves the mailbox open, which shows the mails in a browser
`;

try {
  const { values } = parseArgs({
    options: {
      host: { type: 'string' },
      port: { type: 'string' },
      username: { type: 'string' },
      password: { type: 'string' },
      tls: { type: 'boolean' },
      ssl: { type: 'boolean' },
      from: { type: 'string', default: 'demo@example.com' },
      to: { type: 'string' },
      debug: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help || (values.host !== undefined && values.to === undefined)) {
    stdout.write(values.help ? USAGE : `With a real server, name a recipient: --to you@example.com\n\n${USAGE}`);
    process.exitCode = values.help ? 0 : 2;
  } else if (values.host === undefined) await demonstrate(values.from, values.debug, values.keep);
  else {
    const { host, port, username, password, tls, ssl, from, to = '', debug } = values;
    const connection = getConnection('smtp', {
      host,
      ...(port !== undefined && { port: Number(port) }),
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      ...(tls && { useTls: true }),
      ...(ssl && { useSsl: true }),
      ...(debug && { debug: true }),
    });
    stdout.write(`The mails go to ${host} over SMTP.\n`);
    const allSent = await sendAll(connection, demoMails(from, to).slice(0, 3), async () => []);
    process.exitCode = allSent ? 0 : 1;
  }
} catch (error) {
  if (!(error instanceof EmailError) && !(error instanceof TypeError)) throw error;
  stdout.write(`\n${error.name}: ${error.message}\n`);
  process.exitCode = error instanceof TypeError ? 2 : 1;
}

/** @type {(from: string, debug: boolean, keep: boolean) => Promise<void>} */
async function demonstrate(from, debug, keep) {
  const mailbox = await startMailbox({ port: 0, smtpPort: null });
  const server = await ScriptedSmtpServer.start({ tls: 'generate', users: { demo: 'secret' } });
  server.on('RCPT', ({ argument }) => {
    if (argument.includes('<nobody@')) return '550 5.1.1 There is no such mailbox';
    if (argument.includes('<busy@')) return '450 4.2.1 The mailbox is busy, try again later';
    return undefined;
  });
  const { host, port, certificate } = server;
  stdout.write(`A receiver listens on ${host}:${port}. The mails go to it over SMTP, TLS and with a login.\n`);
  const options = {
    host,
    port,
    useTls: true,
    username: 'demo',
    password: 'secret',
    tls: { ca: certificate ?? '' },
    debug,
  };
  let shown = 0;
  const showArrived = async () => {
    const arrived = server.messages.slice(shown);
    shown += arrived.length;
    for (const mail of arrived) await show(mailbox.url, mail);
    return arrived;
  };
  await sendAll(getConnection('smtp', options), demoMails(from, 'ada@example.com'), showArrived);
  await server.close();
  stdout.write(`\nThe mailbox shows the mails at ${mailbox.url}`);
  stdout.write(keep ? '; Ctrl+C closes it.\n' : ', and is closed now: npm run demo -- --keep leaves it open.\n');
  if (keep) await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  await mailbox.close();
}

/** @type {(url: string, mail: import('../src/smtp-server/hooks.ts').ReceivedMail) => Promise<void>} */
async function show(url, { envelope, bytes }) {
  const body = {
    envelope: { from: envelope.mailFrom, to: envelope.rcptTo },
    source: Buffer.from(bytes).toString('base64'),
  };
  const headers = { 'content-type': 'application/json' };
  await fetch(`${url}/api/messages`, { method: 'POST', headers, body: JSON.stringify(body) });
}

/**
 * Sends the mails one by one and prints each result. Returns whether all were sent.
 * @type {(
 *   connection: import('../src/index.ts').EmailBackend,
 *   mails: readonly import('./lib/demo-mails.js').DemoMail[],
 *   takeArrived: () => Promise<readonly import('../src/smtp-server/hooks.ts').ReceivedMail[]>,
 * ) => Promise<boolean>}
 */
async function sendAll(connection, mails, takeArrived) {
  let allSent = true;
  try {
    for (const [i, { title, message }] of mails.entries()) {
      printTitle(i + 1, title);
      const start = performance.now();
      const status = await connection.sendMessages([message]).catch((error) => {
        if (error instanceof SendError && error.status !== null) return error.status;
        throw error;
      });
      allSent &&= status.isSuccess;
      printStatus(status, performance.now() - start);
      for (const mail of await takeArrived()) await printArrival(mail);
    }
  } finally {
    await connection.close();
  }
  return allSent;
}
