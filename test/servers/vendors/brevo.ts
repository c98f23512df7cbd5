import { decodeWords } from '../../../src/mime/read/decode-words.ts';
import type { Table } from '../strict-shape.ts';
import { type AskedMail, mailOf, type Vendor } from '../strict-vendor.ts';

const PERSON: Table = { 'email!': 'filled', name: 'filled' };
// https://developers.brevo.com/reference/sendtransacemail, read 2026-11-30
const EMAIL: Table = {
  'sender!': PERSON,
  to: [PERSON],
  cc: [PERSON],
  bcc: [PERSON],
  replyTo: PERSON,
  subject: 'filled',
  textContent: 'text',
  htmlContent: 'filled',
  templateId: 'integer',
  params: 'json',
  headers: 'texts',
  tags: ['filled'],
  attachment: [{ 'name!': 'filled', 'content!': 'base64' }],
  scheduledAt: 'filled',
  messageVersions: [{ 'to!': [PERSON], cc: [PERSON], bcc: [PERSON], params: 'json' }],
};

type Person = { readonly email: string; readonly name?: string };
interface Version {
  readonly to?: Person[];
  readonly cc?: Person[];
  readonly bcc?: Person[];
}
interface Email extends Version {
  readonly sender: Person;
  readonly replyTo?: Person;
  readonly subject?: string;
  readonly textContent?: string;
  readonly htmlContent?: string;
  readonly headers?: Record<string, string>;
  readonly attachment?: { name: string; content: string }[];
  readonly messageVersions?: Version[];
}

const box = ({ email, name }: Person) => (name === undefined ? email : { name: decodeWords(name), address: email });

function mailsOf(email: Email): readonly AskedMail[] {
  const { idempotencyKey: _, ...headers } = email.headers ?? {};
  return (email.messageVersions ?? [email]).map(({ to = [], cc = [], bcc = [] }) =>
    mailOf(
      [...to, ...cc, ...bcc].map((person) => person.email),
      {
        fromEmail: box(email.sender),
        to: to.map(box),
        cc: cc.map(box),
        replyTo: email.replyTo ? box(email.replyTo) : [],
        subject: email.subject ?? '',
        body: email.textContent ?? '',
        htmlBody: email.htmlContent ?? null,
        headers,
        attachments: (email.attachment ?? []).map(({ name, content }) => ({
          filename: name,
          content: Buffer.from(content, 'base64'),
        })),
      },
    ),
  );
}

/** Brevo. */
export const brevo: Vendor = {
  isKnown: (headers) => headers['api-key'] === 'xkeysib-123',
  key: (_, body) => (body as Email).headers?.['idempotencyKey'],
  // https://developers.brevo.com/docs/heterogenous-versions-batch-emails, read 2026-11-30
  again: { status: 400, body: { code: 'duplicate_parameter', message: 'idempotencyKey was used' } },
  fault: (status, message) => ({
    status,
    body: { code: status === 401 ? 'unauthorized' : 'invalid_parameter', message },
  }),
  endpoints: {
    '/v3/smtp/email': {
      shape: EMAIL,
      mails: (email: Email) => [mailsOf(email)],
      answer: ([refused], [id], [asked]) => {
        if (refused) return { status: 400, body: { code: 'invalid_parameter', message: 'email is not valid in to' } };
        const ids = (asked ?? []).map((__, index) => `<${id}.${index}@smtp-relay.mailin.fr>`);
        return { status: 201, body: ids.length === 1 ? { messageId: ids[0] } : { messageIds: ids } };
      },
    },
  },
};
