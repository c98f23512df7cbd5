import { readAddressInputs } from '../../mime/read/addresses.ts';
import type { AddressInput } from '../../model/address.ts';
import type { EmailMessageInit } from '../../model/message-init.ts';
import { jsonReply, type Reply } from '../web/reply.ts';
import { extraOf, fileOf, filled, headerFields, templateOf, textsOf, timeOf } from './fields.ts';
import { addressOf, box, checkAddress, PERSON, type Person } from './people.ts';
import { senderOf } from './raw-mail.ts';
import { missing } from './refusals.ts';
import { Choice, type Table } from './shape.ts';
import { type AskedMail, endpoint, type Problem, type Vendor } from './vendor.ts';

const FILE: Table = { 'name!': 'text', 'type!': 'text', 'data!': 'base64' };
// https://developers.sparkpost.com/api/transmissions/ and https://developers.sparkpost.com/api/recipient-lists/#header-recipient-object,
// read 2026-11-30
const TRANSMISSION: Table = {
  options: {
    start_time: 'text',
    open_tracking: 'boolean',
    click_tracking: 'boolean',
    initial_open: 'boolean',
    transactional: 'boolean',
    sandbox: 'boolean',
    skip_suppression: 'boolean',
    ip_pool: 'text',
    inline_css: 'boolean',
    perform_substitutions: 'boolean',
  },
  'recipients!': [
    {
      'address!': new Choice('text', { ...PERSON, header_to: 'text' }),
      return_path: 'text',
      tags: ['text'],
      metadata: 'object',
      substitution_data: 'object',
    },
  ],
  'content!': {
    from: new Choice('text', PERSON),
    subject: 'text',
    html: 'text',
    text: 'text',
    amp_html: 'text',
    reply_to: 'text',
    headers: 'texts',
    attachments: [FILE],
    inline_images: [FILE],
    email_rfc822: 'text',
    template_id: 'text',
    use_draft_template: 'boolean',
  },
  campaign_id: 'text',
  description: 'text',
  metadata: 'object',
  substitution_data: 'object',
  return_path: 'text',
};

type Values = Readonly<Record<string, unknown>>;
interface Recipient {
  readonly address: string | (Person & { readonly header_to?: string });
  readonly tags?: readonly string[];
  readonly metadata?: Values;
  readonly substitution_data?: Values;
}
interface Transmission {
  readonly recipients: readonly Recipient[];
  readonly content: {
    readonly from?: string | Person;
    readonly subject?: string;
    readonly text?: string;
    readonly html?: string;
    readonly amp_html?: string;
    readonly reply_to?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly attachments?: readonly File[];
    readonly inline_images?: readonly File[];
    readonly email_rfc822?: string;
    readonly template_id?: string;
  };
  readonly options?: Readonly<Record<string, boolean | string>>;
  readonly campaign_id?: string;
  readonly description?: string;
  readonly metadata?: Values;
  readonly substitution_data?: Values;
  readonly return_path?: string;
}
interface File {
  readonly name: string;
  readonly type: string;
  readonly data: string;
}

const emailOf = ({ address }: Recipient): string => (typeof address === 'string' ? address : address.email);
const headerTo = ({ address }: Recipient) => (typeof address === 'string' ? undefined : address.header_to);

/** What To says in the mail of a recipient. */
function toOf(recipient: Recipient | undefined): readonly AddressInput[] {
  if (recipient === undefined) return [];
  const { address } = recipient;
  const shown = headerTo(recipient);
  if (shown) return readAddressInputs(shown);
  return [typeof address === 'string' ? address : addressOf(address.email, address.name)];
}

/** Everybody gets a mail of his own; those whose mails have the same To are shown as one. */
function mailsOf(transmission: Transmission): readonly AskedMail[] {
  const { recipients, content } = transmission;
  if (recipients.length === 0) missing('recipients');
  for (const [index, recipient] of recipients.entries())
    checkAddress(`recipients[${index}].address.email`, emailOf(recipient));
  if (content.email_rfc822 !== undefined) {
    const source = Buffer.from(content.email_rfc822);
    return [{ source, from: senderOf(source), recipients: recipients.map(emailOf) }];
  }
  const mails = new Map<string, Recipient[]>();
  for (const recipient of recipients) {
    const to = headerTo(recipient) ?? emailOf(recipient);
    mails.set(to, [...(mails.get(to) ?? []), recipient]);
  }
  return [...mails.values()].map((those) => ({
    message: messageOf(transmission, those[0]),
    recipients: those.map(emailOf),
  }));
}

