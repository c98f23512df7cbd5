import type { Refusal } from '../../http/failure.ts';
import { base64Of, headersOf, mediaTypeOf, nameOf, peopleOf, unlessEmpty } from '../../http/payload.ts';
import type { Answer, Built, Provider, Verdict } from '../../http/provider.ts';
import { addressKey, comparisonKey, type Mailbox } from '../../model/address.ts';
import { MessageError } from '../../model/errors.ts';
import { type EmailMessage, mailboxesOf } from '../../model/message.ts';
import type { MailjetOptions } from '../mailjet.ts';

/** What is wrong with a message, or with the request. */
interface MailjetError {
  readonly ErrorCode?: string;
  readonly ErrorMessage?: string;
  readonly StatusCode?: number;
  readonly ErrorRelatedTo?: readonly string[];
}
/** One mail's part of an answer. */
interface MailjetAnswer {
  readonly Status?: string;
  readonly Errors?: readonly MailjetError[];
  readonly To?: readonly MailjetCopy[];
  readonly Cc?: readonly MailjetCopy[];
  readonly Bcc?: readonly MailjetCopy[];
}
/** What one recipient gets; in the sandbox the id is 0. */
interface MailjetCopy {
  readonly Email: string;
  readonly MessageID: string | number;
}
type Answered = { readonly Messages?: readonly MailjetAnswer[] } & MailjetError;

/** What Mailjet's codes mean (https://dev.mailjet.com/email/guides/send-api-v31/#send-api-errors); others are refusals of the mail. */
const MEANINGS: Readonly<Record<string, Pick<Refusal, 'code' | 'advice'>>> = {
  'mj-0001': { code: 'account', advice: 'the key is suspended: ask the support of Mailjet' },
  'mj-0011': { code: 'too-large' },
  'mj-0015': { code: 'auth', advice: 'give both keys of the same pair, and the region that they are of' },
  'send-0008': { code: 'account', advice: 'add the sender or its domain at https://app.mailjet.com/account/sender' },
  'send-0010': { code: 'template', advice: 'templateId is the number of a template of the same account' },
};
/** What the HTTP status of one mail's fault means; that of the answer may be another mail's. */
const OF_STATUS: ReadonlyMap<number, Refusal['code']> = /* @__PURE__ */ new Map<number, Refusal['code']>([
  [401, 'auth'],
  [403, 'account'],
  [413, 'too-large'],
  [429, 'throttled'],
]);
const INVALID_ADDRESS = 'mj-0013';
const SEND = '/v3.1/send';

/** Mailjet's API. */
export function mailjetProvider({ apiKey, secretKey, region, sandbox = false }: MailjetOptions): Provider {
  const head = sandbox ? '{"SandboxMode":true,' : '{';
  return {
    baseUrl: region === 'us' ? 'https://api.us.mailjet.com' : 'https://api.mailjet.com',
    authorization: { authorization: `Basic ${Buffer.from(`${apiKey}:${secretKey}`).toString('base64')}` },
    fixed: new Set(['from', 'sender', 'to', 'cc', 'bcc']),
    needsTo: true,
    mergesTexts: 'always',
    batch: {
      max: 50,
      maxSize: 15_000_000,
      holdsOne: true,
      around: () => [`${head}"Messages":[`, ']}'],
      parse: ({ body }, messages) => messages.map((message, index) => verdictOf(body as Answered, message, index)),
    },
    check: { path: '/v3/REST/sender?Limit=1000', read: readSenders },
    build,
    parse: ({ body }, message) => verdictOf(body as Answered, message, 0),
    // Where a message is refused, the others were taken, and the status is that of the refusal.
    tellsOfEach: ({ status, body }) => status < 500 && Array.isArray((body as Answered | null | undefined)?.Messages),
    refusal: ({ body, text }) => refusalOf([(body ?? {}) as MailjetError], text),
  };
}

function readSenders({ status, body }: Answer): { readonly activeSenders: number } | null {
  const { Data = [] } = body as { readonly Data?: readonly { readonly Status?: string }[] };
  return status < 300 ? { activeSenders: Data.filter((sender) => sender.Status === 'Active').length } : null;
}

