import type { Refusal } from '../../http/failure.ts';
import {
  asObject,
  asText,
  base64Of,
  dataFor,
  headersOf,
  mediaTypeOf,
  nameOf,
  peopleOf,
  unlessEmpty,
} from '../../http/payload.ts';
import type { Answer, Built, Provider, Verdict } from '../../http/provider.ts';
import { addressKey, comparisonKey, type Mailbox } from '../../model/address.ts';
import { MessageError } from '../../model/errors.ts';
import { isScheduled } from '../../model/features.ts';
import { type EmailMessage, mailboxesOf } from '../../model/message.ts';
import type { DeliveryStatus } from '../../model/status.ts';
import type { MandrillOptions } from '../mandrill.ts';

/** What Mandrill says of one recipient. */
interface Told {
  readonly email: string;
  readonly status: string;
  readonly reject_reason?: string | null;
  readonly _id?: string;
}

const STATUSES: ReadonlyMap<string | undefined, DeliveryStatus> = new Map<string, DeliveryStatus>([
  ['sent', 'sent'],
  ['queued', 'queued'],
  ['scheduled', 'queued'],
  ['rejected', 'rejected'],
  ['invalid', 'invalid'],
]);

/** What Mandrill's names for errors mean, which come with any HTTP status (https://mailchimp.com/developer/transactional/api/). */
const MEANINGS: Readonly<Record<string, Pick<Refusal, 'code' | 'advice'>>> = {
  Invalid_Key: { code: 'auth' },
  PaymentRequired: { code: 'account', advice: 'the account must be paid for what was asked, such as sendAt' },
  PoorReputation: { code: 'account' },
  ServiceUnavailable: { code: 'temporary' },
  Unknown_Subaccount: { code: 'account', advice: 'add the subaccount at Mandrill' },
  Unknown_Template: { code: 'template' },
  ValidationError: { code: 'rejected' },
};

/** Mandrill's API. */
export function mandrillProvider({ apiKey = '' }: MandrillOptions): Provider {
  return {
    baseUrl: 'https://mandrillapp.com/api/1.0',
    fixed: new Set(['key', 'message.from_email', 'message.to', 'message.bcc_address']),
    // Apart, each recipient gets a mail, those of cc and bcc too: they would get no copy of the others.
    mergesItself: ({ parsed: { cc, bcc } }) => cc.length === 0 && bcc.length === 0,
    mergesTexts: 'always',
    check: { path: '/users/info', body: { key: apiKey }, read: readUser },
    build: (message) => build(message, apiKey),
    parse,
    refusal,
  };
}

/** `reputation` is from 0 to 100. */
function readUser({ status, body }: Answer): Readonly<Record<string, string | number | null>> | null {
  const {
    username,
    reputation = null,
    hourly_quota: hourlyQuota = null,
  } = body as {
    readonly username?: string;
    readonly reputation?: number;
    readonly hourly_quota?: number;
  };
  return status < 300 && username !== undefined ? { account: username, reputation, hourlyQuota } : null;
}

function build(message: EmailMessage, key: string): Built {
  const { subject, body, htmlBody, templateId, mergeData, mergeGlobalData, sendAt, parsed } = message;
  const { to, cc, bcc } = peopleOf(message);
  const of = (type: 'to' | 'cc' | 'bcc', people: readonly Mailbox[]): readonly object[] =>
    people.map((mailbox) => ({ ...asObject(mailbox), type }));
  const own = to.map((recipient) => ({ rcpt: recipient.asciiAddress, vars: variables(dataFor(message, recipient)) }));
  const headers = {
    ...headersOf(message),
    ...(parsed.replyTo.length > 0 && { 'Reply-To': mailboxesOf(parsed.replyTo).map(asText).join(', ') }),
  };
  return {
    path: templateId === null ? '/messages/send' : '/messages/send-template',
    body: {
      key,
      template_name: templateId ?? undefined,
      template_content: templateId === null ? undefined : [],
      message: {
        from_email: parsed.from.asciiAddress,
        from_name: parsed.from.name || undefined,
        to: [...of('to', to), ...of('cc', cc), ...of('bcc', bcc)],
        // Otherwise a setting of the account decides whether recipients see each other.
        preserve_recipients: mergeData === null,
        subject: subject === '' && templateId !== null ? undefined : subject,
        text: body === '' && (htmlBody !== null || templateId !== null) ? undefined : body,
        html: htmlBody ?? undefined,
        headers: unlessEmpty(headers),
        ...files(message),
        tags: unlessEmpty(message.tags),
        metadata: unlessEmpty(message.metadata),
        track_opens: message.trackOpens || undefined,
        track_clicks: message.trackClicks || undefined,
        global_merge_vars: mergeData === null ? unlessEmpty(variables(mergeGlobalData ?? {})) : undefined,
        merge_vars: mergeData === null ? undefined : unlessEmpty(own),
      },
      send_at:
        sendAt !== null && isScheduled(message) ? sendAt.toISOString().slice(0, 19).replace('T', ' ') : undefined,
    },
  };
}

function variables(data: object): readonly { readonly name: string; readonly content: unknown }[] {
  return Object.entries(data).map(([name, content]: [string, unknown]) => ({ name, content }));
}

/**
 * What has a Content-ID is an image there, and named by it.
 *
 * @throws {MessageError} `invalid-message` for another file with one
 */
function files({ attachments }: EmailMessage): object {
  const isInline = attachments.map(({ contentId }) => contentId !== null);
  const issues = attachments.flatMap((attachment, index) => {
    if (!isInline[index] || /^image\//i.test(attachment.mimetype)) return [];
    const message = 'mandrill shows images in the text and nothing else: leave contentId out';
    return [{ path: `attachments[${index}].contentId`, code: 'unsupported' as const, message }];
  });
  if (issues.length > 0) throw new MessageError(issues);
  const all = attachments.map((attachment, index) => ({
    type: mediaTypeOf(attachment),
    name: attachment.contentId ?? nameOf(attachment, index),
    content: base64Of(attachment),
  }));
  return {
    attachments: unlessEmpty(all.filter((_, index) => !isInline[index])),
    images: unlessEmpty(all.filter((_, index) => isInline[index])),
  };
}

function parse({ body }: Answer): Verdict {
  const list = body as readonly Told[];
  const told = new Map(list.map((entry) => [comparisonKey(entry.email), entry]));
  const of = (recipient: Mailbox): Told | undefined => told.get(addressKey(recipient));
  return {
    messageId: list.find(({ _id }) => _id !== undefined)?._id ?? null,
    statusOf: (recipient) => STATUSES.get(of(recipient)?.status) ?? 'unknown',
    idOf: (recipient) => of(recipient)?._id,
    reasonOf: (recipient) => of(recipient)?.reject_reason ?? undefined,
  };
}

function refusal({ body, text }: Answer): Refusal {
  const { name = '', message = text.slice(0, 200) } = (body ?? {}) as {
    readonly name?: string;
    readonly message?: string;
  };
  return { text: name === '' ? message : `${name}: ${message}`, ...MEANINGS[name] };
}
