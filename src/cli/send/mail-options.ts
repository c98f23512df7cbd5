import { Attachment } from '../../model/attachment.ts';
import { MessageError } from '../../model/errors.ts';
import type { EmailMessageDraft } from '../../model/message-init.ts';
import type { OptionValues } from '../command.ts';
import { UsageError } from '../failure.ts';

/** The options that describe a mail, single or bulk. */
export const MAIL_OPTIONS = {
  from: { value: 'ADDRESS', help: "'Shop <shop@example.com>'; default: AMSDAL_EMAIL_FROM" },
  to: { value: 'ADDRESS', many: true, help: "who it is to; with --csv by default '{{email}}'" },
  cc: { value: 'ADDRESS', many: true, help: 'a copy' },
  bcc: { value: 'ADDRESS', many: true, help: 'a copy that the others do not see' },
  'reply-to': { value: 'ADDRESS', many: true, help: 'where answers go' },
  subject: { value: 'TEXT', help: 'the subject' },
  attach: { value: 'FILE', many: true, help: 'a file to attach' },
  header: { value: "'NAME: VALUE'", many: true, help: 'a further header' },
} as const;

/** The message fields that {@link MAIL_OPTIONS} give. */
export function draftOf(values: OptionValues<typeof MAIL_OPTIONS>): Partial<EmailMessageDraft> {
  const { from, to, cc, bcc, subject, attach, header } = values;
  const given = {
    fromEmail: from,
    to,
    cc,
    bcc,
    replyTo: values['reply-to'],
    subject,
    attachments: attach?.map(attachmentOf),
    headers: header && headersOf(header),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

const OPTION_OF: Readonly<Record<string, keyof typeof MAIL_OPTIONS | 'text' | 'html'>> = {
  fromEmail: 'from',
  replyTo: 'reply-to',
  headers: 'header',
  attachments: 'attach',
  body: 'text',
  htmlBody: 'html',
};

/** The faults of a mail, under the names of the options they come from. */
export function wrongMail(error: MessageError): UsageError {
  const faults = error.issues.map(({ path, code, message }) => {
    const [field = ''] = path.split(/[.[]/);
    if (field === 'fromEmail' && code === 'required') return '--from is missing: give it, or set AMSDAL_EMAIL_FROM';
    return `--${OPTION_OF[field] ?? field}: ${message.replace('pass an array of strings', 'repeat the option')}`;
  });
  return new UsageError(faults.join('; '));
}

function attachmentOf(path: string): Attachment {
  try {
    return Attachment.fromFile(path);
  } catch (error) {
    if (!(error instanceof MessageError)) throw error;
    throw new UsageError(`--attach: ${error.issues.map(({ message }) => message).join('; ')}`);
  }
}

function headersOf(lines: readonly string[]): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0)).trim();
    if (name === '') throw new UsageError(`--header must be 'Name: value', got ${line}`);
    if (Object.hasOwn(headers, name)) throw new UsageError(`--header ${name} is given twice`);
    headers[name] = line.slice(colon + 1).trim();
  }
  return headers;
}
