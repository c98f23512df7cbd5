import { MessageError, type MessageIssue } from '../../model/errors.ts';
import { type ContentPart, type MailData, partsOf } from './mail.ts';

const WHOLE_MAIL: Readonly<Record<'raw' | 'auth' | 'ses' | 'dkim', string>> = {
  raw: 'a mail that is composed already cannot be composed anew: read it with EmailMessage.fromEml, or use a transport of Nodemailer',
  auth: 'log in with the options of the connection',
  ses: 'give it as an option of the ses connection',
  dkim: 'sign with the option dkim of the connection',
};

/**
 * Refuses, before anything is read or sent, whatever a message of ours cannot express, and contents that `disableFileAccess` and
 * `disableUrlAccess` forbid, which old versions of Nodemailer do not check here.
 *
 * @param mailer Nodemailer's mailer, whose plugins and DKIM signing would apply to a body that is not sent.
 * @throws {MessageError} `unsupported-feature` with the path of every such field.
 */
export function refuseUnsupported(data: MailData, mailer: object): void {
  const issues: MessageIssue[] = [];
  const add = (path: string, message: string) => issues.push({ path, code: 'unsupported', message });
  for (const [field, advice] of Object.entries(WHOLE_MAIL))
    if (data[field as keyof typeof WHOLE_MAIL]) add(field, advice);
  const { dkim, _userPlugins: plugins } = mailer as MailerParts;
  if (dkim) add('dkim', WHOLE_MAIL.dkim);
  if (plugins?.stream?.length) add('use', "plugins of the step 'stream' change a body that is not sent: use 'compile'");
  for (const [path, part] of partsOf(data)) {
    if (part.raw) add(`${path}.raw`, 'a part that is composed already cannot be composed anew: give its content');
    if (Object.keys(part.headers ?? {}).length > 0)
      add(`${path}.headers`, 'a part has no headers of its own: remove them');
    const { isFile, isUrl } = sourceOf(part);
    if (isFile && data.disableFileAccess) add(path, 'disableFileAccess forbids to read a file');
    if (isUrl && data.disableUrlAccess) add(path, 'disableUrlAccess forbids to load a URL');
    if (path.startsWith('alternatives') && part.filename)
      add(`${path}.filename`, 'an alternative has no file name: remove it, or make it an attachment');
  }
  if (issues.length > 0) throw new MessageError(issues, { code: 'unsupported-feature' });
}

/** Where Nodemailer keeps a transporter's DKIM signing and plugins. */
interface MailerParts {
  readonly dkim?: unknown;
  readonly _userPlugins?: { readonly stream?: readonly unknown[] };
}

function sourceOf(part: ContentPart): { readonly isFile: boolean; readonly isUrl: boolean } {
  const { path, href } = (part.content || part) as ContentPart; // the source may also be in the content
  const text = typeof path === 'string' ? path : '';
  const isWeb = /^https?:/i.test(text);
  const isInline = /^data:/i.test(text || String(href ?? ''));
  return { isFile: text !== '' && !isWeb && !isInline, isUrl: isWeb || (Boolean(href) && !isInline) };
}
