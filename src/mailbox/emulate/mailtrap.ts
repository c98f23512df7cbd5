import { randomUUID } from 'node:crypto';
import type { EmailMessageInit } from '../../model/message-init.ts';
import { jsonReply, type Reply } from '../web/reply.ts';
import { extraOf, fileOf, headerFields, templateOf } from './fields.ts';
import { box, PERSON, type Person } from './people.ts';
import { hasBearer, missing, refuseContent, statusOf } from './refusals.ts';
import type { Table } from './shape.ts';
import { type Endpoint, endpoint, type Outcome, type Problem, type Vendor } from './vendor.ts';

// https://github.com/mailtrap/mailtrap-openapi/blob/main/specs/email-sending-transactional.openapi.yml, read 2026-11-30
const EMAIL: Table = {
  'from!': PERSON,
  to: [PERSON],
  cc: [PERSON],
  bcc: [PERSON],
  reply_to: PERSON,
  subject: 'text',
  text: 'text',
  html: 'text',
  category: 'text',
  template_uuid: 'text',
  template_variables: 'object',
  attachments: [{ 'content!': 'base64', 'filename!': 'text', type: 'text', disposition: 'text', content_id: 'text' }],
  headers: 'texts',
  custom_variables: 'texts',
};

interface Email {
  readonly from: Person;
  readonly to?: readonly Person[];
  readonly cc?: readonly Person[];
  readonly bcc?: readonly Person[];
  readonly reply_to?: Person;
  readonly subject?: string;
  readonly text?: string;
  readonly html?: string;
  readonly category?: string;
  readonly template_uuid?: string;
  readonly template_variables?: Readonly<Record<string, unknown>>;
  readonly attachments?: readonly File[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly custom_variables?: Readonly<Record<string, string>>;
}
interface File {
  readonly content: string;
  readonly filename: string;
  readonly type?: string;
  readonly content_id?: string;
}
interface Batch {
  readonly base?: Partial<Email>;
  readonly requests: readonly Partial<Email>[];
}

/** What a stored template has itself. */
const OF_TEMPLATES = ['subject', 'text', 'html', 'category'] as const;

function messageOf(email: Email): EmailMessageInit {
  const { to = [], cc = [], bcc = [], attachments = [], category, template_uuid: template } = email;
  if (template === undefined) {
    if (!email.subject) missing('subject', 'is required');
    if (!email.text && !email.html) missing('text', 'or html is required');
  } else {
    const field = OF_TEMPLATES.find((name) => email[name] !== undefined);
    if (field !== undefined) refuseContent(field, 'has no place beside template_uuid');
  }
  const { init, left } = headerFields(Object.entries(email.headers ?? {}));
  return {
    ...init,
    fromEmail: box(email.from),
    to: to.map(box),
    cc: cc.map(box),
    bcc: bcc.map(box),
    ...(email.reply_to && { replyTo: box(email.reply_to) }),
    subject: email.subject ?? '',
    body: email.text ?? '',
    htmlBody: email.html ?? null,
    attachments: attachments.map((file) => fileOf(file.content, file.filename, file.type, file.content_id)),
    ...templateOf(template, email.template_variables),
    tags: category ? [category] : [],
    metadata: email.custom_variables ?? {},
    ...extraOf('mailtrap', { headers: left }),
  };
}

const single = (isSandbox: boolean): Endpoint =>
  endpoint<Email>({
    shape: EMAIL,
    mails: (email) => [messageOf(email)],
    answer: ([outcome]) => jsonReply(outcome && toldOf(outcome, isSandbox)),
  });
const batch = (isSandbox: boolean): Endpoint =>
  endpoint<Batch, Email>({
    shape: { base: 'object', 'requests!': ['object'] },
    partShape: EMAIL,
    max: 500,
    takesParts: () => true,
    // Each is checked for what it lacks.
    parts: ({ base, requests }) => requests.map((request) => ({ ...base, ...request }) as Email),
    mails: (email) => [messageOf(email)],
    answer: (outcomes) =>
      jsonReply({ success: true, responses: outcomes.map((outcome) => toldOf(outcome, isSandbox)) }),
  });

/** Mailtrap: what is for its sandbox has the number of an inbox in its path. */
export const vendor: Vendor = {
  names: {
    fromEmail: 'from',
    replyTo: 'reply_to',
    body: 'text',
    htmlBody: 'html',
    tags: 'category',
    metadata: 'custom_variables',
    templateId: 'template_uuid',
  },
  hasKey: (headers) => hasBearer(headers) || Boolean(headers['api-token']),
  refuse,
  endpoints: {
    'POST /api/send': single(false),
    'POST /api/batch': batch(false),
    'POST /api/send/*': single(true),
    'POST /api/batch/*': batch(true),
    'GET /api/accounts': () => jsonReply([{ id: 1, name: 'amsdal-mailbox', access_levels: [100] }]),
  },
};

/** There is an id for each recipient, and in the sandbox one. */
function toldOf(outcome: Outcome, isSandbox: boolean): object {
  if (outcome.problem !== null) return { success: false, errors: [textOf(outcome.problem)] };
  const [id] = outcome.ids;
  const others = isSandbox ? [] : outcome.accepted.slice(1);
  return { success: true, message_ids: [id, ...others.map(() => randomUUID())] };
}

function refuse(problems: readonly [Problem, ...Problem[]]): Reply {
  return jsonReply({ success: false, errors: problems.map(textOf) }, statusOf(problems[0]));
}

function textOf({ kind, field, message }: Problem): string {
  if (kind === 'key') return 'Unauthorized';
  return field === null ? message : `'${field}' ${message}`;
}
