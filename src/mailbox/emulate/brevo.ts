import { decodeWords } from '../../mime/read/decode-words.ts';
import type { EmailMessageInit } from '../../model/message-init.ts';
import { parseObject } from '../../util/json.ts';
import { jsonReply, type Reply } from '../web/reply.ts';
import { extraOf, fileOf, headerFields, templateOf, textsOf, timeOf } from './fields.ts';
import { addressOf, PERSON, type Person } from './people.ts';
import { missing, statusOf, textOf } from './refusals.ts';
import type { Table } from './shape.ts';
import { endpoint, type Problem, type Vendor } from './vendor.ts';

// https://developers.brevo.com/reference/sendtransacemail, read 2026-11-30
const EMAIL: Table = {
  sender: { email: 'text', name: 'text', id: 'integer' },
  to: [PERSON],
  cc: [PERSON],
  bcc: [PERSON],
  replyTo: PERSON,
  subject: 'text',
  textContent: 'text',
  htmlContent: 'text',
  templateId: 'integer',
  params: 'object',
  headers: 'texts',
  tags: ['text'],
  attachment: [{ name: 'text', content: 'base64', url: 'text' }],
  scheduledAt: 'text',
  batchId: 'text',
  messageVersions: [
    {
      'to!': [PERSON],
      cc: [PERSON],
      bcc: [PERSON],
      replyTo: PERSON,
      subject: 'text',
      textContent: 'text',
      htmlContent: 'text',
      params: 'object',
      headers: 'texts',
    },
  ],
};

interface Version {
  readonly to?: readonly Person[];
  readonly cc?: readonly Person[];
  readonly bcc?: readonly Person[];
  readonly replyTo?: Person;
  readonly subject?: string;
  readonly textContent?: string;
  readonly htmlContent?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}
interface Email extends Version {
  readonly sender?: { readonly email?: string; readonly name?: string; readonly id?: number };
  readonly templateId?: number;
  readonly tags?: readonly string[];
  readonly attachment?: readonly { readonly name?: string; readonly content?: string; readonly url?: string }[];
  readonly scheduledAt?: string;
  readonly batchId?: string;
  readonly messageVersions?: readonly Version[];
}

/** Names are written as in headers where Brevo would drop them. */
const box = ({ email, name = '' }: Person) => addressOf(email, decodeWords(name));

function mailOf({ messageVersions: _, ...all }: Email, own: Version): EmailMessageInit {
  const email = { ...all, ...own };
  const { sender, templateId, attachment = [], scheduledAt, batchId } = email;
  if (templateId === undefined) {
    if (sender === undefined) missing('sender');
    if (!email.subject) missing('subject');
    if (!email.htmlContent && !email.textContent) missing('htmlContent');
  }
  const { idempotencyKey: __, 'X-Mailin-custom': custom, ...headers } = { ...all.headers, ...own.headers };
  const { init, left } = headerFields(Object.entries(headers));
  const metadata = textsOf(parseObject(custom ?? '{}') ?? {});
  return {
    ...init,
    // A sender may be an id, and a template has one of its own.
    fromEmail: sender?.email ? box({ ...sender, email: sender.email }) : 'sender@brevo.invalid',
    to: (email.to ?? []).map(box),
    cc: (email.cc ?? []).map(box),
    bcc: (email.bcc ?? []).map(box),
    ...(email.replyTo && { replyTo: box(email.replyTo) }),
    subject: email.subject ?? '',
    body: email.textContent ?? '',
    htmlBody: email.htmlContent ?? null,
    attachments: attachment.flatMap(({ name, content }) =>
      content === undefined ? [] : [fileOf(content, name, undefined)],
    ),
    ...templateOf(templateId, { ...all.params, ...own.params }),
    tags: email.tags ?? [],
    metadata,
    sendAt: timeOf(scheduledAt),
    ...extraOf('brevo', {
      batchId,
      sender: sender?.id,
      attachment: attachment.flatMap(({ url }) => url ?? []), // what is at a URL is not fetched
      headers: left,
      'X-Mailin-custom': Object.keys(metadata).length === 0 ? custom : undefined,
    }),
  };
}

/** Brevo. */
export const vendor: Vendor = {
  names: {
    fromEmail: 'sender.email',
    body: 'textContent',
    htmlBody: 'htmlContent',
    attachments: 'attachment',
    sendAt: 'scheduledAt',
  },
  answersMessageId: true,
  hasKey: (headers) => Boolean(headers['api-key']),
  refuse,
  endpoints: {
    'POST /v3/smtp/email': endpoint<Email>({
      shape: EMAIL,
      // https://developers.brevo.com/docs/heterogenous-versions-batch-emails
      key: (_, { headers }) => headers?.['idempotencyKey'] ?? null,
      mails: (email) => (email.messageVersions ?? [{}]).map((version) => mailOf(email, version)),
      answer: ([outcome], _, { messageVersions }) => {
        const ids = outcome?.ids.map((id) => `<${id}>`) ?? [];
        return jsonReply(messageVersions === undefined ? { messageId: ids[0] } : { messageIds: ids }, 201);
      },
    }),
    'GET /v3/account': () => jsonReply({ companyName: 'amsdal-mailbox', plan: [] }),
  },
};

const CODES: Readonly<Partial<Record<Problem['kind'], string>>> = {
  key: 'unauthorized',
  path: 'document_not_found',
  missing: 'missing_parameter',
  'used-key': 'duplicate_parameter',
  throttled: 'too_many_requests',
};

function refuse([problem]: readonly [Problem, ...Problem[]]): Reply {
  const code = CODES[problem.kind] ?? 'invalid_parameter';
  const message = problem.kind === 'key' ? 'Key not found' : textOf(problem);
  return jsonReply({ code, message }, statusOf(problem));
}
