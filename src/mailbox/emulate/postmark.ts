import { readAddressInputs } from '../../mime/read/addresses.ts';
import type { EmailMessageInit } from '../../model/message-init.ts';
import { jsonReply, type Reply } from '../web/reply.ts';
import { extraOf, fileOf, headerFields, templateOf } from './fields.ts';
import { textOf as plainText, refuseContent } from './refusals.ts';
import type { Table } from './shape.ts';
import { endpoint, type Outcome, type Problem, type Vendor } from './vendor.ts';

const COMMON: Table = {
  'From!': 'text',
  'To!': 'text',
  Cc: 'text',
  Bcc: 'text',
  ReplyTo: 'text',
  Tag: 'text',
  Headers: [{ 'Name!': 'text', 'Value!': 'text' }],
  Metadata: 'texts',
  TrackOpens: 'boolean',
  TrackLinks: 'text',
  MessageStream: 'text',
  Attachments: [
    {
      'Name!': 'text',
      'Content!': 'base64',
      'ContentType!': 'text',
      ContentID: 'text',
      ContentLength: 'integer', // the SDK's types have it
    },
  ],
  InlineCss: 'boolean',
};
// https://postmarkapp.com/developer/api/email-api, read 2026-11-30
const EMAIL: Table = { ...COMMON, Subject: 'text', TextBody: 'text', HtmlBody: 'text' };
// https://postmarkapp.com/developer/api/templates-api#email-with-template, read 2026-11-30
const TEMPLATE: Table = {
  ...COMMON,
  TemplateId: 'integer',
  TemplateAlias: 'text',
  'TemplateModel!': 'object',
};

interface Email {
  readonly From: string;
  readonly To: string;
  readonly Cc?: string;
  readonly Bcc?: string;
  readonly ReplyTo?: string;
  readonly Subject?: string;
  readonly TextBody?: string;
  readonly HtmlBody?: string;
  readonly Tag?: string;
  readonly Headers?: readonly { readonly Name: string; readonly Value: string }[];
  readonly Metadata?: Readonly<Record<string, string>>;
  readonly TrackOpens?: boolean;
  readonly TrackLinks?: string;
  readonly MessageStream?: string;
  readonly InlineCss?: boolean;
  readonly Attachments?: readonly File[];
  readonly TemplateId?: number;
  readonly TemplateAlias?: string;
  readonly TemplateModel?: Readonly<Record<string, unknown>>;
}
interface File {
  readonly Name: string;
  readonly Content: string;
  readonly ContentType: string;
  readonly ContentID?: string;
}

const LINKS = ['None', 'HtmlAndText', 'HtmlOnly', 'TextOnly'];

function messageOf(email: Email, isTemplate: boolean): EmailMessageInit {
  const {
    TextBody = '',
    HtmlBody = '',
    TrackLinks = 'None',
    TemplateId,
    TemplateAlias,
    MessageStream,
    InlineCss,
  } = email;
  if (isTemplate && TemplateId === undefined && TemplateAlias === undefined)
    refuseContent('TemplateId', 'or TemplateAlias is needed');
  if (!isTemplate && TextBody === '' && HtmlBody === '') refuseContent('TextBody', 'or HtmlBody must say something');
  if (!LINKS.includes(TrackLinks)) refuseContent('TrackLinks', `must be one of ${LINKS.join(', ')}`);
  const { init, left } = headerFields((email.Headers ?? []).map(({ Name, Value }) => [Name, Value]));
  const list = (addresses = '') => readAddressInputs(addresses);
  const [from = email.From] = list(email.From);
  return {
    ...init,
    fromEmail: from,
    to: list(email.To),
    cc: list(email.Cc),
    bcc: list(email.Bcc),
    ...(email.ReplyTo && { replyTo: list(email.ReplyTo) }),
    subject: email.Subject ?? '',
    body: TextBody,
    htmlBody: HtmlBody === '' ? null : HtmlBody,
    attachments: (email.Attachments ?? []).map(({ Name, Content, ContentType, ContentID }) =>
      fileOf(Content, Name, ContentType, ContentID?.replace(/^cid:/, '')),
    ),
    ...templateOf(TemplateId ?? TemplateAlias, email.TemplateModel),
    tags: email.Tag ? [email.Tag] : [],
    metadata: email.Metadata ?? {},
    trackOpens: email.TrackOpens === true,
    trackClicks: TrackLinks !== 'None',
    ...extraOf('postmark', { MessageStream, InlineCss, headers: left }),
  };
}

