import type { Table } from '../strict-shape.ts';
import { type AskedMail, mailOf, type Vendor } from '../strict-vendor.ts';

const PERSON: Table = { 'email!': 'filled', name: 'filled' };
// https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send, read 2026-11-30
const MAIL: Table = {
  'personalizations!': [
    {
      'to!': [PERSON],
      cc: [PERSON],
      bcc: [PERSON],
      custom_args: 'texts',
      dynamic_template_data: 'json',
    },
  ],
  'from!': PERSON,
  reply_to: PERSON,
  reply_to_list: [PERSON],
  subject: 'text',
  content: [{ 'type!': 'filled', 'value!': 'text' }],
  attachments: [
    { 'content!': 'base64', 'filename!': 'filled', type: 'filled', disposition: 'filled', content_id: 'filled' },
  ],
  template_id: 'filled',
  headers: 'texts',
  categories: ['filled'],
  send_at: 'integer',
  tracking_settings: {
    click_tracking: { enable: 'boolean', enable_text: 'boolean' },
    open_tracking: { enable: 'boolean' },
  },
  mail_settings: { sandbox_mode: { enable: 'boolean' } },
  asm: { 'group_id!': 'integer' },
};

type Person = { readonly email: string; readonly name?: string };
interface Mail {
  readonly personalizations: { to: Person[]; cc?: Person[]; bcc?: Person[] }[];
  readonly from: Person;
  readonly reply_to?: Person;
  readonly reply_to_list?: Person[];
  readonly subject?: string;
  readonly content?: { type: string; value: string }[];
  readonly headers?: Record<string, string>;
  readonly attachments?: { content: string; filename: string; type: string; content_id?: string }[];
  readonly mail_settings?: object;
}

const box = ({ email, name }: Person) => (name === undefined ? email : { name, address: email });

function mailsOf(mail: Mail): readonly AskedMail[] {
  return mail.personalizations.map(({ to, cc = [], bcc = [] }) => {
    const addresses = [...to, ...cc, ...bcc].map(({ email }) => email);
    if (new Set(addresses.map((address) => address.toLowerCase())).size < addresses.length)
      throw new Error('an address twice');
    const replyTo = mail.reply_to_list ?? (mail.reply_to ? [mail.reply_to] : []);
    return mailOf(addresses, {
      fromEmail: box(mail.from),
      to: to.map(box),
      cc: cc.map(box),
      replyTo: replyTo.map(box),
      subject: mail.subject ?? '',
      body: mail.content?.find(({ type }) => type === 'text/plain')?.value ?? '',
      htmlBody: mail.content?.find(({ type }) => type === 'text/html')?.value ?? null,
      headers: mail.headers ?? {},
      attachments: (mail.attachments ?? []).map(({ content, filename, type, content_id }) => ({
        filename,
        content: Buffer.from(content, 'base64'),
        mimetype: type,
        contentId: content_id ?? null,
      })),
    });
  });
}

/** Twilio SendGrid. */
export const sendgrid: Vendor = {
  isKnown: ({ authorization }) => authorization === 'Bearer SG.key.secret',
  fault: (status, message) => ({ status, body: { errors: [{ message, field: null, help: null }] } }),
  endpoints: {
    '/v3/mail/send': {
      shape: MAIL,
      mails: (mail: Mail) => [mailsOf(mail)],
      answer: ([refused], [id = '']) =>
        refused
          ? {
              status: 400,
              body: {
                errors: [{ message: 'Does not contain a valid address.', field: 'personalizations.0.to.0.email' }],
              },
            }
          : { status: 202, headers: { 'x-message-id': id }, body: '' },
    },
  },
};
