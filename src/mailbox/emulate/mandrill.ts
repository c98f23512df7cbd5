import type { EmailMessageInit } from '../../model/message-init.ts';
import { isObject } from '../../util/json.ts';
import { jsonReply, type Reply } from '../web/reply.ts';
import { extraOf, fileOf, filled, headerFields, templateOf, textsOf, timeOf } from './fields.ts';
import { addressOf, box } from './people.ts';
import { missing, statusOf, textOf } from './refusals.ts';
import { type Table, TEXT_OR_LIST } from './shape.ts';
import { type AskedMail, type Endpoint, endpoint, type Outcome, type Problem, step, type Vendor } from './vendor.ts';

const FILE: Table = { 'type!': 'text', 'name!': 'text', 'content!': 'base64' };
const VARIABLES = [{ 'name!': 'text', content: 'anything' }] as const;
const SETTINGS: Table = {
  important: 'boolean',
  auto_text: 'boolean',
  auto_html: 'boolean',
  inline_css: 'boolean',
  url_strip_qs: 'boolean',
  view_content_link: 'boolean',
  tracking_domain: 'text',
  signing_domain: 'text',
  return_path_domain: 'text',
  merge: 'boolean',
  merge_language: 'text',
  subaccount: 'text',
  google_analytics_domains: ['text'],
  google_analytics_campaign: TEXT_OR_LIST,
};
// https://github.com/mailchimp/mailchimp-client-lib-codegen, spec/transactional.json at 005d940, read 2026-11-30
const MESSAGE: Table = {
  ...SETTINGS,
  html: 'text',
  text: 'text',
  subject: 'text',
  from_email: 'text',
  from_name: 'text',
  'to!': [{ 'email!': 'text', name: 'text', type: 'text' }],
  headers: 'texts',
  track_opens: 'boolean',
  track_clicks: 'boolean',
  preserve_recipients: 'boolean',
  bcc_address: 'text',
  global_merge_vars: VARIABLES,
  merge_vars: [{ 'rcpt!': 'text', vars: VARIABLES }],
  tags: ['text'],
  metadata: 'object',
  recipient_metadata: [{ 'rcpt!': 'text', values: 'object' }],
  attachments: [FILE],
  images: [FILE],
};
const SEND: Table = { 'key!': 'text', 'message!': MESSAGE, async: 'boolean', ip_pool: 'text', send_at: 'text' };
const TEMPLATE: Table = {
  ...SEND,
  'template_name!': 'text',
  'template_content!': [{ 'name!': 'text', 'content!': 'text' }],
};

