import { randomUUID } from 'node:crypto';
import type { EmailMessageInit, MergeData } from '../../model/message-init.ts';
import { jsonReply, type Reply } from '../web/reply.ts';
import { extraOf, fileOf, filled, headerFields, templateOf, timeOf } from './fields.ts';
import { box, PERSON, type Person } from './people.ts';
import { hasBearer, missing, statusOf } from './refusals.ts';
import type { Table } from './shape.ts';
import { endpoint, type Problem, type Vendor } from './vendor.ts';

// https://developers.mailersend.com/api/v1/email, read 2026-11-30
const EMAIL: Table = {
  from: PERSON,
  'to!': [PERSON],
  cc: [PERSON],
  bcc: [PERSON],
  reply_to: PERSON,
  subject: 'text',
  text: 'text',
  html: 'text',
  template_id: 'text',
  language: 'text',
  attachments: [{ 'content!': 'base64', 'filename!': 'text', disposition: 'text', id: 'text' }],
  tags: ['text'],
  personalization: [{ 'email!': 'text', 'data!': 'object' }],
  precedence_bulk: 'boolean',
  send_at: 'integer',
  in_reply_to: 'text',
  references: ['text'],
  list_unsubscribe: 'text',
  settings: { track_clicks: 'boolean', track_opens: 'boolean', track_content: 'boolean' },
  headers: [{ 'name!': 'text', 'value!': 'text' }],
};

interface Email {
  readonly from?: Person;
  readonly to: readonly Person[];
  readonly cc?: readonly Person[];
  readonly bcc?: readonly Person[];
  readonly reply_to?: Person;
  readonly subject?: string;
  readonly text?: string;
  readonly html?: string;
  readonly template_id?: string;
  readonly language?: string;
  readonly attachments?: readonly { readonly content: string; readonly filename: string; readonly id?: string }[];
  readonly tags?: readonly string[];
  readonly personalization?: readonly { readonly email: string; readonly data: MergeData }[];
  readonly precedence_bulk?: boolean;
  readonly send_at?: number;
  readonly in_reply_to?: string;
  readonly references?: readonly string[];
  readonly list_unsubscribe?: string;
  readonly settings?: { readonly track_clicks?: boolean; readonly track_opens?: boolean };
  readonly headers?: readonly { readonly name: string; readonly value: string }[];
}

function messageOf(email: Email): EmailMessageInit {
  const { from, to, reply_to: replyTo, template_id: template, personalization = [], settings, html } = email;
  if (template === undefined) {
    if (from === undefined) missing('from.email');
    if (!email.subject) missing('subject');
    if (!email.text && !html) missing('text');
  }
  // Everybody sees the same To, but each reads variables of his own: they stand in the texts where there is one.
  const data =
    to.length === 1 ? personalization.find(({ email: address }) => address === to[0]?.email)?.data : undefined;
  const write = (text = ''): string => filled(text, /\{\{\s*([\w.-]+)\s*\}\}/g, data ?? {});
  const { init, left } = headerFields([
    ...(email.in_reply_to ? [['In-Reply-To', email.in_reply_to] as const] : []),
    ...(email.references?.length ? [['References', email.references.join(' ')] as const] : []),
    ...(email.list_unsubscribe ? [['List-Unsubscribe', email.list_unsubscribe] as const] : []),
    ...(email.headers ?? []).map(({ name, value }) => [name, value] as const),
  ]);
  const { language, precedence_bulk } = email;
  return {
    ...init,
    fromEmail: from === undefined ? 'template@mailersend.invalid' : box(from),
    to: to.map(box),
    cc: (email.cc ?? []).map(box),
    bcc: (email.bcc ?? []).map(box),
    ...(replyTo && { replyTo: box(replyTo) }),
    subject: write(email.subject),
    body: write(email.text),
    htmlBody: html === undefined ? null : write(html),
    attachments: (email.attachments ?? []).map(({ content, filename, id }) => fileOf(content, filename, undefined, id)),
    ...templateOf(template, data),
    ...(data === undefined &&
      personalization.length > 0 && {
        mergeData: Object.fromEntries(personalization.map((own) => [own.email, own.data])),
      }),
    tags: email.tags ?? [],
    sendAt: timeOf(email.send_at),
    trackOpens: settings?.track_opens === true,
    trackClicks: settings?.track_clicks === true,
    ...extraOf('mailersend', { language, precedence_bulk, headers: left }),
  };
}

/** MailerSend (https://developers.mailersend.com/general). */
export const vendor: Vendor = {
  names: {
    fromEmail: 'from.email',
    replyTo: 'reply_to.email',
    body: 'text',
    htmlBody: 'html',
    sendAt: 'send_at',
    templateId: 'template_id',
  },
  takesNull: true,
  hasKey: hasBearer,
  refuse,
  endpoints: {
    'POST /v1/email': endpoint<Email>({
      shape: EMAIL,
      mails: (email) => [messageOf(email)],
      answer: ([outcome]) => {
        const { refused = [], ids: [id = ''] = [] } = outcome ?? {};
        const headers = { 'x-message-id': id };
        if (refused.length === 0) return { status: 202, headers, body: '' };
        const reply = suppressed('SOME_SUPPRESSED', refused);
        return { ...reply, headers: { ...reply.headers, ...headers } };
      },
    }),
    // What is wrong with one of them is told later.
    'POST /v1/bulk-email': endpoint<readonly Email[], Email>({
      shape: [EMAIL],
      max: 500,
      takesParts: () => true,
      parts: (emails) => emails,
      mails: (email) => [messageOf(email)],
      answer: () => jsonReply({ message: 'The bulk email is being processed.', bulk_email_id: randomUUID() }, 202),
    }),
    'GET /v1/api-quota': () => jsonReply({ quota: 1000, remaining: 1000, reset: new Date().toISOString() }),
  },
};

/** What MailerSend takes, but not for these. */
function suppressed(type: 'SOME_SUPPRESSED' | 'ALL_SUPPRESSED', addresses: readonly string[]): Reply {
  const recipients = addresses.map((email) => ({ email, name: '', reasons: ['hard_bounced'] }));
  const warning = 'Some of the recipients have been suppressed.';
  return jsonReply({ message: warning, warnings: [{ type, warning, recipients }] }, 202);
}

function refuse(problems: readonly [Problem, ...Problem[]]): Reply {
  const [first] = problems;
  const { kind, message, addresses = [] } = first;
  if (kind === 'refused') return suppressed('ALL_SUPPRESSED', addresses);
  if (kind === 'key') return jsonReply({ message: 'Unauthenticated.' }, 401);
  const errors = problems.flatMap((problem) => (problem.field === null ? [] : [[fieldOf(problem), [textOf(problem)]]]));
  if (errors.length === 0) return jsonReply({ message }, statusOf(first));
  return jsonReply({ message: textOf(first), errors: Object.fromEntries(errors) }, 422);
}

/** Paths have dots where ours have brackets. */
function fieldOf({ kind, field }: Problem): string {
  const path = (field ?? '').replaceAll(/\[(\d+)\]/g, '.$1');
  return kind === 'address' && /\.\d+$/.test(path) ? `${path}.email` : path;
}

function textOf(problem: Problem): string {
  const { kind, message } = problem;
  if (kind === 'address') return `The ${fieldOf(problem)} must be a valid email address: ${message}`;
  if (kind === 'missing') return `The ${fieldOf(problem)} field is required.`;
  return `The ${fieldOf(problem)} field ${message}.`;
}
