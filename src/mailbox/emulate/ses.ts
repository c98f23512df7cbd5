import type { EmailMessageInit } from '../../model/message-init.ts';
import { jsonReply, type Reply } from '../web/reply.ts';
import { extraOf, fileOf, headerFields, objectIn, templateOf } from './fields.ts';
import { recipientsOf, senderOf } from './raw-mail.ts';
import { missing, textOf as plainText } from './refusals.ts';
import type { Table } from './shape.ts';
import { type AskedMail, endpoint, type Problem, type Vendor } from './vendor.ts';

const TEXT: Table = { 'Data!': 'text', Charset: 'text' };
const HEADERS = [{ 'Name!': 'text', 'Value!': 'text' }] as const;
const TAGS = [{ 'Name!': 'text', 'Value!': 'text' }] as const;
const DESTINATION: Table = { ToAddresses: ['text'], CcAddresses: ['text'], BccAddresses: ['text'] };
const ATTACHMENTS = [
  {
    'FileName!': 'text',
    'RawContent!': 'base64',
    ContentType: 'text',
    ContentId: 'text',
    ContentDisposition: 'text',
    ContentDescription: 'text',
    ContentTransferEncoding: 'text',
  },
] as const;
const TEMPLATE: Table = {
  TemplateName: 'text',
  TemplateArn: 'text',
  TemplateData: 'text',
  TemplateContent: { Subject: 'text', Text: 'text', Html: 'text' },
  Headers: HEADERS,
  Attachments: ATTACHMENTS,
};
const COMMON: Table = {
  FromEmailAddress: 'text',
  FromEmailAddressIdentityArn: 'text',
  ReplyToAddresses: ['text'],
  FeedbackForwardingEmailAddress: 'text',
  FeedbackForwardingEmailAddressIdentityArn: 'text',
  ConfigurationSetName: 'text',
  EndpointId: 'text',
  TenantName: 'text',
};
// https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html, read 2026-11-30
const EMAIL: Table = {
  ...COMMON,
  Destination: DESTINATION,
  'Content!': {
    Simple: {
      'Subject!': TEXT,
      'Body!': { Text: TEXT, Html: TEXT },
      Headers: HEADERS,
      Attachments: ATTACHMENTS,
    },
    Raw: { 'Data!': 'base64' },
    Template: TEMPLATE,
  },
  EmailTags: TAGS,
  ListManagementOptions: { 'ContactListName!': 'text', TopicName: 'text' },
};
// https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendBulkEmail.html, read 2026-11-30
const BULK: Table = {
  ...COMMON,
  'DefaultContent!': { Template: TEMPLATE },
  DefaultEmailTags: TAGS,
  'BulkEmailEntries!': [
    {
      'Destination!': DESTINATION,
      ReplacementTags: TAGS,
      ReplacementEmailContent: { ReplacementTemplate: { ReplacementTemplateData: 'text' } },
      ReplacementHeaders: HEADERS,
    },
  ],
};

type Pairs = readonly { readonly Name: string; readonly Value: string }[];
interface Text {
  readonly Data: string;
}
interface Destination {
  readonly ToAddresses?: readonly string[];
  readonly CcAddresses?: readonly string[];
  readonly BccAddresses?: readonly string[];
}
interface Further {
  readonly Headers?: Pairs;
  readonly Attachments?: readonly {
    readonly FileName: string;
    readonly RawContent: string;
    readonly ContentType?: string;
    readonly ContentId?: string;
  }[];
}
interface Template extends Further {
  readonly TemplateName?: string;
  readonly TemplateArn?: string;
  readonly TemplateData?: string;
  readonly TemplateContent?: { readonly Subject?: string; readonly Text?: string; readonly Html?: string };
}
interface Common {
  readonly FromEmailAddress?: string;
  readonly ReplyToAddresses?: readonly string[];
  readonly FeedbackForwardingEmailAddress?: string;
  readonly ConfigurationSetName?: string;
  readonly TenantName?: string;
}
interface Email extends Common {
  readonly Destination?: Destination;
  readonly Content: {
    readonly Simple?: Further & {
      readonly Subject: Text;
      readonly Body: { readonly Text?: Text; readonly Html?: Text };
    };
    readonly Raw?: { readonly Data: string };
    readonly Template?: Template;
  };
  readonly EmailTags?: Pairs;
  readonly ListManagementOptions?: object;
}
interface Entry {
  readonly Destination: Destination;
  readonly ReplacementTags?: Pairs;
  readonly ReplacementEmailContent?: { readonly ReplacementTemplate?: { readonly ReplacementTemplateData?: string } };
  readonly ReplacementHeaders?: Pairs;
}
interface Bulk extends Common {
  readonly DefaultContent: { readonly Template?: Template };
  readonly DefaultEmailTags?: Pairs;
  readonly BulkEmailEntries: readonly Entry[];
}

const record = (pairs: Pairs = []) => Object.fromEntries(pairs.map(({ Name, Value }) => [Name, Value]));