type Values = Readonly<Record<string, unknown>>;
type Variables = readonly { readonly name: string; readonly content?: unknown }[];
interface Recipient {
  readonly email: string;
  readonly name?: string;
  readonly type?: string;
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
  readonly from_email?: string;
  readonly from_name?: string;
  readonly to: readonly Recipient[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly preserve_recipients?: boolean;
  readonly bcc_address?: string;
  readonly merge_language?: string;
  readonly global_merge_vars?: Variables;
  readonly merge_vars?: readonly { readonly rcpt: string; readonly vars?: Variables }[];
  readonly tags?: readonly string[];
  readonly metadata?: Values;
  readonly recipient_metadata?: readonly { readonly rcpt: string; readonly values?: Values }[];
  readonly track_opens?: boolean;
  readonly track_clicks?: boolean;
  readonly attachments?: readonly File[];
  readonly images?: readonly File[];
}
interface Body {
  readonly message: Message;
  readonly template_name?: string;
  readonly template_content?: readonly object[];
  readonly send_at?: string;
}

/** One mail for all, who see each other, or for each a mail of his own: what Mandrill does when nothing is said. */
function mailsOf({ message, ...body }: Body): readonly AskedMail[] {
  const { to, preserve_recipients: together = false } = message;
  if (to.length === 0) missing('message.to');
  if (body.template_name === undefined) {
    if (!message.from_email) missing('message.from_email');
    if (!message.text && !message.html) missing('message.text');
  }
  if (together) return [mailOf(message, body, to, {}, {})];
  return to.map((recipient) => {
    const isHis = ({ rcpt }: { readonly rcpt: string }): boolean => rcpt === recipient.email;
    const own = valuesOf(message.merge_vars?.find(isHis)?.vars);
    return mailOf(message, body, [recipient], own, message.recipient_metadata?.find(isHis)?.values);
  });
}

function mailOf(
  message: Message,
  { template_name, template_content, send_at }: Omit<Body, 'message'>,
  people: readonly Recipient[],
  own: Values,
  ownMetadata: Values | undefined,
): EmailMessageInit {
  const { html, from_email: from, from_name: name, bcc_address: archive, attachments = [], images = [] } = message;
  const data = { ...valuesOf(message.global_merge_vars), ...own };
  // Names are the same in any letters.
  const values = Object.fromEntries(Object.entries(data).map(([key, value]) => [key.toLowerCase(), value]));
  const place = message.merge_language === 'handlebars' ? /\{\{\s*([\w.-]+)\s*\}\}/g : /\*\|([^|*]+)\|\*/g;
  const write = (text = ''): string => filled(text, place, values, (key) => key.toLowerCase());
  const of = (wanted: string) => people.filter(({ type = 'to' }) => type === wanted).map(box);
  const { init, left } = headerFields(Object.entries(message.headers ?? {}));
  const settings = Object.entries(message).filter(([field]) => Object.hasOwn(SETTINGS, field));
  return {
    ...init,
    fromEmail: from ? addressOf(from, name) : 'template@mandrill.invalid',
    to: of('to'),
    cc: of('cc'),
    bcc: [...of('bcc'), ...(archive ? [archive] : [])],
    subject: write(message.subject),
    body: write(message.text),
    htmlBody: html === undefined ? null : write(html),
    attachments: [
      ...attachments.map((file) => fileOf(file.content, file.name, file.type)),
      // The name of an image is its Content-ID.
      ...images.map((file) => fileOf(file.content, file.name, file.type, file.name)),
    ],
    ...templateOf(template_name, data),
    tags: message.tags ?? [],
    metadata: textsOf({ ...message.metadata, ...ownMetadata }),
    sendAt: scheduleOf(send_at),
    trackOpens: message.track_opens === true,
    trackClicks: message.track_clicks === true,
    ...extraOf('mandrill', { ...Object.fromEntries(settings), template_content, headers: left }),
  };
}

function valuesOf(variables: Variables = []): Values {
  return Object.fromEntries(variables.map(({ name, content }) => [name, content]));
}

/** `2030-01-31 18:00:00`, in UTC. */
function scheduleOf(text: string | undefined): Date | null {
  return timeOf(text && /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(text) ? `${text.replace(' ', 'T')}Z` : text);
}

const single = (shape: Table): Endpoint =>
  endpoint<Body>({
    shape,
    mails: mailsOf,
    answer: ([outcome], _, { message, send_at }) => jsonReply(outcome && toldOf(outcome, message, send_at)),
  });

/** What became of each recipient. */
function toldOf({ ids, accepted }: Outcome, { to }: Message, sendAt: string | undefined): readonly object[] {
  const status = (scheduleOf(sendAt)?.getTime() ?? 0) > Date.now() ? 'scheduled' : 'sent';
  return to.map(({ email }, index) =>
    accepted.includes(email)
      ? { email, status, _id: ids[index] ?? ids[0], reject_reason: null, queued_reason: null }
      : rejected(email),
  );
}

function rejected(email: string): object {
  return { email, status: 'rejected', reject_reason: 'hard-bounce', queued_reason: null };
}

const CALL: Table = { 'key!': 'text' };

/** Mailchimp Transactional, known as Mandrill (https://mailchimp.com/developer/transactional/api/). */
export const vendor: Vendor = {
  prefix: '/api/1.0',
  names: {
    fromEmail: 'message.from_email',
    to: 'message.to',
    cc: 'message.to',
    bcc: 'message.to',
    replyTo: 'message.headers.Reply-To',
    subject: 'message.subject',
    body: 'message.text',
    htmlBody: 'message.html',
    headers: 'message.headers',
    attachments: 'message.attachments',
    tags: 'message.tags',
    metadata: 'message.metadata',
    sendAt: 'send_at',
    templateId: 'template_name',
  },
  takesNull: true,
  hasKey: (_, body) => isObject(body) && Boolean(body['key']),
  refuse,
  endpoints: {
    'POST /messages/send': single(SEND),
    'POST /messages/send.json': single(SEND),
    'POST /messages/send-template': single(TEMPLATE),
    'POST /messages/send-template.json': single(TEMPLATE),
    'POST /users/ping': step({ shape: CALL, answer: () => jsonReply('PONG!') }),
    'POST /users/info': step({
      shape: CALL,
      answer: () => jsonReply({ username: 'amsdal-mailbox', reputation: 100, hourly_quota: 1000, backlog: 0 }),
    }),
  },
};

/** Errors have the status 500, and names. */
function refuse([problem]: readonly [Problem, ...Problem[]]): Reply {
  const { kind, message, field, addresses = [] } = problem;
  if (kind === 'refused') return jsonReply(addresses.map(rejected));
  const error = (name: string, code: number, text: string, status = 500): Reply =>
    jsonReply({ status: 'error', code, name, message: text }, status);
  if (kind === 'key') return error('ValidationError', -2, 'You must specify a key value');
  if (kind === 'path') return error('Unknown_Method', 0, message, 404);
  if (kind === 'throttled' || kind === 'too-large') return error('GeneralError', -99, message, statusOf(problem));
  const text = field === null ? textOf(problem) : JSON.stringify({ [field]: message });
  return error('ValidationError', -2, `Validation error: ${text}`);
}