function messageOf({ content, options = {}, ...all }: Transmission, first: Recipient | undefined): EmailMessageInit {
  const { from, template_id: template, attachments = [], inline_images: images = [], html, amp_html: amp } = content;
  if (template === undefined) {
    if (from === undefined) missing('content.from');
    if (content.subject === undefined) missing('content.subject');
    if (!content.text && !html) missing('content.text', 'or content.html is needed');
  }
  const { start_time: start, open_tracking, click_tracking, perform_substitutions: fills, ...others } = options;
  const data = { ...all.substitution_data, ...first?.substitution_data };
  const write = (text = ''): string => (fills === false ? text : filled(text, /\{\{\s*([\w.-]+)\s*\}\}/g, data));
  const isCopied = ([name]: readonly [string, string]): boolean => name.toLowerCase() === 'cc';
  const headers = Object.entries(content.headers ?? {});
  const { init, left } = headerFields(headers.filter((header) => !isCopied(header)));
  const [sender] = typeof from === 'string' ? readAddressInputs(from) : from ? [box(from)] : [];
  return {
    ...init,
    fromEmail: sender ?? 'template@sparkpost.invalid',
    to: toOf(first),
    cc: headers.filter(isCopied).flatMap(([, value]) => readAddressInputs(value)),
    ...(content.reply_to && { replyTo: readAddressInputs(content.reply_to) }),
    ...(all.return_path && { envelopeSender: all.return_path }),
    subject: write(content.subject),
    body: write(content.text),
    htmlBody: html === undefined ? null : write(html),
    alternatives: amp === undefined ? [] : [{ mimetype: 'text/x-amp-html', content: amp }],
    attachments: [
      ...attachments.map(({ name, type, data: bytes }) => fileOf(bytes, name, type)),
      // The name of an image is its Content-ID.
      ...images.map(({ name, type, data: bytes }) => fileOf(bytes, name, type, name)),
    ],
    ...templateOf(template, data),
    tags: [...(all.campaign_id ? [all.campaign_id] : []), ...(first?.tags ?? [])],
    metadata: textsOf({ ...all.metadata, ...first?.metadata }),
    sendAt: timeOf(typeof start === 'string' ? start : undefined),
    trackOpens: open_tracking === true,
    trackClicks: click_tracking === true,
    ...extraOf('sparkpost', { options: others, description: all.description, headers: left }),
  };
}

/** SparkPost. */
export const vendor: Vendor = {
  prefix: '/api/v1',
  names: {
    fromEmail: 'content.from',
    to: 'recipients',
    cc: 'recipients',
    bcc: 'recipients',
    replyTo: 'content.reply_to',
    envelopeSender: 'return_path',
    subject: 'content.subject',
    body: 'content.text',
    htmlBody: 'content.html',
    headers: 'content.headers',
    attachments: 'content.attachments',
    tags: 'campaign_id',
    sendAt: 'options.start_time',
    templateId: 'content.template_id',
  },
  hasKey: ({ authorization }) => Boolean(authorization),
  refuse,
  endpoints: {
    'POST /transmissions': endpoint<Transmission>({
      shape: TRANSMISSION,
      mails: mailsOf,
      answer: ([outcome]) => {
        const total_rejected_recipients = outcome?.refused.length;
        const total_accepted_recipients = outcome?.accepted.length;
        return jsonReply({ results: { total_rejected_recipients, total_accepted_recipients, id: outcome?.ids[0] } });
      },
    }),
    'GET /account': () => jsonReply({ results: { company_name: 'amsdal-mailbox', status: 'active' } }),
  },
};

type Told = readonly [status: number, code: string | undefined, message: string];
const WRONG: Told = [422, '1300', 'invalid data format/type'];
// https://support.sparkpost.com/docs/tech-resources/extended-error-codes, read 2026-11-30
const TOLD: Readonly<Partial<Record<Problem['kind'], Told>>> = {
  key: [401, undefined, 'Unauthorized.'],
  path: [404, '1600', 'resource not found'],
  syntax: [400, '1300', 'invalid data format/type'],
  missing: [422, '1400', 'required field is missing'],
  address: [400, '5002', 'At least one valid recipient is required'],
  'too-large': [413, '1300', 'invalid data format/type'],
  refused: [400, '1902', 'Message generation rejected'],
  throttled: [420, '2101', 'Exceed Sending Limit (hourly)'],
};

function refuse(problems: readonly [Problem, ...Problem[]]): Reply {
  const told = problems.map((problem): readonly [Told, object] => {
    const { kind, field, message: what } = problem;
    const all = (kind === 'address' && !field?.startsWith('recipients') ? undefined : TOLD[kind]) ?? WRONG;
    const [, code, message] = all;
    const description = kind === 'key' ? undefined : field === null ? what : `${field} ${what}`;
    return [all, { message, description, code }];
  });
  return jsonReply({ errors: told.map(([, error]) => error) }, told[0]?.[0][0]);
}
