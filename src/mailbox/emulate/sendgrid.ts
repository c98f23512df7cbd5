import { comparisonKey } from '../../model/address.ts';
import type { EmailMessageInit } from '../../model/message-init.ts';
import { jsonReply, type Reply } from '../web/reply.ts';
import { extraOf, fileOf, headerFields, templateOf, timeOf } from './fields.ts';
import { box, PERSON, type Person } from './people.ts';
import { hasBearer, refuseContent, statusOf } from './refusals.ts';
import { Choice, type Table } from './shape.ts';
import { endpoint, type Problem, type Vendor } from './vendor.ts';

const SWITCH: Table = { enable: 'boolean' };
// https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send, read 2026-11-30
const MAIL: Table = {
  'personalizations!': [
    {
      from: PERSON,
      'to!': [PERSON],
      cc: [PERSON],
      bcc: [PERSON],
      subject: 'text',
      headers: 'texts',
      substitutions: 'texts',
      dynamic_template_data: 'object',
      custom_args: 'texts',
      send_at: 'integer',
    },
  ],
  'from!': PERSON,
  reply_to: PERSON,
  reply_to_list: [PERSON],
  subject: 'text',
  content: [{ 'type!': 'text', 'value!': 'text' }],
  attachments: [{ 'content!': 'base64', 'filename!': 'text', type: 'text', disposition: 'text', content_id: 'text' }],
  template_id: 'text',
  headers: 'texts',
  sections: 'texts',
  categories: ['text'],
  custom_args: new Choice('texts', 'text'),
  send_at: 'integer',
  batch_id: 'text',
  asm: { 'group_id!': 'integer', groups_to_display: ['integer'] },
  ip_pool_name: 'text',
  mail_settings: {
    bypass_list_management: SWITCH,
    bypass_spam_management: SWITCH,
    bypass_bounce_management: SWITCH,
    bypass_unsubscribe_management: SWITCH,
    footer: { ...SWITCH, text: 'text', html: 'text' },
    sandbox_mode: SWITCH,
  },
  tracking_settings: {
    click_tracking: { ...SWITCH, enable_text: 'boolean' },
    open_tracking: { ...SWITCH, substitution_tag: 'text' },
    subscription_tracking: { ...SWITCH, text: 'text', html: 'text', substitution_tag: 'text' },
    ganalytics: {
      ...SWITCH,
      utm_source: 'text',
      utm_medium: 'text',
      utm_term: 'text',
      utm_content: 'text',
      utm_campaign: 'text',
    },
  },
};

type Texts = Readonly<Record<string, string>>;
interface Personalization {
  readonly from?: Person;
  readonly to: readonly Person[];
  readonly cc?: readonly Person[];
  readonly bcc?: readonly Person[];
  readonly subject?: string;
  readonly headers?: Texts;
  readonly substitutions?: Texts;
  readonly dynamic_template_data?: Readonly<Record<string, unknown>>;
  readonly custom_args?: Texts;
  readonly send_at?: number;
}
interface Mail {
  readonly personalizations: readonly Personalization[];
  readonly from: Person;
  readonly reply_to?: Person;
  readonly reply_to_list?: readonly Person[];
  readonly subject?: string;
  readonly content?: readonly { readonly type: string; readonly value: string }[];
  readonly attachments?: readonly File[];
  readonly template_id?: string;
  readonly headers?: Texts;
  readonly categories?: readonly string[];
  readonly custom_args?: Texts | string;
  readonly send_at?: number;
  readonly mail_settings?: { readonly sandbox_mode?: { readonly enable?: boolean } };
  readonly tracking_settings?: Readonly<Record<string, { readonly enable?: boolean }>>;
}
interface File {
  readonly content: string;
  readonly filename: string;
  readonly type?: string;
  readonly content_id?: string;
}

