import type { Table } from '../strict-shape.ts';
import { type AskedMail, mailOf, type Vendor } from '../strict-vendor.ts';

const PERSON: Table = { 'Email!': 'filled', Name: 'filled' };
const FILE: Table = { 'ContentType!': 'filled', 'Filename!': 'filled', 'Base64Content!': 'base64' };
// https://dev.mailjet.com/email/reference/send-emails#v3_1_post_send and
// https://dev.mailjet.com/email/guides/send-api-v31/#send-api-json-properties, read 2026-11-30
const MESSAGE: Table = {
  From: PERSON,
  Sender: PERSON,
  'To!': [PERSON],
  Cc: [PERSON],
  Bcc: [PERSON],
  ReplyTo: PERSON,
  Subject: 'text',
  TextPart: 'text',
  HTMLPart: 'filled',
  TemplateID: 'integer',
  TemplateLanguage: 'boolean',
  TemplateErrorReporting: PERSON,
  TemplateErrorDeliver: 'boolean',
  Attachments: [FILE],
  InlinedAttachments: [{ ...FILE, 'ContentID!': 'filled' }],
  Priority: 'integer',
  CustomCampaign: 'filled',
  DeduplicateCampaign: 'boolean',
  TrackOpens: 'filled',
  TrackClicks: 'filled',
  CustomID: 'filled',
  EventPayload: 'filled',
  MonitoringCategory: 'filled',
  URLTags: 'filled',
  Headers: 'texts',
  Variables: 'json',
};

type Person = { readonly Email: string; readonly Name?: string };
interface Message {
  readonly From: Person;
  readonly To: Person[];
  readonly Cc?: Person[];
  readonly Bcc?: Person[];
  readonly ReplyTo?: Person;
  readonly Subject?: string;
  readonly TextPart?: string;
  readonly HTMLPart?: string;
  readonly Headers?: Record<string, string>;
  readonly Attachments?: File[];
  readonly InlinedAttachments?: File[];
}
interface File {
  readonly ContentType: string;
  readonly Filename: string;
  readonly Base64Content: string;
  readonly ContentID?: string;
}
type Body = { readonly Messages: Message[] };

const box = ({ Email, Name }: Person) => (Name === undefined ? Email : { name: Name, address: Email });

function asMail(message: Message): AskedMail {
  const { To, Cc = [], Bcc = [], Attachments = [], InlinedAttachments = [] } = message;
  return mailOf(
    [...To, ...Cc, ...Bcc].map(({ Email }) => Email),
    {
      fromEmail: box(message.From),
      to: To.map(box),
      cc: Cc.map(box),
      replyTo: message.ReplyTo ? box(message.ReplyTo) : [],
      subject: message.Subject ?? '',
      body: message.TextPart ?? '',
      htmlBody: message.HTMLPart ?? null,
      headers: message.Headers ?? {},
      attachments: [...Attachments, ...InlinedAttachments].map((file) => ({
        filename: file.Filename,
        content: Buffer.from(file.Base64Content, 'base64'),
        mimetype: file.ContentType,
        contentId: file.ContentID ?? null,
      })),
    },
  );
}

/** Ids are written as they are: numbers that JavaScript would round. */
function taken(recipients: readonly string[], id: string): string {
  const copies = recipients.map((address, index) => {
    const number = `205476817474330${id.replace('id-', '').padStart(3, '0')}${index}`;
    return `{"Email":${JSON.stringify(address)},"MessageUUID":"u","MessageID":${number}}`;
  });
  return `{"Status":"success","CustomID":"","To":[${copies.join()}],"Cc":[],"Bcc":[]}`;
}

/** Mailjet. */
export const mailjet: Vendor = {
  isKnown: ({ authorization }) =>
    authorization === `Basic ${Buffer.from(`${'0123456789abcdef'.repeat(2)}:${'f'.repeat(32)}`).toString('base64')}`,
  fault: (status, message) => ({
    status,
    body: {
      ErrorIdentifier: 'e',
      ErrorCode: status === 401 ? 'mj-0015' : status === 403 ? 'mj-0001' : 'mj-0003',
      StatusCode: status,
      ErrorMessage: message,
    },
  }),
  endpoints: {
    '/v3.1/send': {
      shape: { 'Messages!': [MESSAGE], SandboxMode: 'boolean', AdvanceErrorHandling: 'boolean' },
      mails: ({ Messages }: Body) => Messages.map((message) => [asMail(message)]),
      answer: (outcomes, ids, asked) => {
        const parts = outcomes.map((refused, index) => {
          const recipients = asked[index]?.[0]?.recipients ?? [];
          if (refused === null) return taken(recipients, ids[index] ?? '');
          const ErrorRelatedTo = [`To[${recipients.indexOf(refused)}].Email`];
          const ErrorMessage = `"${refused}" is an invalid email address.`;
          const error = { ErrorIdentifier: 'e', ErrorCode: 'mj-0013', StatusCode: 400, ErrorMessage, ErrorRelatedTo };
          return JSON.stringify({ Status: 'error', Errors: [error] });
        });
        return { status: outcomes.some((refused) => refused !== null) ? 400 : 200, body: `{"Messages":[${parts}]}` };
      },
    },
  },
};
