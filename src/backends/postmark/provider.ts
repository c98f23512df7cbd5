import type { Refusal } from '../../http/failure.ts';
import { asText, base64Of, fullTypeOf, headersOf, nameOf, ownIdOf, peopleOf, unlessEmpty } from '../../http/payload.ts';
import type { Answer, Built, Provider, Verdict } from '../../http/provider.ts';
import { addressKey, comparisonKey, type Mailbox } from '../../model/address.ts';
import { type EmailMessage, mailboxesOf } from '../../model/message.ts';
import type { DeliveryStatus } from '../../model/status.ts';
import type { PostmarkOptions } from '../postmark.ts';

/** One mail's part of an answer. */
interface PostmarkAnswer {
  readonly ErrorCode?: number;
  readonly Message?: string;
  readonly MessageID?: string;
}

/** What Postmark's codes mean (https://postmarkapp.com/developer/api/overview#error-codes); others are refusals of the mail. */
const MEANINGS: Readonly<Record<number, Pick<Refusal, 'code' | 'advice'>>> = {
  10: { code: 'auth', advice: 'give the token of a server, not that of the account' },
  100: { code: 'temporary' },
  400: { code: 'account', advice: 'add the sender or its domain at Postmark' },
  401: { code: 'account', advice: 'confirm the sender or its domain at Postmark' },
  405: { code: 'account' },
  412: { code: 'account' },
  413: { code: 'account' },
  429: { code: 'throttled' },
  1101: { code: 'template' },
};
const INACTIVE = 406;
const INVALID = 300;
/** Postmark names addresses in its text only, in lower case. */
const INACTIVE_ADDRESSES = /inactive addresses: (.+?)\.?(?: Inactive recipients|$)/;
const INVALID_ADDRESS = /^(?:Invalid|Error parsing) '(?:To|Cc|Bcc)'/;

/** Postmark's API. */
export function postmarkProvider({ serverToken = '', messageStream }: PostmarkOptions): Provider {
  return {
    baseUrl: 'https://api.postmarkapp.com',
    authorization: { 'x-postmark-server-token': serverToken },
    fixed: new Set(['from', 'to', 'cc', 'bcc']),
    templateMakes: ['subject', 'body', 'htmlBody'],
    batch: {
      max: 500,
      maxSize: 50_000_000,
      around: (path) => (path.endsWith('Templates') ? ['{"Messages":[', ']}'] : ['[', ']']),
      parse: ({ body }, messages) =>
        messages.map((_, index) => {
          const part = (body as readonly PostmarkAnswer[])[index] ?? {};
          const verdict = verdictOf(part);
          return verdict && { ...verdict, part };
        }),
    },
    check: { path: '/server', read: readServer },
    build: (message) => build(message, messageStream),
    parse: ({ body }) => verdictOf(body as PostmarkAnswer),
    refusal: ({ status, body, text }) => {
      const said = refusalOf(body as PostmarkAnswer | undefined, text);
      // What fails at Postmark itself says nothing of the mail, whatever number is in it; maintenance does.
      return status >= 500 && said.code !== 'temporary' ? { text: said.text } : said;
    },
  };
}

function readServer({ status, body }: Answer): Readonly<Record<string, string | null>> | null {
  const { Name = null, DeliveryType = null } = body as { readonly Name?: string; readonly DeliveryType?: string };
  return status < 300 ? { server: Name, deliveryType: DeliveryType } : null;
}

function build(message: EmailMessage, messageStream: string | undefined): Built {
  const { subject, body, htmlBody, templateId, mergeGlobalData, tags, metadata, trackOpens, trackClicks, parsed } =
    message;
  const { to, cc, bcc } = peopleOf(message);
  const list = (people: readonly Mailbox[]): string | undefined => people.map(asText).join(', ') || undefined;
  const attachments = message.attachments.map((attachment, index) => ({
    Name: nameOf(attachment, index),
    Content: base64Of(attachment),
    ContentType: fullTypeOf(attachment, index),
    ContentID: attachment.contentId === null ? undefined : `cid:${attachment.contentId}`,
  }));
  const isStored = templateId !== null;
  const hasNumber = isStored && /^\d+$/.test(templateId);
  return {
    path: isStored ? '/email/withTemplate' : '/email',
    batch: isStored ? '/email/batchWithTemplates' : '/email/batch',
    body: {
      From: asText(parsed.from),
      To: list(to),
      Cc: list(cc),
      Bcc: list(bcc),
      ReplyTo: list(mailboxesOf(parsed.replyTo)),
      Subject: isStored ? undefined : subject,
      TextBody: isStored || (body === '' && htmlBody !== null) ? undefined : body,
      HtmlBody: htmlBody ?? undefined,
      TemplateId: hasNumber ? Number(templateId) : undefined,
      TemplateAlias: isStored && !hasNumber ? templateId : undefined,
      TemplateModel: isStored ? (mergeGlobalData ?? {}) : undefined,
      Headers: unlessEmpty(headers(message)),
      Attachments: unlessEmpty(attachments),
      Tag: tags.length === 1 ? tags[0] : undefined,
      Metadata: unlessEmpty(metadata),
      TrackOpens: trackOpens || undefined,
      TrackLinks: trackClicks ? 'HtmlAndText' : undefined,
      MessageStream: messageStream,
    },
    ...(tags.length > 1 && { ignored: { tags: 'Postmark takes one tag' } }),
  };
}

function verdictOf(answer: PostmarkAnswer): Verdict {
  const { ErrorCode, MessageID, Message = '' } = answer;
  if (ErrorCode !== undefined && ErrorCode !== 0) return refusalOf(answer, '');
  if (MessageID === undefined) return null;
  // Without a code the mail is taken, and may be late.
  return { messageId: MessageID, status: ErrorCode === 0 ? 'sent' : 'queued', statusOf: rejectedIn(Message) };
}

function refusalOf({ ErrorCode, Message = '' }: PostmarkAnswer = {}, text: string): Refusal {
  if (ErrorCode === undefined) return { text: text.slice(0, 200) };
  const isInvalid = ErrorCode === INVALID && INVALID_ADDRESS.test(Message);
  const code = isInvalid ? 'invalid-recipient' : 'rejected';
  return {
    text: `${ErrorCode}: ${Message}`,
    code,
    ...MEANINGS[ErrorCode],
    ...(ErrorCode === INACTIVE && { statusOf: rejectedIn(Message) }),
  };
}

/** The recipients that a text says to be inactive: they had bounced or complained before. */
function rejectedIn(text: string): (recipient: Mailbox) => DeliveryStatus | undefined {
  const named = new Set(INACTIVE_ADDRESSES.exec(text)?.[1]?.split(', ').map(comparisonKey));
  return (recipient) => (named.has(addressKey(recipient).toLowerCase()) ? 'rejected' : undefined);
}

/** A Message-ID of one's own is kept when that is asked for (https://postmarkapp.com/support/article/861). */
function headers(message: EmailMessage): readonly { readonly Name: string; readonly Value: string }[] {
  const id = ownIdOf(message);
  const own = id === null ? {} : { 'Message-ID': `<${id}>`, 'X-PM-KeepID': 'true' };
  return Object.entries({ ...headersOf(message), ...own }).map(([Name, Value]) => ({ Name, Value }));
}