const single = (shape: Table, isTemplate: boolean) =>
  endpoint<Email>({
    shape,
    mails: (email) => [messageOf(email, isTemplate)],
    answer: ([outcome], _, email) => jsonReply(outcome && toldOf(outcome, email)),
  });

/** Postmark (https://postmarkapp.com/developer/api/overview#error-codes). */
export const vendor: Vendor = {
  names: {
    fromEmail: 'From',
    to: 'To',
    cc: 'Cc',
    bcc: 'Bcc',
    replyTo: 'ReplyTo',
    subject: 'Subject',
    body: 'TextBody',
    htmlBody: 'HtmlBody',
    headers: 'Headers',
    attachments: 'Attachments',
    tags: 'Tag',
    metadata: 'Metadata',
    templateId: 'TemplateId',
  },
  takesNull: true,
  hasKey: (headers) => Boolean(headers['x-postmark-server-token']),
  refuse,
  endpoints: {
    'POST /email': single(EMAIL, false),
    'POST /email/withTemplate': single(TEMPLATE, true),
    'POST /email/batch': endpoint<readonly Email[], Email>({
      shape: [EMAIL],
      max: 500,
      takesParts: () => true,
      parts: (emails) => emails,
      mails: (email) => [messageOf(email, false)],
      answer: (outcomes, _, emails) => jsonReply(outcomes.map((outcome, index) => toldOf(outcome, emails[index]))),
    }),
    'POST /email/batchWithTemplates': endpoint<{ readonly Messages: readonly Email[] }, Email>({
      shape: { 'Messages!': [TEMPLATE] },
      max: 500,
      takesParts: () => true,
      parts: ({ Messages }) => Messages,
      mails: (email) => [messageOf(email, true)],
      answer: (outcomes, _, { Messages }) =>
        jsonReply(outcomes.map((outcome, index) => toldOf(outcome, Messages[index]))),
    }),
    'GET /server': () => jsonReply({ ID: 1, Name: 'amsdal-mailbox', DeliveryType: 'Sandbox' }),
  },
};

function toldOf(outcome: Outcome, email: Email | undefined): object {
  if (outcome.problem !== null) return errorOf(outcome.problem);
  const { refused, ids } = outcome;
  const inactive = `Message OK, but will not deliver to these inactive addresses: ${refused.join(', ')}.`;
  return {
    To: email?.To ?? '',
    ...(email?.Cc && { Cc: email.Cc }),
    ...(email?.Bcc && { Bcc: email.Bcc }),
    SubmittedAt: new Date().toISOString(),
    MessageID: ids[0],
    ErrorCode: 0,
    Message: refused.length > 0 ? inactive : 'OK',
  };
}

const CODES: Readonly<Partial<Record<Problem['kind'], readonly [status: number, code: number]>>> = {
  key: [401, 10],
  path: [404, 404],
  syntax: [422, 402],
  missing: [422, 300],
  unknown: [422, 403],
  type: [422, 403],
  'too-large': [413, 300],
  refused: [422, 406],
  throttled: [429, 429],
};

function refuse([problem]: readonly [Problem, ...Problem[]]): Reply {
  const [status] = CODES[problem.kind] ?? [422];
  return jsonReply(errorOf(problem), status);
}

function errorOf(problem: Problem): object {
  const [, ErrorCode] = CODES[problem.kind] ?? [422, 300];
  return { ErrorCode, Message: textOf(problem) };
}

function textOf(problem: Problem): string {
  const { kind, field, message, addresses = [] } = problem;
  if (kind === 'key') return 'The header X-Postmark-Server-Token is missing.';
  if (kind === 'address') return `Invalid '${field?.replace(/\[.*/, '')}' address: ${message}`;
  if (kind === 'refused')
    return `Some recipients are marked as inactive. Found inactive addresses: ${addresses.join(', ')}. Inactive recipients are such that ${message}`;
  return plainText(problem);
}