function messageOf(mail: Mail, own: Personalization): EmailMessageInit {
  const { content = [], tracking_settings: tracking = {}, ...rest } = mail;
  const subject = own.subject ?? mail.subject ?? '';
  const write = (text: string): string =>
    Object.entries(own.substitutions ?? {}).reduce((made, [tag, value]) => made.replaceAll(tag, () => value), text);
  const bodyOf = (wanted: string): string | undefined => content.find(({ type }) => type === wanted)?.value;
  const { init, left } = headerFields(Object.entries({ ...mail.headers, ...own.headers }));
  const replyTo = mail.reply_to_list ?? (mail.reply_to ? [mail.reply_to] : []);
  const html = bodyOf('text/html');
  const { asm, batch_id, ip_pool_name, mail_settings, sections } = rest as Readonly<Record<string, unknown>>;
  return {
    ...init,
    fromEmail: box(own.from ?? mail.from),
    to: own.to.map(box),
    cc: (own.cc ?? []).map(box),
    bcc: (own.bcc ?? []).map(box),
    replyTo: replyTo.map(box),
    subject: write(subject),
    body: write(bodyOf('text/plain') ?? ''),
    htmlBody: html === undefined ? null : write(html),
    alternatives: content
      .filter(({ type }) => type !== 'text/plain' && type !== 'text/html')
      .map(({ type, value }) => ({ mimetype: type, content: value })),
    attachments: (mail.attachments ?? []).map((file) =>
      fileOf(file.content, file.filename, file.type, file.content_id),
    ),
    ...templateOf(mail.template_id, own.dynamic_template_data),
    tags: mail.categories ?? [],
    metadata: { ...(typeof mail.custom_args === 'object' && mail.custom_args), ...own.custom_args },
    sendAt: timeOf(own.send_at ?? mail.send_at),
    trackOpens: tracking['open_tracking']?.enable === true,
    trackClicks: tracking['click_tracking']?.enable === true,
    ...extraOf('sendgrid', { asm, batch_id, ip_pool_name, mail_settings, sections, headers: left }),
  };
}

/** What the shape cannot say (https://www.twilio.com/docs/sendgrid/api-reference/mail-send/errors). */
function check({ personalizations, subject, content, template_id }: Mail): void {
  if (personalizations.length === 0)
    refuseContent('personalizations', 'The personalizations field must have at least one.');
  for (const [index, { to, cc = [], bcc = [] }] of personalizations.entries()) {
    if (to.length === 0)
      refuseContent(`personalizations[${index}].to`, 'The to array is required, and must have at least one.');
    const seen = new Set<string>();
    for (const { email } of [...to, ...cc, ...bcc]) {
      if (seen.size === seen.add(comparisonKey(email)).size)
        refuseContent(
          `personalizations[${index}]`,
          `Each email address should be unique among to, cc and bcc: ${email} is not.`,
        );
    }
  }
  if (template_id !== undefined) return;
  if (personalizations.some((own) => !(own.subject ?? subject)))
    refuseContent('subject', 'The subject is required, unless a template or every personalization has one.');
  if (content === undefined || content.length === 0)
    refuseContent('content', 'The content is required, unless there is a template.');
  const plain = content?.findIndex(({ type }) => type === 'text/plain') ?? -1;
  if (plain > 0) refuseContent(`content[${plain}].type`, 'The text/plain content must be the first.');
  for (const [index, { value }] of (content ?? []).entries())
    if (value === '') refuseContent(`content[${index}].value`, 'The content value must have at least one character.');
}

/** Twilio SendGrid. */
export const vendor: Vendor = {
  names: {
    fromEmail: 'from',
    to: 'personalizations[#].to',
    cc: 'personalizations[#].cc',
    bcc: 'personalizations[#].bcc',
    replyTo: 'reply_to',
    body: 'content',
    htmlBody: 'content',
    tags: 'categories',
    metadata: 'custom_args',
    sendAt: 'send_at',
    templateId: 'template_id',
  },
  hasKey: hasBearer,
  refuse,
  endpoints: {
    'POST /v3/mail/send': endpoint<Mail>({
      shape: MAIL,
      mails: (mail) => {
        check(mail);
        return mail.personalizations.map((own) => messageOf(mail, own));
      },
      answer: ([outcome], _, { mail_settings }) => ({
        // Of a sandbox it is 200: https://www.twilio.com/docs/sendgrid/for-developers/sending-email/sandbox-mode
        status: mail_settings?.sandbox_mode?.enable ? 200 : 202,
        headers: { 'x-message-id': outcome?.ids[0] ?? '' },
        body: '',
      }),
    }),
    'GET /v3/scopes': () => jsonReply({ scopes: ['mail.send'] }),
  },
};

function refuse(problems: readonly [Problem, ...Problem[]]): Reply {
  return jsonReply({ errors: problems.map(errorOf) }, statusOf(problems[0]));
}

function errorOf({ kind, field, message }: Problem): object {
  // Paths have dots where ours have brackets.
  const path = field?.replaceAll(/\[(\d+)\]/g, '.$1') ?? null;
  const name = path?.replace(/^.*\./, '');
  if (kind === 'key') return { message: 'authorization required', field: null, help: null };
  if (kind === 'unknown') return { message: `Additional property ${name} is not allowed`, field: path, help: null };
  if (kind === 'missing') return { message: `The ${name} field is required.`, field: path, help: null };
  if (kind === 'type') return { message: `Invalid type: ${message}.`, field: path, help: null };
  if (kind === 'address')
    return { message: `Does not contain a valid address: ${message}`, field: `${path}.email`, help: null };
  return { message, field: path, help: null };
}
