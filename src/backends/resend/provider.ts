import type { Refusal } from '../../http/failure.ts';
import { asText, base64Of, fullTypeOf, headersOf, mediaTypeOf, peopleOf, unlessEmpty } from '../../http/payload.ts';
import type { Answer, Built, Provider, Verdict } from '../../http/provider.ts';
import { MessageError } from '../../model/errors.ts';
import { type IgnoredReasons, isScheduled } from '../../model/features.ts';
import { type EmailMessage, mailboxesOf } from '../../model/message.ts';
import { guessMediaType } from '../../util/media-types.ts';
import type { ResendOptions } from '../resend.ts';

/** What Resend's names for errors mean (https://resend.com/docs/api-reference/errors). */
const MEANINGS: Readonly<Record<string, Pick<Refusal, 'code' | 'advice'>>> = {
  missing_api_key: { code: 'auth' },
  invalid_api_key: { code: 'auth' },
  restricted_api_key: { code: 'auth', advice: 'give a key with the permission for it' },
  suspended_api_key: { code: 'account' },
  invalid_from_address: { code: 'account', advice: 'verify the domain of fromEmail at resend.com/domains' },
  validation_error: { code: 'rejected' },
  not_found: { code: 'template' },
  daily_quota_exceeded: { code: 'quota' },
  monthly_quota_exceeded: { code: 'quota' },
  rate_limit_exceeded: { code: 'throttled' },
  invalid_idempotent_request: { code: 'uncertain', advice: 'the idempotencyKey was used for another mail' },
  concurrent_idempotent_requests: { code: 'uncertain' },
};
const NO_BATCH = ['attachments', 'scheduled_at'] as const;
const TAG = /^[A-Za-z0-9_-]{1,256}$/;
const TAG_REASON = "Resend takes letters, digits, '_' and '-' only, at most 256";

/** Resend's API. */
export function resendProvider({ apiKey }: ResendOptions): Provider {
  return {
    baseUrl: 'https://api.resend.com',
    authorization: { authorization: `Bearer ${apiKey}` },
    fixed: new Set(['from', 'to', 'cc', 'bcc']),
    needsTo: true,
    batch: {
      max: 100,
      maxSize: 40_000_000,
      headers: { 'x-batch-validation': 'permissive' },
      around: () => ['[', ']'],
      parse: parseBatch,
    },
    check: { path: '/domains', read: readDomains },
    build,
    parse: ({ body }) => idOf(body),
    refusal,
  };
}

/** A key that may only send is refused the domains, and works. */
function readDomains({ status, body }: Answer): Readonly<Record<string, number | boolean | string>> | null {
  const { name, data = [] } = body as {
    readonly name?: string;
    readonly data?: readonly { readonly name?: string; readonly status?: string }[];
  };
  if (name === 'restricted_api_key') return { canOnlySend: true };
  if (status >= 300) return null;
  const verified = data.filter((domain) => domain.status === 'verified');
  return { verifiedDomains: verified.length, domains: verified.map((domain) => domain.name ?? '').join(' ') };
}

function build(message: EmailMessage, key: string | null): Built {
  const { subject, body, htmlBody, templateId, mergeGlobalData, sendAt, parsed } = message;
  const { to, cc, bcc } = peopleOf(message);
  const replyTo = mailboxesOf(parsed.replyTo);
  const { tags, ignored } = tagsOf(message);
  checkTypes(message);
  const own = message.espExtra?.['resend'] ?? {};
  const attachments = message.attachments.map((attachment, index) => ({
    filename: attachment.filename ?? undefined,
    content: base64Of(attachment),
    content_type: fullTypeOf(attachment, index),
    content_id: attachment.contentId ?? undefined,
  }));
  return {
    path: '/emails',
    headers: key === null ? {} : { 'idempotency-key': key },
    body: {
      from: asText(parsed.from),
      to: to.map(asText),
      cc: unlessEmpty(cc.map(asText)),
      bcc: unlessEmpty(bcc.map(asText)),
      reply_to: unlessEmpty(replyTo.map(asText)),
      subject: subject === '' && templateId !== null ? undefined : subject,
      text: body === '' && (htmlBody !== null || templateId !== null) ? undefined : body,
      html: htmlBody ?? undefined,
      template: templateId === null ? undefined : { id: templateId, variables: mergeGlobalData ?? {} },
      headers: unlessEmpty(headersOf(message)),
      tags: unlessEmpty(tags),
      attachments: unlessEmpty(attachments),
      scheduled_at: sendAt !== null && isScheduled(message) ? sendAt.toISOString() : undefined,
    },
    ignored,
    // Batches take neither attachments nor a schedule.
    ...(!NO_BATCH.some((field) => field in own) &&
      attachments.length === 0 &&
      !isScheduled(message) && { batch: '/emails/batch' }),
  };
}

function refusal({ status, body, text }: Answer): Refusal {
  const { name = '', message = text.slice(0, 200) } = (body ?? {}) as {
    readonly name?: string;
    readonly message?: string;
  };
  // Of all that is said of a request, what is said with this status is about the domain of the sender.
  const meaning = MEANINGS[name === 'validation_error' && status === 403 ? 'invalid_from_address' : name];
  return { text: name === '' ? message : `${name}: ${message}`, ...meaning };
}

/** Of a request in permissive mode: the ids of those that were taken, in their order, and what was wrong with the others. */
export function parseBatch({ body }: Answer, messages: readonly EmailMessage[]): readonly Verdict[] {
  const { data, errors = [] } = body as {
    readonly data: readonly unknown[];
    readonly errors?: readonly { readonly index: number; readonly message: string }[];
  };
  const ids = data.values();
  return messages.map((_, index) => {
    const error = errors.find((entry) => entry.index === index);
    if (error) return { code: 'rejected', text: String(error.message), part: error };
    const part = data.length === messages.length - errors.length ? ids.next().value : data[index];
    const verdict = idOf(part);
    return verdict && { ...verdict, part };
  });
}

function idOf(answer: unknown): Verdict {
  const { id } = answer as { readonly id?: unknown };
  return typeof id === 'string' ? { messageId: id } : null;
}

/**
 * Resend takes a mail whose file names say another type than the mail does, and drops it without a word.
 *
 * @throws {MessageError} `invalid-message`
 */
function checkTypes({ attachments }: EmailMessage): void {
  const issues = attachments.flatMap((attachment, index) => {
    const expected = guessMediaType(attachment.filename ?? '');
    if (expected === 'application/octet-stream' || expected === mediaTypeOf(attachment).toLowerCase()) return [];
    const text = `Resend drops mails with files whose names say another type: leave it out, or rename the file (${expected})`;
    return [{ path: `attachments[${index}].mimetype`, code: 'unsupported' as const, message: text }];
  });
  if (issues.length > 0) throw new MessageError(issues);
}

/** Tags of Resend have names and values; a tag here is the value of `tag`, `tag2` and so on. */
function tagsOf({ tags, metadata }: EmailMessage): {
  readonly tags: readonly object[];
  readonly ignored: IgnoredReasons;
} {
  const entries = Object.entries(metadata);
  const fitTags = tags.every((tag) => TAG.test(tag));
  const fitMetadata = entries.every((entry) => entry.every((text) => TAG.test(text)));
  const named = tags.map((value, index) => ({ name: index === 0 ? 'tag' : `tag${index + 1}`, value }));
  return {
    tags: [...(fitTags ? named : []), ...(fitMetadata ? entries.map(([name, value]) => ({ name, value })) : [])],
    ignored: { ...(!fitTags && { tags: TAG_REASON }), ...(!fitMetadata && { metadata: TAG_REASON }) },
  };
}
