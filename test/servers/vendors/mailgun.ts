import type { HttpCall } from '../scripted-http.ts';
import { splitAddresses } from '../split-addresses.ts';
import type { Table } from '../strict-shape.ts';
import { type AskedMail, bare, mailOf, type Vendor } from '../strict-vendor.ts';

interface File {
  readonly filename: string;
  readonly type: string;
  readonly content: Buffer;
}
type Form = Readonly<Record<string, readonly (string | File)[]>>;

// https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/messages, read 2026-11-30; h:*, v:* and t:* are free.
const FIELDS: Table = {
  'from!': ['filled'],
  'to!': ['filled'],
  cc: ['filled'],
  bcc: ['filled'],
  subject: ['text'],
  text: ['text'],
  html: ['filled'],
  template: ['filled'],
  attachment: ['json'],
  inline: ['json'],
  'o:tag': ['filled'],
  'o:tracking-opens': ['filled'],
  'o:tracking-clicks': ['filled'],
  'o:deliverytime': ['filled'],
  'o:testmode': ['filled'],
  'recipient-variables': ['filled'],
  free: 'json',
};

/** A form as Mailgun reads it (RFC 7578). */
function readForm({ headers, body }: HttpCall): Readonly<Record<string, unknown>> {
  const boundary = /^multipart\/form-data; boundary=(\S+)$/.exec(headers['content-type'] ?? '')?.[1];
  const form: Record<string, (string | File)[]> = {};
  const free: Record<string, string> = {};
  for (const part of `\r\n${body.toString('latin1')}`.split(`\r\n--${boundary}`).slice(1, -1)) {
    const [, head = '', content = ''] = /^\r\n([\s\S]*?)\r\n\r\n([\s\S]*)$/.exec(part) ?? [];
    const [, name = ''] = / name="([^"]*)"/.exec(head) ?? [];
    const filename = / filename="([^"]*)"/.exec(head)?.[1];
    const type = /^Content-Type: (.*)$/m.exec(head)?.[1] ?? '';
    const bytes = Buffer.from(content, 'latin1');
    const utf8 = (text: string): string => Buffer.from(text, 'latin1').toString();
    if (/^[hvt]:/.test(name)) free[utf8(name)] = bytes.toString();
    else {
      const file = { filename: utf8(filename ?? '').replaceAll('%22', '"'), type, content: bytes };
      form[name] = [...(form[name] ?? []), filename === undefined ? bytes.toString() : file];
    }
  }
  return { ...form, free };
}

const last = (values: readonly (string | File)[] | undefined): string | undefined => values?.map(String).at(-1);

function mailsOf(form: Form & { readonly free: Readonly<Record<string, string>> }): readonly AskedMail[] {
  const lists = ['to', 'cc', 'bcc'].map((field) => (form[field] ?? []).map(String));
  const [to = [], cc = [], bcc = []] = lists;
  const headers = Object.entries(form.free).flatMap(([name, value]) =>
    name.startsWith('h:') ? [[name.slice(2), value] as const] : [],
  );
  const replyTo = headers.find(([name]) => name === 'Reply-To')?.[1];
  const files = (field: string, isInline: boolean) =>
    ((form[field] ?? []) as readonly File[]).map(({ filename, type, content }) => ({
      filename: isInline ? 'logo.png' : filename,
      content,
      mimetype: type,
      contentId: isInline ? filename : null,
    }));
  const init = {
    fromEmail: last(form['from']) ?? '',
    subject: last(form['subject']) ?? '',
    body: last(form['text']) ?? '',
    htmlBody: last(form['html']) ?? null,
    replyTo: splitAddresses(replyTo ?? ''),
    headers: Object.fromEntries(headers.filter(([name]) => name !== 'Reply-To' && name !== 'Message-Id')),
    attachments: [...files('attachment', false), ...files('inline', true)],
  };
  if (form['recipient-variables'] === undefined) return [mailOf([...to, ...cc, ...bcc].map(bare), { ...init, to, cc })];
  return to.map((recipient) => mailOf([recipient, ...cc, ...bcc].map(bare), { ...init, to: recipient, cc }));
}

/** Mailgun. */
export const mailgun: Vendor = {
  isKnown: ({ authorization = '' }) =>
    Buffer.from(authorization.replace('Basic ', ''), 'base64').toString() === 'api:key-0123456789abcdef0123',
  read: readForm,
  fault: (status, message) => ({ status, body: { message } }),
  endpoints: {
    '/v3/*/messages': {
      shape: FIELDS,
      mails: (form) => [mailsOf(form)],
      answer: ([refused], [id]) =>
        refused
          ? { status: 400, body: { message: `to parameter is not a valid address. please check documentation` } }
          : { body: { id: `<${id}@mg.example.com>`, message: 'Queued. Thank you.' } },
    },
  },
};
