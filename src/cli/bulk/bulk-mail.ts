import { hash } from 'node:crypto';
import { type AddressInput, AddressSyntaxError, addressKey, parseMailbox } from '../../model/address.ts';
import type { Attachment } from '../../model/attachment.ts';
import { MessageError } from '../../model/errors.ts';
import { EmailMessage } from '../../model/message.ts';
import type { EmailMessageDraft } from '../../model/message-init.ts';
import type { OptionValues } from '../command.ts';
import { UsageError } from '../failure.ts';
import { readText } from '../read-file.ts';
import { draftOf, type MAIL_OPTIONS, wrongMail } from '../send/mail-options.ts';
import { Columns, escapeHtml, type Merge } from './merge-template.ts';

/** The options that only bulk mail has. */
export const TEMPLATE_OPTIONS = {
  template: { value: 'FILE', help: 'with --csv: the HTML, in which {{column}} is replaced and escaped' },
  'text-template': { value: 'FILE', help: 'with --csv: the text, in which {{column}} is replaced' },
} as const;

type Values = OptionValues<typeof MAIL_OPTIONS & typeof TEMPLATE_OPTIONS>;

/** The mail that every row of a file gets. */
export interface BulkMail {
  /** A row's mail. */
  draft(cells: readonly string[]): EmailMessageDraft;
  /** A row's recipients, for display. */
  to(cells: readonly string[]): string;
  /** The addresses in a row's To, for comparison; empty when one cannot be read, or the row makes no valid mail. */
  keys(cells: readonly string[]): readonly string[];
  /** Fingerprint of a row's mail: templates, options and the cells they use. */
  hash(cells: readonly string[]): string;
}

/**
 * Reads the templates and checks them against the columns.
 *
 * @param diversions where mails go instead of to their recipients
 * @throws {UsageError} for a file that cannot be read, or a column that does not exist
 */
export async function compileMail(
  values: Values,
  names: readonly string[],
  diversions: readonly string[],
): Promise<BulkMail> {
  const { template, 'text-template': textTemplate, to = ['{{email}}'], subject } = values;
  if (subject === undefined) throw new UsageError('--subject is missing');
  if (template === undefined && textTemplate === undefined)
    throw new UsageError('there is no mail: give --template mail.html, --text-template mail.txt, or both');
  if (values.to === undefined && !names.includes('email'))
    throw new UsageError(`no column is named email: say which has the address by --to '{{...}}' (${names.join(', ')})`);
  const columns = new Columns(names);
  const { attachments, headers = {} } = draftOf(values);
  const files = await Promise.all(((attachments as readonly Attachment[]) ?? []).map((file) => file.materialize()));
  const html = template === undefined ? null : readText('--template', template);
  const text = textTemplate === undefined ? null : readText('--text-template', textTemplate);
  const addresses = (option: string, list: readonly string[] = []) =>
    list.map((each) => addressMerge(columns, `--${option}`, each));
  const merges = {
    from: addresses('from', values.from === undefined ? [] : [values.from]),
    to: addresses('to', to),
    cc: addresses('cc', values.cc),
    bcc: addresses('bcc', values.bcc),
    replyTo: addresses('reply-to', values['reply-to']),
    headers: Object.entries(headers).map(([name, value]) => [name, columns.compile('--header', value)] as const),
    subject: columns.compile('--subject', subject),
    html: html === null ? null : columns.compile('--template', html, escapeHtml),
    text: text === null ? null : columns.compile('--text-template', text),
  };
  const contents = files.map(({ filename, content }) => [filename, digest(content as string | Uint8Array)]); // in memory
  const { from, cc, bcc, 'reply-to': replyTo } = values;
  const mailHash = digest(
    JSON.stringify([from, to, cc, bcc, replyTo, subject, html, text, headers, contents, ...diversions]),
  );
  const list = (parts: readonly AddressMerge[], cells: readonly string[]) => parts.map((merge) => merge(cells));
  const mail: BulkMail = {
    draft(cells) {
      const [fromEmail] = list(merges.from, cells);
      return {
        ...(fromEmail !== undefined && { fromEmail }),
        to: list(merges.to, cells),
        cc: list(merges.cc, cells),
        bcc: list(merges.bcc, cells),
        replyTo: list(merges.replyTo, cells),
        subject: merges.subject(cells),
        ...(merges.text !== null && { body: merges.text(cells) }),
        ...(merges.html !== null && { htmlBody: merges.html(cells) }),
        headers: Object.fromEntries(merges.headers.map(([name, merge]) => [name, merge(cells)])),
        attachments: files,
      };
    },
    to: (cells) =>
      list(merges.to, cells)
        .map((each) => (typeof each === 'string' ? each : each.address))
        .join(', '),
    keys: (cells) => (makesMail(mail.draft(cells)) ? keysOf(list(merges.to, cells)) : []),
    hash: (cells) => digest(JSON.stringify([mailHash, columns.used(cells)])).slice(0, 22),
  };
  checkMail(mail, names, values.from);
  return mail;
}

/** Finds what is wrong whatever the row holds, such as a header that cannot be set, before the first row. */
function checkMail(mail: BulkMail, names: readonly string[], from: string | undefined): void {
  try {
    const noAddresses = { cc: [], bcc: [], replyTo: [] };
    const draft = mail.draft(names.map(() => 'x'));
    const fromEmail = from === undefined || from.includes('{{') ? 'x@example.com' : from;
    new EmailMessage({ ...draft, fromEmail, to: 'x@example.com', ...noAddresses });
  } catch (error) {
    throw error instanceof MessageError ? wrongMail(error) : error;
  }
}

/** Whether a mail can be sent; an invalid copy (Cc, Bcc) does not prevent it. */
function makesMail(draft: EmailMessageDraft): boolean {
  try {
    new EmailMessage({ fromEmail: 'x@example.com', ...draft, cc: [], bcc: [] });
    return true;
  } catch (error) {
    if (error instanceof MessageError) return false;
    throw error;
  }
}

type AddressMerge = (cells: readonly string[]) => AddressInput;

/** An address from a template; the name in `{{name}} <{{email}}>` may be any text, and cannot add an address. */
function addressMerge(columns: Columns, option: string, template: string): AddressMerge {
  const [, name, address] = /^(.*?)\s*<([^<>]*)>\s*$/s.exec(template) ?? [];
  if (name === undefined || address === undefined) return columns.compile(option, template);
  const named: Merge = columns.compile(option, name.replace(/^"(.*)"$/s, '$1'));
  const at: Merge = columns.compile(option, address);
  return (cells) => ({ name: named(cells), address: at(cells) });
}

function keysOf(addresses: readonly AddressInput[]): readonly string[] {
  try {
    return addresses.map((address) => addressKey(parseMailbox(address)));
  } catch (error) {
    if (error instanceof AddressSyntaxError) return []; // the row is reported as invalid
    throw error;
  }
}

function digest(data: string | Uint8Array): string {
  return hash('sha256', data, 'base64url');
}
