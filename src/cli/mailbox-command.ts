import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { stderr, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { getConnection } from '../connection.ts';
import { type Mailbox, type MailboxOptions, startMailbox } from '../mailbox/index.ts';
import { type Command, UsageError } from './command.ts';

const HELP = `Usage: amsdal-mail mailbox [options]

Catches every mail that is sent to it and shows it in a page. Nothing leaves this machine.

  --port 8025            the port of the page; 0 is a free one
  --smtp-port 1025       the port that takes mail by SMTP; 0 is a free one
  --host 127.0.0.1       the address to listen on; others than this machine's own let others read the mails
  --allowed-host NAME    another name the page is opened by; may be repeated
  --folder DIR           keep the mails there as .eml files
  --max-messages 10000   keep so many; then the oldest give way
  --previews emails      the folder of templates that export preview()
  --tls-key FILE --tls-cert FILE   for STARTTLS; else a certificate is made when node-forge is installed
  --release-to ADDRESS   let caught mails be sent on to this address, or to *@example.com; may be repeated
  --release-via URL      by this connection, such as smtps://user:password@host; else by that of the environment
  --allow-production     start even though NODE_ENV is production
  --json                 print the addresses as JSON

Examples:
  npx amsdal-mail mailbox
  npx amsdal-mail mailbox --folder ./caught --release-to me@example.com
  AMSDAL_EMAIL_BACKEND=mailbox npm run dev
`;

const OPTIONS = {
  port: { type: 'string' },
  'smtp-port': { type: 'string' },
  host: { type: 'string' },
  'allowed-host': { type: 'string', multiple: true },
  folder: { type: 'string' },
  'max-messages': { type: 'string' },
  previews: { type: 'string' },
  'tls-key': { type: 'string' },
  'tls-cert': { type: 'string' },
  'release-to': { type: 'string', multiple: true },
  'release-via': { type: 'string' },
  'allow-production': { type: 'boolean' },
  json: { type: 'boolean' },
} as const;

/** `amsdal-mail mailbox`: runs the development mailbox until it is interrupted. */
export const mailboxCommand: Command = {
  help: HELP,
  async run(args) {
    const { options, isJson } = readOptions(args);
    const mailbox = await startMailbox(options);
    announce(mailbox, isJson);
    await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
    await mailbox.close();
    return 0;
  },
};

function readOptions(args: readonly string[]): { readonly options: MailboxOptions; readonly isJson: boolean } {
  const { values } = parse(args);
  const numbers = { port: values.port, smtpPort: values['smtp-port'], maxMessages: values['max-messages'] };
  const given = {
    ...Object.fromEntries(Object.entries(numbers).map(([name, text]) => [name, numberOf(name, text)])),
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
  const options: MailboxOptions = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return { options, isJson: values.json === true };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS });
  } catch (error) {
    throw new UsageError(
      `${error instanceof Error ? error.message : error}; amsdal-mail mailbox --help lists the options`,
    );
  }
}

function numberOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new UsageError(`${name} must be a number, got ${text}`);
}

function certificateOf(key: string | undefined, cert: string | undefined): MailboxOptions['tls'] {
  if (key === undefined && cert === undefined) return undefined;
  if (key === undefined || cert === undefined) throw new UsageError('--tls-key and --tls-cert belong together');
  try {
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  } catch (error) {
    throw new UsageError(`the certificate cannot be read: ${error instanceof Error ? error.message : error}`);
  }
}

function announce({ url, smtp }: Mailbox, isJson: boolean): void {
  if (isJson) {
    stdout.write(`${JSON.stringify({ url, smtp })}\n`);
    return;
  }
  stdout.write(`\n  Mailbox   ${url}\n`);
  if (smtp !== null) {
    const tls = smtp.startTls ? 'STARTTLS, any user and password' : 'any user and password';
    stdout.write(`  SMTP      ${smtp.host}:${smtp.port}  (${tls})\n`);
    if (!smtp.startTls) stderr.write('  STARTTLS is off: npm install node-forge, or give --tls-key and --tls-cert.\n');
  }
  stdout.write('\n  Ctrl+C ends it.\n\n');
}
