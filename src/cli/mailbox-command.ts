import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { getConnection } from '../connection/connection.ts';
import { type Mailbox, type MailboxOptions, startMailbox } from '../mailbox/index.ts';
import { reasonOf } from '../util/reason.ts';
import { type Command, type CommandOptions, defineCommand, numberOf, type OptionValues } from './command.ts';
import { UsageError } from './failure.ts';
import type { Output } from './output.ts';

const OPTIONS = {
  port: { value: '8025', help: 'the port of the page; 0 is a free one' },
  'smtp-port': { value: '1025', help: 'the port that takes mail by SMTP; 0 is a free one' },
  host: {
    value: '127.0.0.1',
    help: "the address to listen on; others than this machine's own let others read the mails",
  },
  'allowed-host': { value: 'NAME', many: true, help: 'another name the page is opened by' },
  folder: { value: 'DIR', help: 'keep the mails there as .eml files' },
  'max-messages': { value: '10000', help: 'how many to keep; the oldest give way' },
  previews: { value: 'DIR', help: 'the folder of templates that export preview(); default: emails' },
  'tls-key': { value: 'FILE', help: 'for STARTTLS; else a certificate is made when node-forge is installed' },
  'tls-cert': { value: 'FILE', help: 'the certificate of that key' },
  'release-to': {
    value: 'ADDRESS',
    many: true,
    help: 'let caught mails be sent on to this address, or to *@example.com',
  },
  'release-via': {
    value: 'URL',
    help: 'by this connection, such as smtps://user:password@host; else by that of the environment',
  },
  'allow-production': { help: 'start even though NODE_ENV is production' },
} as const satisfies CommandOptions;

/** `amsdal-mail mailbox`: runs the development mailbox until it is interrupted. */
export const mailboxCommand: Command = defineCommand({
  name: 'mailbox',
  about: 'Catches every mail that is sent to it and shows it in a page. Nothing leaves this machine.',
  options: OPTIONS,
  examples: [
    'npx amsdal-mail mailbox',
    'npx amsdal-mail mailbox --folder ./caught --release-to me@example.com',
    'AMSDAL_EMAIL_BACKEND=mailbox npm run dev',
  ],
  async run({ values, output }) {
    const mailbox = await startMailbox(optionsOf(values));
    announce(mailbox, output);
    await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
    await mailbox.close();
    return 0;
  },
});

function optionsOf(values: OptionValues<typeof OPTIONS>): MailboxOptions {
  if (values['release-via'] !== undefined && values['release-to'] === undefined)
    throw new UsageError('--release-via needs --release-to: nothing is sent on but to addresses that are named');
  const given = {
    port: numberOf('port', values.port),
    smtpPort: numberOf('smtp-port', values['smtp-port']),
    maxMessages: numberOf('max-messages', values['max-messages']),
    host: values.host,
    allowedHosts: values['allowed-host'],
    folder: values.folder,
    previews: values.previews,
    tls: certificateOf(values['tls-key'], values['tls-cert']),
    release: values['release-to'] && {
      to: values['release-to'],
      connection: getConnection(values['release-via']),
    },
    allowProduction: values['allow-production'],
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function certificateOf(key: string | undefined, cert: string | undefined): MailboxOptions['tls'] {
  if (key === undefined && cert === undefined) return undefined;
  if (key === undefined || cert === undefined) throw new UsageError('--tls-key and --tls-cert belong together');
  try {
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  } catch (error) {
    throw new UsageError(`the certificate cannot be read: ${reasonOf(error)}`);
  }
}

function announce({ url, smtp }: Mailbox, output: Output): void {
  output.json({ url, smtp });
  output.line(`\n  Mailbox   ${url}`);
  if (smtp !== null) {
    const tls = smtp.startTls ? 'STARTTLS, any user and password' : 'any user and password';
    output.line(`  SMTP      ${smtp.host}:${smtp.port}  (${tls})`);
    if (!smtp.startTls) output.note('  STARTTLS is off: npm install node-forge, or give --tls-key and --tls-cert.');
  }
  output.line('\n  Ctrl+C ends it.\n');
}
