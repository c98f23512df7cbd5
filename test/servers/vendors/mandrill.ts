import type { HttpReply } from '../scripted-http.ts';
import { splitAddresses } from '../split-addresses.ts';
import type { Table } from '../strict-shape.ts';
import { type AskedMail, mailOf, type Vendor } from '../strict-vendor.ts';

const FILE: Table = { 'type!': 'filled', 'name!': 'filled', 'content!': 'base64' };
const VARIABLE: Table = { 'name!': 'filled', 'content!': 'text' };
const MESSAGE: Table = {
  html: 'filled',
  text: 'text',
  subject: 'text',
  'from_email!': 'filled',
  from_name: 'filled',
  'to!': [{ 'email!': 'filled', name: 'filled', type: 'filled' }],
  headers: 'texts',
  important: 'boolean',
  track_opens: 'boolean',
  track_clicks: 'boolean',
  preserve_recipients: 'boolean',
  global_merge_vars: [VARIABLE],
  merge_vars: [{ 'rcpt!': 'filled', vars: [VARIABLE] }],
  merge_language: 'filled',
  tags: ['filled'],
  subaccount: 'filled',
  metadata: 'texts',
  attachments: [FILE],
  images: [FILE],
};
// https://github.com/mailchimp/mailchimp-client-lib-codegen, spec/transactional.json at 005d940, read 2026-11-30
const SEND: Table = { 'key!': 'filled', 'message!': MESSAGE, async: 'boolean', ip_pool: 'filled', send_at: 'filled' };
const { html: _, ...TEMPLATE_MESSAGE } = MESSAGE;
const SEND_TEMPLATE: Table = {
  ...SEND,
  'template_name!': 'filled',
  'template_content!': [{ 'name!': 'filled', 'content!': 'text' }],
  'message!': TEMPLATE_MESSAGE,
};

interface Person {
  readonly email: string;
  readonly name?: string;
  readonly type?: 'to' | 'cc' | 'bcc';
}
interface File {
  readonly type: string;
  readonly name: string;
  readonly content: string;
}
interface Message {
  readonly html?: string;
  readonly text?: string;
  readonly subject?: string;
  readonly from_email: string;
  readonly from_name?: string;
  readonly to: Person[];
  readonly headers?: Record<string, string>;
  readonly preserve_recipients?: boolean;
  readonly attachments?: File[];
  readonly images?: File[];
}

const box = ({ email, name }: Person) => (name === undefined ? email : { name, address: email });

/** As Mandrill would send it to these, who see those in to and cc. */
function asMail(message: Message, recipients: readonly Person[]): AskedMail {
  const { 'Reply-To': replyTo = '', ...headers } = message.headers ?? {};
  const of = (type: string) => recipients.filter((person) => (person.type ?? 'to') === type).map(box);
  const file = ({ type, name, content }: File) => ({
    filename: name,
    content: Buffer.from(content, 'base64'),
    mimetype: type,
  });
  return mailOf(
    recipients.map(({ email }) => email),
    {
      fromEmail: box({
        email: message.from_email,
        ...(message.from_name !== undefined && { name: message.from_name }),
      }),
      to: of('to'),
      cc: of('cc'),
      replyTo: splitAddresses(replyTo),
      subject: message.subject ?? '',
      body: message.text ?? '',
      htmlBody: message.html ?? null,
      headers,
      attachments: [
        ...(message.attachments ?? []).map(file),
        ...(message.images ?? []).map((image) => ({ ...file(image), filename: 'logo.png', contentId: image.name })),
      ],
    },
  );
}

const endpoint = (shape: Table) => ({
  shape,
  mails: ({ message }: { message: Message }) => [
    message.preserve_recipients === false
      ? message.to.map((person) => asMail(message, [person]))
      : [asMail(message, message.to)],
  ],
  answer: (
    [refused]: readonly (string | null)[],
    [id]: readonly string[],
    [asked]: readonly (readonly AskedMail[])[],
  ): HttpReply => {
    const everybody = (asked ?? []).flatMap(({ recipients }) => recipients);
    return {
      body: everybody.map((email, index) =>
        refused
          ? { email, status: 'rejected', reject_reason: email === refused ? 'hard-bounce' : 'rule' }
          : { email, status: 'sent', _id: `${id}-${index}`, reject_reason: null },
      ),
    };
  },
});

/** Mailchimp Transactional, known as Mandrill. */
export const mandrill: Vendor = {
  isKnown: (_headers, body) => (body as { readonly key?: string }).key === 'md-0123456789abcdefghij',
  fault: (status, message) => {
    const name = status === 401 ? 'Invalid_Key' : status === 403 ? 'PaymentRequired' : 'ValidationError';
    return { status: 500, body: { status: 'error', code: -1, name, message } };
  },
  endpoints: { '/messages/send': endpoint(SEND), '/messages/send-template': endpoint(SEND_TEMPLATE) },
};
