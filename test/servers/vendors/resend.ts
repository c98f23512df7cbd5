import { Buffer } from 'node:buffer';
import type { Table } from '../strict-shape.ts';
import { type AskedMail, bare, mailOf, type Vendor } from '../strict-vendor.ts';

// https://resend.com/docs/api-reference/emails/send-email, read 2026-11-30
const EMAIL: Table = {
  'from!': 'filled',
  'to!': ['filled'],
  cc: ['filled'],
  bcc: ['filled'],
  reply_to: ['filled'],
  subject: 'text',
  text: 'text',
  html: 'text',
  headers: 'texts',
  tags: [{ 'name!': 'filled', 'value!': 'text' }],
  attachments: [{ filename: 'filled', 'content!': 'base64', content_type: 'filled', content_id: 'filled' }],
  template: { 'id!': 'filled', variables: 'json' },
  scheduled_at: 'filled',
  topic_id: 'filled',
};
// https://resend.com/docs/api-reference/emails/send-batch-emails, read 2026-11-30
const { attachments: _, scheduled_at: __, ...BATCHED } = EMAIL;

interface Email {
  readonly from: string;
  readonly to: string[];
  readonly cc?: string[];
  readonly bcc?: string[];
  readonly reply_to?: string[];
  readonly subject?: string;
  readonly text?: string;
  readonly html?: string;
  readonly headers?: Record<string, string>;
  readonly template?: object;
  readonly attachments?: { filename?: string; content: string; content_type: string; content_id?: string }[];
}

const asMail = ({ from, to, cc = [], bcc = [], ...email }: Email): AskedMail =>
  mailOf([...to, ...cc, ...bcc].map(bare), {
    fromEmail: from,
    to,
    cc,
    subject: email.subject ?? '',
    body: email.text ?? '',
    htmlBody: email.html ?? null,
    replyTo: email.reply_to ?? [],
    headers: email.headers ?? {},
    attachments: (email.attachments ?? []).map(({ filename, content, content_type, content_id }) => ({
      filename: filename ?? null,
      content: Buffer.from(content, 'base64'),
      mimetype: content_type,
      contentId: content_id ?? null,
    })),
  });

const error = (status: number, name: string, message: string) => ({
  status,
  body: { statusCode: status, name, message },
});

/** Resend. */
export const resend: Vendor = {
  isKnown: ({ authorization }) => authorization === 'Bearer re_123',
  key: ({ headers }) => headers['idempotency-key'],
  fault: (status, message) => error(status, status === 401 ? 'missing_api_key' : 'validation_error', message),
  endpoints: {
    '/emails': {
      shape: EMAIL,
      mails: (email: Email) => [[asMail(email)]],
      answer: ([refused], [id]) =>
        refused ? error(422, 'validation_error', `Invalid to: ${refused}`) : { body: { id } },
    },
    '/emails/batch': {
      shape: [BATCHED],
      mails: (emails: Email[]) => emails.map((email) => [asMail(email)]),
      answer: (outcomes, ids) => ({
        body: {
          data: ids.flatMap((id, index) => (outcomes[index] === null ? [{ id }] : [])),
          errors: outcomes.flatMap((refused, index) =>
            refused === null ? [] : [{ index, message: `Invalid to: ${refused}` }],
          ),
        },
      }),
    },
  },
};
