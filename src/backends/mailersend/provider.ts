import type { Refusal } from '../../http/failure.ts';
import { asObject, base64Of, headersOf, nameOf, peopleOf, unlessEmpty } from '../../http/payload.ts';
import type { Answer, Built, Provider, Verdict } from '../../http/provider.ts';
import { addressKey, comparisonKey } from '../../model/address.ts';
import { isScheduled } from '../../model/features.ts';
import { type EmailMessage, mailboxesOf } from '../../model/message.ts';
import type { MailerSendOptions } from '../mailersend.ts';

/** A warning of a mail that was taken, but not for these. */
interface Warning {
  readonly type?: string;
  readonly recipients?: readonly { readonly email: string; readonly reasons?: readonly string[] }[];
}

/** What the codes in MailerSend's texts mean (https://developers.mailersend.com/general#validation-errors). */
const MEANINGS: Readonly<Record<string, Pick<Refusal, 'code' | 'advice'>>> = {
  MS42207: { code: 'account', advice: 'verify the domain of fromEmail at https://app.mailersend.com/domains' },
  MS42225: { code: 'account', advice: 'the account is on trial: have it approved at MailerSend' },
};
/** Headers that have fields of their own; the second follows from the first. */
const OWN_FIELDS: ReadonlySet<string> = /* @__PURE__ */ new Set([
  'In-Reply-To',
  'References',
  'List-Unsubscribe',
  'List-Unsubscribe-Post',
]);

/** MailerSend's API. */
export function mailersendProvider({ apiKey }: MailerSendOptions): Provider {
  return {
    baseUrl: 'https://api.mailersend.com',
    authorization: { authorization: `Bearer ${apiKey}` },
    fixed: new Set(['from', 'to', 'cc', 'bcc']),
    needsTo: true,
    mergesTexts: 'always',
    check: { path: '/v1/api-quota', read: readQuota },
    build,
    parse,
    refusal,
  };
}

/** Of requests in a day, not of mails. */
function readQuota({ status, body }: Answer): { readonly requestsLeft: number | null } | null {
  const { remaining = null } = body as { readonly remaining?: number };
  return status < 300 ? { requestsLeft: remaining } : null;
}

function build(message: EmailMessage): Built {
  const { subject, body, htmlBody, templateId, mergeGlobalData, tags, sendAt, trackOpens, trackClicks } = message;
  const { to, cc, bcc } = peopleOf(message);
  const [replyTo] = mailboxesOf(message.parsed.replyTo);
  const headers = headersOf(message.priority === null ? message : message.with({ priority: null }));
  const further = Object.entries(headers).filter(([name]) => !OWN_FIELDS.has(name));
  const attachments = message.attachments.map((attachment, index) => ({
    filename: nameOf(attachment, index),
    content: base64Of(attachment),
    disposition: attachment.contentId === null ? 'attachment' : 'inline',
    id: attachment.contentId ?? undefined,
  }));
  return {
    path: '/v1/email',
    body: {
      from: asObject(message.parsed.from),
      to: unlessEmpty(to.map(asObject)),
      cc: unlessEmpty(cc.map(asObject)),
      bcc: unlessEmpty(bcc.map(asObject)),
      reply_to: replyTo && asObject(replyTo),
      subject: subject === '' && templateId !== null ? undefined : subject,
      text: body === '' && (htmlBody !== null || templateId !== null) ? undefined : body,
      html: htmlBody ?? undefined,
      template_id: templateId ?? undefined,
      // Without it nothing in the texts is taken for a variable.
      personalization:
        mergeGlobalData === null
          ? undefined
          : unlessEmpty(to.map(({ asciiAddress }) => ({ email: asciiAddress, data: mergeGlobalData }))),
      attachments: unlessEmpty(attachments),
      tags: unlessEmpty(tags),
      settings: unlessEmpty({
        ...(trackOpens && { track_opens: true }),
        ...(trackClicks && { track_clicks: true }),
      }),
      send_at: sendAt !== null && isScheduled(message) ? Math.floor(sendAt.getTime() / 1_000) : undefined,
      in_reply_to: message.inReplyTo?.split(' ')[0],
      references: unlessEmpty(message.references),
      list_unsubscribe: headers['List-Unsubscribe'],
      headers: unlessEmpty(further.map(([name, value]) => ({ name, value }))),
    },
  };
}

/** An answer without an id is that nobody gets it, or none. */
function parse({ headers, body }: Answer): Verdict {
  const { warnings = [] } = (body ?? {}) as { readonly warnings?: readonly Warning[] };
  const suppressed = warnings.flatMap(({ recipients = [] }) => recipients);
  if (warnings.some(({ type }) => type === 'ALL_SUPPRESSED')) {
    const reasons = new Set(suppressed.flatMap((recipient) => recipient.reasons ?? []));
    const text = `ALL_SUPPRESSED: ${[...reasons].join(', ')}`;
    return { code: 'rejected', text, advice: 'they are on a list of the domain at MailerSend' };
  }
  const messageId = headers['x-message-id'];
  if (messageId === undefined) return null;
  const rejected = new Set(suppressed.map(({ email }) => comparisonKey(email)));
  return { messageId, statusOf: (recipient) => (rejected.has(addressKey(recipient)) ? 'rejected' : undefined) };
}

function refusal({ status, headers, body, text }: Answer): Refusal {
  const { message = text.slice(0, 200), errors = {} } = (body ?? {}) as {
    readonly message?: string;
    readonly errors?: Readonly<Record<string, readonly string[]>>;
  };
  const fields = Object.keys(errors);
  const said = fields.map((field) => `${field}: ${[errors[field] ?? []].flat().join(' ')}`);
  const codes = [message, ...said].flatMap((words) => words.match(/MS\d{5}/g) ?? []);
  const known = codes.find((code) => Object.hasOwn(MEANINGS, code));
  const isAddress = fields.length > 0 && fields.every((field) => /^(?:to|cc|bcc)\.\d+\.email$/.test(field));
  return {
    text: said.join('; ') || message,
    // Maintenance (https://developers.mailersend.com/general#http-status-codes).
    ...(status === 421 && { code: 'temporary' }),
    // That of a day is not that of a minute (https://developers.mailersend.com/general#rate-limits).
    ...(status === 429 && headers['x-apiquota-remaining'] === '0' && { code: 'quota' }),
    ...(isAddress && { code: 'invalid-recipient' }),
    ...(known !== undefined && MEANINGS[known]),
  };
}