function mailOf(email: Email): AskedMail {
  const { FromEmailAddress, Destination = {}, Content, EmailTags, ReplyToAddresses = [] } = email;
  const { ToAddresses = [], CcAddresses = [], BccAddresses = [] } = Destination;
  const { Simple, Raw, Template } = Content;
  const metadata = record(EmailTags);
  if (Raw !== undefined) {
    const source = Buffer.from(Raw.Data, 'base64');
    const named = [...ToAddresses, ...CcAddresses, ...BccAddresses].map(bare);
    const recipients = named.length > 0 ? named : recipientsOf(source);
    return { source, from: bare(FromEmailAddress ?? senderOf(source)), recipients, metadata };
  }
  if (Simple === undefined && Template === undefined) missing('Content', 'must be Simple, Raw or Template');
  if (FromEmailAddress === undefined) return missing('FromEmailAddress');
  const { Headers = [], Attachments = [] }: Further = Simple ?? Template ?? {};
  const { init, left } = headerFields(Headers.map(({ Name, Value }) => [Name, Value]));
  const own = Template?.TemplateContent;
  const { FeedbackForwardingEmailAddress, ConfigurationSetName, TenantName, ListManagementOptions } = email;
  return {
    ...init,
    fromEmail: FromEmailAddress,
    to: ToAddresses,
    cc: CcAddresses,
    bcc: BccAddresses,
    ...(ReplyToAddresses.length > 0 && { replyTo: ReplyToAddresses }),
    ...(FeedbackForwardingEmailAddress !== undefined && { envelopeSender: FeedbackForwardingEmailAddress }),
    subject: Simple?.Subject.Data ?? own?.Subject ?? '',
    body: Simple?.Body.Text?.Data ?? own?.Text ?? '',
    htmlBody: Simple?.Body.Html?.Data ?? own?.Html ?? null,
    attachments: Attachments.map(({ FileName, RawContent, ContentType, ContentId }) =>
      fileOf(RawContent, FileName, ContentType, ContentId?.replace(/^<(.*)>$/, '$1')),
    ),
    ...templateOf(
      Template?.TemplateName ?? Template?.TemplateArn,
      objectIn('TemplateData', Template?.TemplateData ?? '{}'),
    ),
    metadata,
    ...extraOf('ses', { ConfigurationSetName, TenantName, ListManagementOptions, headers: left }),
  } satisfies EmailMessageInit;
}

/** An entry of a bulk request, as the request that it stands for. */
function entryOf(bulk: Bulk, entry: Entry): Email {
  const { DefaultContent, DefaultEmailTags = [], BulkEmailEntries: _, ...common } = bulk;
  const { Template = {} } = DefaultContent;
  const { ReplacementTemplateData } = entry.ReplacementEmailContent?.ReplacementTemplate ?? {};
  const data = {
    ...objectIn('TemplateData', Template.TemplateData ?? '{}'),
    ...objectIn('ReplacementTemplateData', ReplacementTemplateData ?? '{}'),
  };
  const Headers = [...(Template.Headers ?? []), ...(entry.ReplacementHeaders ?? [])];
  return {
    ...common,
    Destination: entry.Destination,
    Content: { Template: { ...Template, Headers, TemplateData: JSON.stringify(data) } },
    EmailTags: [...DefaultEmailTags, ...(entry.ReplacementTags ?? [])],
  };
}

function bare(address: string): string {
  return /<([^<>]*)>\s*$/.exec(address)?.[1] ?? address;
}

/** Amazon SES, version 2 of its API; signatures are not checked. */
export const vendor: Vendor = {
  names: {
    fromEmail: 'FromEmailAddress',
    to: 'Destination.ToAddresses',
    cc: 'Destination.CcAddresses',
    bcc: 'Destination.BccAddresses',
    replyTo: 'ReplyToAddresses',
    envelopeSender: 'FeedbackForwardingEmailAddress',
    metadata: 'EmailTags',
    attachments: 'Attachments',
    headers: 'Headers',
  },
  takesNull: true,
  hasKey: ({ authorization = '' }) => authorization.startsWith('AWS4-'),
  refuse,
  endpoints: {
    'POST /v2/email/outbound-emails': endpoint<Email>({
      shape: EMAIL,
      mails: (email) => [mailOf(email)],
      answer: ([outcome]) => jsonReply({ MessageId: outcome?.ids[0] }),
    }),
    'POST /v2/email/outbound-bulk-emails': endpoint<Bulk, Email>({
      shape: BULK,
      max: 50,
      takesParts: () => true,
      parts: (bulk) => bulk.BulkEmailEntries.map((entry) => entryOf(bulk, entry)),
      mails: (email) => [mailOf(email)],
      answer: (outcomes) =>
        jsonReply({
          BulkEmailEntryResults: outcomes.map((outcome) =>
            outcome.problem === null
              ? { Status: 'SUCCESS', MessageId: outcome.ids[0] }
              : { Status: statusOf(outcome.problem), Error: textOf(outcome.problem) },
          ),
        }),
    }),
    'GET /v2/email/account': () =>
      jsonReply({
        SendQuota: { Max24HourSend: 50_000, MaxSendRate: 1_000, SentLast24Hours: 0 },
        SendingEnabled: true,
        ProductionAccessEnabled: true,
        EnforcementStatus: 'HEALTHY',
      }),
  },
};

function statusOf({ kind }: Problem): string {
  if (kind === 'throttled') return 'ACCOUNT_THROTTLED';
  return kind === 'refused' ? 'MESSAGE_REJECTED' : 'INVALID_PARAMETER';
}

const TYPES: Readonly<Partial<Record<Problem['kind'], readonly [status: number, type: string]>>> = {
  key: [403, 'MissingAuthenticationTokenException'],
  path: [404, 'NotFoundException'],
  syntax: [400, 'SerializationException'],
  'too-large': [413, 'RequestEntityTooLargeException'],
  refused: [400, 'MessageRejected'],
  throttled: [429, 'TooManyRequestsException'],
};

function refuse([problem]: readonly [Problem, ...Problem[]]): Reply {
  const [status, type] = TYPES[problem.kind] ?? [400, 'BadRequestException'];
  const reply = jsonReply({ message: textOf(problem) }, status);
  return { ...reply, headers: { ...reply.headers, 'x-amzn-errortype': type } };
}

function textOf(problem: Problem): string {
  return problem.kind === 'key' ? 'Missing Authentication Token' : plainText(problem);
}
