import { type AttachmentInit, EmailMessage } from '../../src/index.ts';
import { composeMessage } from '../../src/mime/compose/compose.ts';
import { composeStream } from '../../src/mime/compose/compose-stream.ts';
import { Random } from './random.ts';

/** A mail of a case: what is sent, and what must arrive. */
export interface TrialMail {
  readonly message: EmailMessage;
  readonly messageId: string;
  readonly sender: string;
  readonly recipients: readonly string[];
  /** As {@link readable} makes it of what was taken. */
  readonly content: string;
  /** The last octets of the content, which no other mail has; null when they are chosen anew each time. */
  readonly end: string | null;
}

/** More than the client sends in one piece. */
const LARGE = 66_000;

/** Mails of which each has addresses, an id and a content of its own; the content names its recipients. */
export async function makeMails(count: number, random: Random): Promise<TrialMail[]> {
  const largeShare = random.pick([0, 0.05, 0.25]);
  const streamedShare = random.pick([0, 0, 0, 0.1]);
  const mails: TrialMail[] = [];
  for (let number = 1; number <= count; number++) {
    const recipients = random.pick([1, 1, 1, 2, 3, 5]);
    const attachments = random.chance(streamedShare) ? [streamed(number, random)] : [];
    mails.push(await makeMail(number, random, { recipients, isLarge: random.chance(largeShare), attachments }));
  }
  return mails;
}

/** Small mails to one recipient each. */
export function makeSmallMails(count: number): Promise<TrialMail[]> {
  const random = new Random(count);
  return Promise.all(Array.from({ length: count }, (_, at) => makeMail(at + 1, random, { recipients: 1 })));
}

/** A content without what is chosen anew each time that it is composed. */
export function readable(content: string): string {
  return content.replace(/=_(\d+)_[\w.-]+/g, '=_$1_');
}

interface MailKind {
  readonly recipients: number;
  readonly isLarge?: boolean;
  readonly attachments?: readonly AttachmentInit[];
}

async function makeMail(number: number, random: Random, kind: MailKind): Promise<TrialMail> {
  const { isLarge = false, attachments = [] } = kind;
  const sender = `from-${number}@example.com`;
  const recipients = Array.from({ length: kind.recipients }, (_, at) => `${'abcde'[at]}-${number}@example.org`);
  const messageId = `mail-${number}@example.com`;
  const lines = Array.from({ length: random.integer(0, 6) }, () =>
    random.pick(['.', '..', '.dot', '', 'a line', '. .']),
  );
  if (isLarge) lines.push(...Array.from({ length: LARGE / 50 }, (_, at) => `.line ${at} `.padEnd(48, 'x')));
  const message = new EmailMessage({
    subject: `Mail ${number}`,
    body: [`For ${recipients.join(' ')}`, ...lines, `end of ${number}`, ''].join('\n'),
    fromEmail: sender,
    to: recipients,
    date: new Date(0),
    messageId,
    attachments,
  });
  const end = attachments.length > 0 ? null : `\r\nend of ${number}\r\n`;
  return { message, messageId, sender, recipients, content: readable(await compose(message)), end };
}

async function compose(message: EmailMessage): Promise<string> {
  if (message.attachments.length === 0) return Buffer.from(composeMessage(message)).toString('latin1');
  let content = '';
  for await (const chunk of composeStream(message)) content += Buffer.from(chunk).toString('latin1');
  return content;
}

function streamed(number: number, random: Random): AttachmentInit {
  const chunks = Array.from({ length: random.integer(0, 5) }, (_, at) => `chunk ${at} of ${number}\r\n`);
  const open = async function* () {
    for (const chunk of chunks) yield Buffer.from(chunk);
  };
  return { filename: 'log.txt', content: open };
}
