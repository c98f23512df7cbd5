import { messageFromEml } from '../../mime/read/message-from-eml.ts';
import { EmailError, MessageError } from '../../model/errors.ts';
import type { EmailMessageDraft, EmailMessageInit } from '../../model/message-init.ts';
import type { SendStatus } from '../../model/status.ts';
import { TEMPLATE_OPTIONS } from '../bulk/bulk-mail.ts';
import { RUN_OPTIONS, sendBulk } from '../bulk/send-bulk.ts';
import { type Command, type CommandOptions, defineCommand, type OptionValues } from '../command.ts';
import { CONNECTION_OPTIONS, connectionOf } from '../connection-options.ts';
import { failureOf, UsageError } from '../failure.ts';
import { type Output, STATUS_COLORS } from '../output.ts';
import { isPiped, readBytes, readText } from '../read-file.ts';
import { draftOf, MAIL_OPTIONS, wrongMail } from './mail-options.ts';

/** The options that give a mail's body, or a whole mail. */
export const BODY_OPTIONS = {
  text: { value: 'FILE', help: 'the text; - is stdin, which is read by itself when nothing else is given' },
  html: { value: 'FILE', help: 'the HTML' },
  eml: { value: 'FILE', help: 'a whole mail; - is stdin; other options replace what it says, files are added' },
} as const;

const OPTIONS = {
  ...MAIL_OPTIONS,
  ...BODY_OPTIONS,
  ...RUN_OPTIONS,
  ...TEMPLATE_OPTIONS,
  ...CONNECTION_OPTIONS,
} as const satisfies CommandOptions;
type Values = OptionValues<typeof OPTIONS>;

/** `amsdal-mail send`: sends a mail and prints what happened to every recipient. */
export const sendCommand: Command = defineCommand({
  name: 'send',
  about: 'Sends a mail and prints what happened to every recipient.',
  options: OPTIONS,
  notes:
    'With --csv, the run is recorded in a journal: the same command goes on where it was interrupted, and sends no row twice. Rows\n' +
    'that were under way when a run was killed are in doubt; they are listed, and sent again by --resend-unknown only.\n\n' +
    'Exit codes: 0 everybody was sent the mail; 1 somebody was refused, or nobody knows; 2 the command line is wrong;\n' +
    '69 no mailbox is where --emulate says; 75 trying again may help: of one mail nothing was sent, of a run some rows\n' +
    'may still be; 130 and 143 a run was stopped by SIGINT or SIGTERM.',
  examples: [
    "echo 'The backup is done.' | amsdal-mail send --from ops@example.com --to me@example.com --subject Backup",
    "amsdal-mail send --to 'Jane <jane@example.org>' --subject 'Your invoice' --text mail.txt --attach invoice.pdf",
    'amsdal-mail send --eml mail.eml --backend smtp --debug',
    'RESEND_API_KEY=test amsdal-mail send --eml mail.eml --backend resend --emulate',
    "amsdal-mail send --csv people.csv --template mail.html --subject 'Hi {{name}}' --dry-run",
    "amsdal-mail send --csv people.csv --template mail.html --subject 'Hi {{name}}' --to '{{name}} <{{mail}}>' --rate 10/s",
  ],
  run: ({ values, output }) => (isBulk(values) ? sendBulk(values.csv, values, output) : sendOne(values, output)),
});

/** @throws {UsageError} for an option of the other kind of sending */
function isBulk(values: Values): values is Values & { readonly csv: string } {
  const others = values.csv === undefined ? { ...RUN_OPTIONS, ...TEMPLATE_OPTIONS } : BODY_OPTIONS;
  const foreign = Object.keys(others).find((name) => Reflect.get(values, name) !== undefined);
  if (foreign !== undefined)
    throw new UsageError(
      values.csv === undefined
        ? `--${foreign} needs --csv`
        : `--csv needs --template or --text-template, not --${foreign}`,
    );
  return values.csv !== undefined;
}

async function sendOne(values: Values, output: Output): Promise<number> {
  const draft = readDraft(values);
  const connection = await connectionOf(values, output.isJson);
  try {
    const status = await connection.sendMessages([draft]);
    show(status, output);
    return status.isSuccess ? 0 : 1;
  } catch (error) {
    if (error instanceof MessageError && error.code === 'invalid-message' && values.eml === undefined)
      throw wrongMail(error);
    const failure = failureOf(error);
    if (failure === null || !(error instanceof EmailError) || error.status === null) throw error;
    show(error.status, output);
    output.note(failure.line);
    return failure.exitCode;
  } finally {
    await connection.close();
  }
}

/** The mail that the options of `send` describe. @throws {UsageError} when they are not enough, or contradict each other */
export function readDraft(values: OptionValues<typeof MAIL_OPTIONS & typeof BODY_OPTIONS>): EmailMessageDraft {
  const { text, html, eml } = values;
  const own = draftOf(values);
  if (eml !== undefined) {
    if (text !== undefined || html !== undefined)
      throw new UsageError('--eml is a whole mail: leave out --text and --html');
    return joinDrafts(messageFromEml(readBytes('--eml', eml)), own);
  }
  const { subject } = own;
  if (subject === undefined) throw new UsageError('--subject is missing');
  const isPipe = text === undefined && html === undefined && own.attachments === undefined && isPiped();
  if (text === '-' && html === '-') throw new UsageError('--text and --html cannot both be stdin');
  const body = text !== undefined ? readText('--text', text) : isPipe ? readText('--text', '-') : undefined;
  if (body === undefined && html === undefined && own.attachments === undefined)
    throw new UsageError('there is nothing to send: give --text, --html, --eml or --attach, or pipe the text in');
  return {
    ...own,
    subject,
    ...(body !== undefined && { body }),
    ...(html !== undefined && { htmlBody: readText('--html', html) }),
  };
}

/** A whole mail, with the fields that options replace; recipients are replaced together, so that no old one remains. */
function joinDrafts(whole: EmailMessageInit, own: Partial<EmailMessageDraft>): EmailMessageDraft {
  const { fromEmail, ...rest } = whole;
  const replaced = new Set(Object.keys(own.headers ?? {}).map((name) => name.toLowerCase()));
  const kept = Object.entries(whole.headers ?? {}).filter(([name]) => !replaced.has(name.toLowerCase()));
  return {
    ...rest,
    ...(fromEmail !== '' && { fromEmail }),
    ...((own.to ?? own.cc ?? own.bcc) !== undefined && { to: [], cc: [], bcc: [] }),
    ...own,
    headers: { ...Object.fromEntries(kept), ...own.headers },
    attachments: [...(whole.attachments ?? []), ...(own.attachments ?? [])],
  };
}

function show(status: SendStatus, output: Output): void {
  output.json(status);
  output.table(
    [...status.recipients.values()].map(({ address, status: outcome, code, enhancedCode, response, error }) => {
      const reason = response ?? (error === status.error ? null : error?.message);
      const said = [code, enhancedCode, reason].filter((part) => part != null);
      return [[STATUS_COLORS[outcome], outcome], address, said.join(' ')];
    }),
  );
}
