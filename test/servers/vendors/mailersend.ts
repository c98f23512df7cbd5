import type { Table } from '../strict-shape.ts';
import { type AskedMail, mailOf, type Vendor } from '../strict-vendor.ts';

const PERSON: Table = { 'email!': 'filled', name: 'filled' };
// https://developers.mailersend.com/api/v1/email, read 2026-11-30
const EMAIL: Table = {
  'from!': PERSON,
  'to!': [PERSON],
  cc: [PERSON],
  bcc: [PERSON],
  reply_to: PERSON,
  subject: 'text',
  text: 'text',
  html: 'filled',
  template_id: 'filled',
  language: 'filled',
  attachments: [{ 'filename!': 'filled', 'content!': 'base64', 'disposition!': 'filled', id: 'filled' }],
  tags: ['filled'],
  personalization: [{ 'email!': 'filled', 'data!': 'json' }],
  precedence_bulk: 'boolean',
  send_at: 'integer',
  in_reply_to: 'filled',
  references: ['filled'],
  list_unsubscribe: 'filled',
  settings: { track_clicks: 'boolean', track_opens: 'boolean', track_content: 'boolean' },
  headers: [{ 'name!': 'filled', 'value!': 'text' }],
};

type Person = { readonly email: string; readonly name?: string };
interface Email {
  readonly from: Person;
  readonly to: Person[];
  readonly cc?: Person[];
  readonly bcc?: Person[];
  readonly reply_to?: Person;
  readonly subject?: string;
  readonly text?: string;
  readonly html?: string;
  readonly attachments?: { filename: string; content: string; id?: string }[];
  readonly in_reply_to?: string;
  readonly references?: string[];
  readonly list_unsubscribe?: string;
  readonly headers?: { name: string; value: string }[];
}

const box = ({ email, name }: Person) => (name === undefined ? email : { name, address: email });

function asMail({ from, to, cc = [], bcc = [], ...email }: Email): AskedMail {
  return mailOf(
    [...to, ...cc, ...bcc].map((person) => person.email),
    {
      fromEmail: box(from),
      to: to.map(box),
      cc: cc.map(box),
      replyTo: email.reply_to ? box(email.reply_to) : [],
      subject: email.subject ?? '',
      body: email.text ?? '',
      htmlBody: email.html ?? null,
      inReplyTo: email.in_reply_to ?? null,
      references: email.references ?? [],
      headers: {
        ...(email.list_unsubscribe && { 'List-Unsubscribe': email.list_unsubscribe }),
        ...Object.fromEntries((email.headers ?? []).map(({ name, value }) => [name, value])),
      },
      attachments: (email.attachments ?? []).map(({ filename, content, id }) => ({
        filename,
        content: Buffer.from(content, 'base64'),
        contentId: id ?? null,
      })),
    },
  );
}

/** MailerSend. */
export const mailersend: Vendor = {
  isKnown: ({ authorization }) => authorization === 'Bearer mlsn.123',
  fault: (status, message) => ({ status: status === 400 ? 422 : status, body: { message } }),
  endpoints: {
    '/v1/email': {
      shape: EMAIL,
      mails: (email: Email) => [[asMail(email)]],
      answer: ([refused], [id = '']) => {
        if (refused === null) return { status: 202, headers: { 'x-message-id': id }, body: '' };
        const errors = { 'to.0.email': ['The to.0.email must be a valid email address. #MS42210'] };
        return { status: 422, body: { message: 'The to.0.email must be a valid email address. #MS42210', errors } };
      },
    },
  },
};
