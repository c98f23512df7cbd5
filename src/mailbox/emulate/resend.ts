import type { EmailMessageInit } from '../../model/message-init.ts';
import { jsonReply, type Reply } from '../web/reply.ts';
import { extraOf, headerFields, templateOf, timeOf } from './fields.ts';
import { hasBearer, missing } from './refusals.ts';
import { Choice, type Table, TEXT_OR_LIST } from './shape.ts';
import { endpoint, type Problem, type Vendor, type VendorCall } from './vendor.ts';

// https://resend.com/docs/api-reference/emails/send-email, read 2026-11-30
const EMAIL: Table = {
  from: 'text',
  'to!': TEXT_OR_LIST,
  cc: TEXT_OR_LIST,
  bcc: TEXT_OR_LIST,
  reply_to: TEXT_OR_LIST,
  subject: 'text',
  text: 'text',
  html: 'text',
  headers: 'texts',
  tags: [{ 'name!': 'text', 'value!': 'text' }],
  attachments: [
    {
      filename: 'text',
      content: new Choice('base64', { 'type!': 'text', 'data!': 'bytes' }), // or a Buffer, as JSON.stringify writes it
      path: 'text',
      content_type: 'text',
      content_id: 'text',
      inline_content_id: 'text', // its former name
    },
  ],
  template: { 'id!': 'text', variables: 'object' },
  scheduled_at: 'text',
  topic_id: 'text',
};
// https://resend.com/docs/api-reference/emails/send-batch-emails, read 2026-11-30
const { attachments: _, scheduled_at: __, ...BATCHED } = EMAIL;

type People = string | readonly string[];
interface Email {
  readonly from?: string;
  readonly to: People;
  readonly cc?: People;
  readonly bcc?: People;
  readonly reply_to?: People;
  readonly subject?: string;
  readonly text?: string;
  readonly html?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly tags?: readonly { readonly name: string; readonly value: string }[];
  readonly attachments?: readonly File[];
  readonly template?: { readonly id: string; readonly variables?: Readonly<Record<string, unknown>> };
  readonly scheduled_at?: string;
  readonly topic_id?: string;
}
interface File {
  readonly filename?: string;
  readonly content?: string | { readonly data: readonly number[] };
  readonly path?: string;
  readonly content_type?: string;
  readonly content_id?: string;
  readonly inline_content_id?: string;
}

function messageOf(email: Email): EmailMessageInit {
  const { template, scheduled_at: schedule, topic_id, attachments = [] } = email;
  if (template === undefined) {
    if (email.from === undefined) missing('from');
    if (email.subject === undefined) missing('subject');
    if (email.html === undefined && email.text === undefined) missing('html` or `text');
  }
  const { init, left } = headerFields(Object.entries(email.headers ?? {}));
  const time = timeOf(schedule);
  // What is at a URL is not fetched.
  const remote = attachments.flatMap(({ path }) => path ?? []);
  return {
    ...init,
    fromEmail: email.from ?? 'template@resend.invalid',
    to: email.to,
    cc: email.cc ?? [],
    bcc: email.bcc ?? [],
    ...(email.reply_to !== undefined && { replyTo: email.reply_to }),
    subject: email.subject ?? '',
    body: email.text ?? '',
    htmlBody: email.html ?? null,
    tags: [],
    metadata: Object.fromEntries((email.tags ?? []).map(({ name, value }) => [name, value])),
    ...templateOf(template?.id, template?.variables),
    sendAt: time,
    attachments: attachments.flatMap((file) => (file.content === undefined ? [] : [attachmentOf(file, file.content)])),
    ...extraOf('resend', {
      topic_id,
      scheduled_at: time === null ? schedule : undefined, // words, as 'in 1 hour'
      attachments: remote,
      headers: left,
    }),
  };
}

function attachmentOf({ filename, content_type, content_id, inline_content_id }: File, content: File['content'] & {}) {
  return {
    filename: filename ?? null,
    content: typeof content === 'string' ? Buffer.from(content, 'base64') : Buffer.from(content.data),
    mimetype: content_type ?? null,
    contentId: content_id ?? inline_content_id ?? null,
  };
}

function keyOf({ headers }: VendorCall): string | null {
  const key = headers['idempotency-key'];
  return typeof key === 'string' ? key : null;
}

/** Resend (https://resend.com/docs/api-reference/errors). */
export const vendor: Vendor = {
  names: {
    fromEmail: 'from',
    replyTo: 'reply_to',
    body: 'text',
    htmlBody: 'html',
    metadata: 'tags',
    sendAt: 'scheduled_at',
    templateId: 'template.id',
  },
  answersAgain: true,
  hasKey: hasBearer,
  refuse,
  endpoints: {
    'POST /emails': endpoint<Email>({
      shape: EMAIL,
      key: keyOf,
      mails: (email) => [messageOf(email)],
      answer: ([outcome]) => jsonReply({ id: outcome?.ids[0] }),
    }),
    'POST /emails/batch': endpoint<readonly Email[], Email>({
      shape: [BATCHED],
      max: 100,
      key: keyOf,
      takesParts: isPermissive,
      parts: (emails) => emails,
      mails: (email) => [messageOf(email)],
      answer: (outcomes, call) =>
        jsonReply({
          data: outcomes.flatMap(({ ids }) => ids.map((id) => ({ id }))),
          ...(isPermissive(call) && {
            errors: outcomes.flatMap(({ problem }, index) =>
              problem === null ? [] : [{ index, message: textOf(problem) }],
            ),
          }),
        }),
    }),
    // As to a key that may only send: no domain needs to be verified here.
    'GET /domains': () =>
      jsonReply(
        { statusCode: 401, name: 'restricted_api_key', message: 'This API key is restricted to only send emails.' },
        401,
      ),
  },
};

function isPermissive({ headers }: VendorCall): boolean {
  return headers['x-batch-validation'] === 'permissive';
}

const NAMES: Readonly<Record<Problem['kind'], readonly [status: number, name: string]>> = {
  key: [401, 'missing_api_key'],
  path: [404, 'not_found'],
  syntax: [400, 'validation_error'],
  missing: [422, 'missing_required_field'],
  unknown: [422, 'validation_error'],
  type: [422, 'validation_error'],
  address: [422, 'validation_error'],
  content: [422, 'validation_error'],
  'too-large': [413, 'validation_error'],
  'used-key': [409, 'invalid_idempotent_request'],
  refused: [422, 'validation_error'],
  throttled: [429, 'rate_limit_exceeded'],
};

function refuse([problem]: readonly [Problem, ...Problem[]]): Reply {
  const [statusCode, name] = NAMES[problem.kind];
  return jsonReply({ statusCode, name, message: textOf(problem) }, statusCode);
}

function textOf({ kind, field, message }: Problem): string {
  if (kind === 'key') return 'Missing API key in the authorization header.';
  if (kind === 'missing') return `Missing \`${field}\` field.`;
  return field === null ? message : `Invalid \`${field}\` field: ${message}`;
}