/** @throws {MessageError} for a template that has no number */
function build(message: EmailMessage): Built {
  const { subject, body, htmlBody, templateId, mergeGlobalData, tags, metadata, trackOpens, trackClicks } = message;
  const { to, cc, bcc } = peopleOf(message);
  const [replyTo] = mailboxesOf(message.parsed.replyTo);
  const files = message.attachments.map((attachment, index) => ({
    ContentType: mediaTypeOf(attachment),
    Filename: nameOf(attachment, index),
    Base64Content: base64Of(attachment),
    ContentID: attachment.contentId ?? undefined,
  }));
  const isStored = templateId !== null;
  const hasHtml = htmlBody !== null || isStored;
  const untracked = 'Mailjet follows mails with HTML only';
  return {
    path: SEND,
    batch: SEND,
    body: {
      From: person(message.parsed.from),
      To: unlessEmpty(to.map(person)),
      Cc: unlessEmpty(cc.map(person)),
      Bcc: unlessEmpty(bcc.map(person)),
      ReplyTo: replyTo && person(replyTo),
      Subject: subject === '' && isStored ? undefined : subject,
      TextPart: body === '' && hasHtml ? undefined : body,
      HTMLPart: htmlBody ?? undefined,
      TemplateID: isStored ? numberOf(templateId) : undefined,
      TemplateLanguage: isStored || mergeGlobalData !== null ? true : undefined,
      Variables: unlessEmpty(mergeGlobalData ?? {}),
      Headers: unlessEmpty(headersOf(message)),
      Attachments: unlessEmpty(files.filter(({ ContentID }) => ContentID === undefined)),
      InlinedAttachments: unlessEmpty(files.filter(({ ContentID }) => ContentID !== undefined)),
      CustomCampaign: tags.length === 1 ? tags[0] : undefined,
      EventPayload: unlessEmpty(metadata) && JSON.stringify(metadata),
      TrackOpens: trackOpens && hasHtml ? 'enabled' : undefined,
      TrackClicks: trackClicks && hasHtml ? 'enabled' : undefined,
    },
    ignored: {
      ...(tags.length > 1 && { tags: 'Mailjet takes one tag' }),
      ...(trackOpens && !hasHtml && { trackOpens: untracked }),
      ...(trackClicks && !hasHtml && { trackClicks: untracked }),
    },
  };
}

function verdictOf({ Messages = [] }: Answered, message: EmailMessage, index: number): Verdict {
  const part = Messages[index];
  if (part?.Status === 'error') {
    const errors = part.Errors ?? [];
    const [status = 400] = errors.flatMap(({ StatusCode }) => StatusCode ?? []);
    return { code: OF_STATUS.get(status) ?? 'rejected', ...refusalOf(errors, '', message), part };
  }
  if (part?.Status !== 'success') return null;
  const copies = [...(part.To ?? []), ...(part.Cc ?? []), ...(part.Bcc ?? [])];
  const ids = new Map(copies.map(({ Email, MessageID }) => [comparisonKey(Email), String(MessageID)]));
  const [first = '0'] = ids.values();
  if (first === '0') return { messageId: null, part };
  return { messageId: first, idOf: (recipient) => ids.get(addressKey(recipient)), part };
}

function refusalOf(errors: readonly MailjetError[], text: string, message?: EmailMessage): Refusal {
  const said = errors.map(({ ErrorCode, ErrorMessage = '' }) => `${ErrorCode ? `${ErrorCode}: ` : ''}${ErrorMessage}`);
  const known = errors.find(({ ErrorCode = '' }) => Object.hasOwn(MEANINGS, ErrorCode))?.ErrorCode;
  const invalid = message === undefined ? [] : invalidOf(errors, message);
  return {
    text: said.join('; ') || text.slice(0, 200),
    ...(errors.some(({ StatusCode = 0 }) => StatusCode >= 500) && { code: 'uncertain' }),
    ...(invalid.length > 0 && {
      code: 'invalid-recipient',
      statusOf: (recipient) => (invalid.includes(recipient) ? 'invalid' : undefined),
    }),
    ...(known !== undefined && MEANINGS[known]),
  };
}

/** The recipients that errors are about: `To[0].Email`. */
function invalidOf(errors: readonly MailjetError[], message: EmailMessage): readonly Mailbox[] {
  const named = errors.flatMap(({ ErrorCode, ErrorRelatedTo = [] }) =>
    ErrorCode === INVALID_ADDRESS ? ErrorRelatedTo : [],
  );
  const { to, cc, bcc } = peopleOf(message);
  return Object.entries({ To: to, Cc: cc, Bcc: bcc }).flatMap(([list, people]) =>
    people.filter((_, index) => named.includes(`${list}[${index}].Email`)),
  );
}

function person({ name, asciiAddress }: Mailbox): object {
  return name === '' ? { Email: asciiAddress } : { Email: asciiAddress, Name: name };
}

/** @throws {MessageError} */
function numberOf(templateId: string): number {
  if (/^\d{1,15}$/.test(templateId)) return Number(templateId);
  const text = `templates of Mailjet have numbers, such as '4958293'`;
  throw new MessageError([{ path: 'templateId', code: 'range', message: text }]);
}
