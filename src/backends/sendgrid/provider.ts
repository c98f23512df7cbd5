import type { Refusal } from '../../http/failure.ts';
import {
  asObject,
  base64Of,
  dataFor,
  headersOf,
  mediaTypeOf,
  nameOf,
  ownIdOf,
  peopleOf,
  unlessEmpty,
} from '../../http/payload.ts';
import type { Answer, Built, Provider, Verdict } from '../../http/provider.ts';
import type { Mailbox } from '../../model/address.ts';
import { isScheduled } from '../../model/features.ts';
import { type EmailMessage, mailboxesOf } from '../../model/message.ts';
import { isObject } from '../../util/json.ts';
import type { SendGridOptions } from '../sendgrid.ts';

/** What a 401 says that is not about the key: there is no code for it. */
const CREDITS = /^maximum credits exceeded/i;

/** SendGrid's API. */
export function sendgridProvider({ apiKey, region, sandbox = false }: SendGridOptions): Provider {
  return {
    baseUrl: region === 'eu' ? 'https://api.eu.sendgrid.com' : 'https://api.sendgrid.com',
    authorization: { authorization: `Bearer ${apiKey}` },
    fixed: new Set(['from', 'personalizations']),
    needsTo: true,
    mergesItself: true,
    check: { path: '/v3/scopes', read: readScopes },
    build: (message) => build(message, sandbox),
    parse: (answer, message) => parse(answer, sandbox || asksForSandbox(message)),
    refusal,
  };
}

/** `canSend` is whether the key has the scope `mail.send`. */
function readScopes({ status, body }: Answer): { readonly canSend: boolean } | null {
  const { scopes } = body as { readonly scopes?: readonly string[] };
  return status < 300 ? { canSend: scopes?.includes('mail.send') ?? false } : null;
}

function build(message: EmailMessage, isSandbox: boolean): Built {
  const { subject, templateId, sendAt, trackOpens, trackClicks, tags, parsed } = message;
  const replyTo = mailboxesOf(parsed.replyTo).map(asObject);
  const attachments = message.attachments.map((attachment, index) => ({
    content: base64Of(attachment),
    filename: nameOf(attachment, index),
    type: mediaTypeOf(attachment),
    disposition: attachment.contentId === null ? 'attachment' : 'inline',
    content_id: attachment.contentId ?? undefined,
  }));
  return {
    path: '/v3/mail/send',
    body: {
      personalizations: personalizations(message),
      from: asObject(parsed.from),
      reply_to: replyTo.length === 1 ? replyTo[0] : undefined,
      reply_to_list: replyTo.length > 1 ? replyTo : undefined,
      subject: subject === '' && templateId !== null ? undefined : subject,
      content: unlessEmpty(contents(message)),
      attachments: unlessEmpty(attachments),
      template_id: templateId ?? undefined,
      headers: unlessEmpty(headers(message)),
      categories: unlessEmpty(tags),
      send_at: sendAt !== null && isScheduled(message) ? Math.floor(sendAt.getTime() / 1_000) : undefined,
      tracking_settings: unlessEmpty({
        ...(trackClicks && { click_tracking: { enable: true, enable_text: true } }),
        ...(trackOpens && { open_tracking: { enable: true } }),
      }),
      mail_settings: isSandbox ? { sandbox_mode: { enable: true } } : undefined,
    },
  };
}

/**
 * A Message-ID of the mail's own is no header that SendGrid reserves, though it promises nothing of it
 * (https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send, `headers`).
 */
function headers(message: EmailMessage): Readonly<Record<string, string>> {
  const id = ownIdOf(message);
  // Two mails must not have one id.
  const isOne = message.mergeData === null || peopleOf(message).to.length < 2;
  return { ...headersOf(message), ...(id !== null && isOne && { 'Message-ID': `<${id}>` }) };
}

/** Whether the message asks in SendGrid's own words to be checked, and not sent. */
function asksForSandbox({ espExtra }: EmailMessage): boolean {
  const settings = espExtra?.['sendgrid']?.['mail_settings'];
  const mode = isObject(settings) ? settings['sandbox_mode'] : null;
  return isObject(mode) && mode['enable'] === true;
}

function parse({ status, headers }: Answer, isSandbox: boolean): Verdict {
  if (status !== 202 && !(status === 200 && isSandbox)) return null;
  return { messageId: headers['x-message-id'] ?? null };
}

function refusal({ status, body, text }: Answer): Refusal {
  const { errors = [] } = (body ?? {}) as {
    readonly errors?: readonly { readonly message?: string; readonly field?: string | null }[];
  };
  const said = errors.map(({ message, field }) => (field ? `${field}: ${message}` : message)).join('; ');
  const fields = errors.map(({ field }) => field ?? '');
  const isUsedUp = status === 401 && CREDITS.test(said);
  const isSender = status === 403 && fields.includes('from');
  const isAddress =
    fields.length > 0 && fields.every((field) => /^personalizations\.\d+\.(?:to|cc|bcc)\.\d+\.email$/.test(field));
  return {
    text: said || text.slice(0, 200),
    ...(isUsedUp && { code: 'quota' }),
    ...(isSender && { code: 'account', advice: 'verify the sender or its domain at SendGrid' }),
    ...(isAddress && { code: 'invalid-recipient' }),
    ...(fields.includes('template_id') && { code: 'template' }),
  };
}

/** One for everybody; with `mergeData` one for each of `to`, with a copy to all of cc and bcc. */
function personalizations(message: EmailMessage): readonly object[] {
  const { to, cc, bcc } = peopleOf(message);
  const { metadata, templateId, mergeData, mergeGlobalData } = message;
  const personalize = (people: readonly Mailbox[], data: object | null): object => ({
    to: people.map(asObject),
    cc: unlessEmpty(cc.map(asObject)),
    bcc: unlessEmpty(bcc.map(asObject)),
    custom_args: unlessEmpty(metadata),
    dynamic_template_data: templateId === null ? undefined : (unlessEmpty(data ?? {}) ?? undefined),
  });
  if (mergeData === null || to.length === 0) return [personalize(to, mergeGlobalData)];
  return to.map((recipient) => personalize([recipient], dataFor(message, recipient)));
}

/** Plain text comes first; of a template's mail only what the message has of its own. */
function contents({ body, htmlBody, templateId, alternatives }: EmailMessage): readonly object[] {
  const isNeeded = body !== '' || (htmlBody === null && templateId === null);
  return [
    ...(isNeeded ? [{ type: 'text/plain', value: body }] : []),
    ...(htmlBody === null ? [] : [{ type: 'text/html', value: htmlBody }]),
    ...alternatives.map(({ content, mimetype }) => ({ type: mimetype, value: content })),
  ];
}
