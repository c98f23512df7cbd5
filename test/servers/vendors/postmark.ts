import { splitAddresses } from '../split-addresses.ts';
import type { Table } from '../strict-shape.ts';
import { type AskedMail, bare, mailOf, type Vendor } from '../strict-vendor.ts';

const COMMON: Table = {
  'From!': 'filled',
  To: 'filled', // Bcc alone will do: https://github.com/ActiveCampaign/swiftmailer-postmark/pull/18
  Cc: 'filled',
  Bcc: 'filled',
  ReplyTo: 'filled',
  Tag: 'filled',
  Headers: [{ 'Name!': 'filled', 'Value!': 'text' }],
  Metadata: 'texts',
  TrackOpens: 'boolean',
  TrackLinks: 'filled',
  MessageStream: 'filled',
  Attachments: [{ 'Name!': 'filled', 'Content!': 'base64', 'ContentType!': 'filled', ContentID: 'filled' }],
};
// https://postmarkapp.com/developer/api/email-api, read 2026-11-30
const EMAIL: Table = { ...COMMON, Subject: 'text', TextBody: 'text', HtmlBody: 'filled' };
// https://postmarkapp.com/developer/api/templates-api#email-with-template, read 2026-11-30
const TEMPLATE: Table = {
  ...COMMON,
  TemplateId: 'integer',
  TemplateAlias: 'filled',
  'TemplateModel!': 'json',
  InlineCss: 'boolean',
};

interface Email {
  readonly From: string;
  readonly To?: string;
  readonly Cc?: string;
  readonly Bcc?: string;
  readonly ReplyTo?: string;
  readonly Subject?: string;
  readonly TextBody?: string;
  readonly HtmlBody?: string;
  readonly Headers?: { Name: string; Value: string }[];
  readonly Attachments?: { Name: string; Content: string; ContentType: string; ContentID?: string }[];
}

function asMail(email: Email): AskedMail {
  const [to, cc, bcc, replyTo] = [email.To, email.Cc, email.Bcc, email.ReplyTo].map((list) =>
    splitAddresses(list ?? ''),
  );
  return mailOf([...(to ?? []), ...(cc ?? []), ...(bcc ?? [])].map(bare), {
    fromEmail: email.From,
    to: to ?? [],
    cc: cc ?? [],
    replyTo: replyTo ?? [],
    subject: email.Subject ?? '',
    body: email.TextBody ?? '',
    htmlBody: email.HtmlBody ?? null,
    headers: Object.fromEntries((email.Headers ?? []).map(({ Name, Value }) => [Name, Value])),
    attachments: (email.Attachments ?? []).map(({ Name, Content, ContentType, ContentID }) => ({
      filename: Name,
      content: Buffer.from(Content, 'base64'),
      mimetype: ContentType,
      contentId: ContentID?.replace(/^cid:/, '') ?? null,
    })),
  });
}

const one = (refused: string | null | undefined, id: string | undefined) =>
  refused
    ? {
        ErrorCode: 406,
        Message: `You tried to send to recipient(s) that have been marked as inactive. Found inactive addresses: ${refused}. Inactive recipients are ones that have generated a hard bounce, a spam complaint, or a manual suppression.`,
      }
    : { ErrorCode: 0, Message: 'OK', MessageID: id, SubmittedAt: '2026-11-30T00:00:00Z', To: 'x' };

const single = (shape: Table) => ({
  shape,
  mails: (email: Email) => [[asMail(email)]],
  answer: ([refused]: readonly (string | null)[], [id]: readonly string[]) => ({
    status: refused ? 422 : 200,
    body: one(refused, id),
  }),
});

/** Postmark. */
export const postmark: Vendor = {
  isKnown: (headers) => headers['x-postmark-server-token'] === '11111111-2222-3333-4444-555555555555',
  fault: (status, message) => ({
    status: status === 401 ? 401 : 422,
    body: { ErrorCode: status === 401 ? 10 : status === 403 ? 413 : 402, Message: message },
  }),
  endpoints: {
    '/email': single(EMAIL),
    '/email/withTemplate': single(TEMPLATE),
    '/email/batch': {
      shape: [EMAIL],
      mails: (emails: Email[]) => emails.map((email) => [asMail(email)]),
      answer: (outcomes, ids) => ({ body: outcomes.map((refused, index) => one(refused, ids[index])) }),
    },
    '/email/batchWithTemplates': {
      shape: { 'Messages!': [TEMPLATE] },
      mails: ({ Messages }: { Messages: Email[] }) => Messages.map((email) => [asMail(email)]),
      answer: (outcomes, ids) => ({ body: outcomes.map((refused, index) => one(refused, ids[index])) }),
    },
  },
};
