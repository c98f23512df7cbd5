import type { Table } from '../strict-shape.ts';
import { type AskedMail, type Endpoint, mailOf, type Vendor } from '../strict-vendor.ts';

const PERSON: Table = { 'email!': 'filled', name: 'filled' };
// https://github.com/mailtrap/mailtrap-openapi/blob/main/specs/email-sending-transactional.openapi.yml, read 2026-11-30; a category has no
// place beside a template.
const COMMON: Table = {
  'from!': PERSON,
  to: [PERSON],
  cc: [PERSON],
  bcc: [PERSON],
  reply_to: PERSON,
  attachments: [
    { 'content!': 'base64', 'filename!': 'filled', type: 'filled', disposition: 'filled', content_id: 'filled' },
  ],
  headers: 'texts',
  custom_variables: 'texts',
};
const WRITTEN: Table = { ...COMMON, 'subject!': 'filled', text: 'text', html: 'filled', category: 'filled' };
const STORED: Table = { ...COMMON, 'template_uuid!': 'filled', template_variables: 'json' };

type Person = { readonly email: string; readonly name?: string };
interface Email {
  readonly from: Person;
  readonly to?: Person[];
  readonly cc?: Person[];
  readonly bcc?: Person[];
  readonly reply_to?: Person;
  readonly subject?: string;
  readonly text?: string;
  readonly html?: string;
  readonly headers?: Record<string, string>;
  readonly attachments?: { content: string; filename: string; type: string; content_id?: string }[];
}

const box = ({ email, name }: Person) => (name === undefined ? email : { name, address: email });

function asMail({ from, to = [], cc = [], bcc = [], ...email }: Email): AskedMail {
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
      headers: email.headers ?? {},
      attachments: (email.attachments ?? []).map(({ content, filename, type, content_id }) => ({
        filename,
        content: Buffer.from(content, 'base64'),
        mimetype: type,
        contentId: content_id ?? null,
      })),
    },
  );
}

const one = (refused: string | null | undefined, id = '', recipients: readonly string[] = []) =>
  refused
    ? { success: false, errors: [`'to' address ${refused} is invalid`] }
    : { success: true, message_ids: recipients.map((_, index) => `${id}.${index}`) };
const single = (shape: Table): Endpoint => ({
  shape,
  mails: (email: Email) => [[asMail(email)]],
  answer: ([refused], [id], [asked]) => ({
    status: refused ? 400 : 200,
    body: one(refused, id, asked?.[0]?.recipients),
  }),
});
const batch = (shape: Table): Endpoint => ({
  shape: { 'requests!': [shape] },
  mails: ({ requests }: { requests: Email[] }) => requests.map((email) => [asMail(email)]),
  answer: (outcomes, ids, asked) => ({
    body: {
      success: true,
      responses: outcomes.map((refused, index) => one(refused, ids[index], asked[index]?.[0]?.recipients)),
    },
  }),
});

/** Mailtrap, where mails have a stored template, or not. */
export function mailtrapWith(content: 'texts' | 'template'): Vendor {
  const shape = content === 'texts' ? WRITTEN : STORED;
  return {
    isKnown: ({ authorization }) => authorization === 'Bearer 0123456789abcdef0123456789abcdef',
    fault: (status, message) => ({ status, body: { success: false, errors: [message] } }),
    endpoints: {
      '/api/send': single(shape),
      '/api/batch': batch(shape),
      '/api/send/*': single(shape),
      '/api/batch/*': batch(shape),
    },
  };
}

/** Mailtrap. */
export const mailtrap: Vendor = mailtrapWith('texts');
