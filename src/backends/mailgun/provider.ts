import type { Refusal } from '../../http/failure.ts';
import { asText, bytesOf, dataFor, fullTypeOf, headersOf, nameOf, ownIdOf, peopleOf } from '../../http/payload.ts';
import type { Answer, Built, Provider, Verdict } from '../../http/provider.ts';
import { MessageError, type MessageIssue } from '../../model/errors.ts';
import { isScheduled } from '../../model/features.ts';
import { type EmailMessage, mailboxesOf } from '../../model/message.ts';
import type { MailgunOptions } from '../mailgun.ts';
import { DOMAIN } from './domain.ts';
import { encodeForm, type FormFile } from './form.ts';

/** Mailgun's API. */
export function mailgunProvider(options: MailgunOptions): Provider {
  const { apiKey, domain, region } = options;
  return {
    baseUrl: region === 'eu' ? 'https://api.eu.mailgun.net' : 'https://api.mailgun.net',
    authorization: { authorization: `Basic ${Buffer.from(`api:${apiKey}`).toString('base64')}` },
    fixed: new Set(['from', 'to', 'cc', 'bcc', 'recipient-variables', 'h:from', 'h:to', 'h:cc', 'h:bcc', 'h:sender']),
    needsTo: true,
    mergesItself: true,
    mergesTexts: 'with-merge-data',
    // Any domain will do when none is set.
    check: { path: domain ? `/v4/domains/${domain}` : '/v4/domains?limit=1', read: readDomain },
    build: (message) => build(message, options),
    encode: encodeForm,
    parse,
    refusal,
  };
}

/** A key that may only send is refused this. */
function readDomain({ status, body }: Answer): Readonly<Record<string, string | null>> | null {
  const { domain } = body as { readonly domain?: { readonly name?: string; readonly state?: string } };
  return status < 300 ? { domain: domain?.name ?? null, state: domain?.state ?? null } : null;
}

function build(message: EmailMessage, { domain, testMode }: MailgunOptions): Built {
  const { subject, body, htmlBody, templateId, tags, metadata, trackOpens, trackClicks, sendAt, parsed } = message;
  const { to, cc, bcc } = peopleOf(message);
  const files = message.attachments.map((attachment, index): readonly ['attachment' | 'inline', FormFile] => {
    const { contentId } = attachment;
    const file = {
      filename: contentId ?? nameOf(attachment, index),
      type: fullTypeOf(attachment, index),
      bytes: bytesOf(attachment),
    };
    return [contentId === null ? 'attachment' : 'inline', file];
  });
  const id = ownIdOf(message);
  const headers = {
    ...headersOf(message),
    ...(parsed.replyTo.length > 0 && { 'Reply-To': mailboxesOf(parsed.replyTo).map(asText).join(', ') }),
    // Two mails must not have one id.
    ...(id !== null && (message.mergeData === null || to.length < 2) && { 'Message-Id': `<${id}>` }),
  };
  return {
    path: `/v3/${domain || senderDomain(message)}/messages`,
    body: {
      from: asText(parsed.from),
      to: to.map(asText),
      cc: cc.map(asText),
      bcc: bcc.map(asText),
      subject: subject === '' && templateId !== null ? undefined : subject,
      text: body === '' && (htmlBody !== null || templateId !== null) ? undefined : body,
      html: htmlBody ?? undefined,
      template: templateId ?? undefined,
      attachment: files.flatMap(([field, file]) => (field === 'attachment' ? [file] : [])),
      inline: files.flatMap(([field, file]) => (field === 'inline' ? [file] : [])),
      'o:tag': tags,
      'o:tracking-opens': trackOpens ? 'yes' : undefined,
      'o:tracking-clicks': trackClicks ? 'yes' : undefined,
      'o:deliverytime':
        sendAt !== null && isScheduled(message) ? sendAt.toUTCString().replace('GMT', '+0000') : undefined,
      'o:testmode': testMode ? 'yes' : undefined,
      ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [`h:${name}`, value])),
      ...Object.fromEntries(Object.entries(metadata).map(([name, value]) => [`v:${name}`, value])),
      ...variables(message),
    },
  };
}

/** @throws {MessageError} when the sender's domain cannot stand in a path */
function senderDomain({ parsed }: EmailMessage): string {
  const { asciiAddress } = parsed.from;
  const domain = asciiAddress.slice(asciiAddress.lastIndexOf('@') + 1);
  if (DOMAIN.test(domain)) return domain;
  throw new MessageError([
    { path: 'fromEmail', code: 'range', message: 'mailgun needs a domain: set the option domain' },
  ]);
}

function parse({ body }: Answer): Verdict {
  const { id } = body as { readonly id?: string };
  return id === undefined ? null : { messageId: id.replace(/^<(.*)>$/, '$1') };
}

function refusal({ status, body, text }: Answer): Refusal {
  const { message = text.slice(0, 200) } = (body ?? {}) as { readonly message?: string };
  const isDomain = status === 404;
  return { text: message, ...(isDomain && { code: 'account', advice: 'check domain and region' }) };
}

/** The variables of each recipient, which make it one mail for each; a stored template is told where to find them. */
function variables(message: EmailMessage): Readonly<Record<string, string>> {
  const { mergeData, mergeGlobalData, templateId, metadata } = message;
  const { to } = peopleOf(message);
  if (mergeData === null) return mergeGlobalData === null ? {} : { 't:variables': JSON.stringify(mergeGlobalData) };
  const own = to.map((recipient) => [recipient.asciiAddress, dataFor(message, recipient)] as const);
  const names = new Set(own.flatMap(([, data]) => Object.keys(data)));
  const issues = [...names].flatMap((name): readonly MessageIssue[] => {
    const values = own.map(([, data]): unknown => Reflect.get(data, name));
    const path = 'mergeData';
    if (values.some((value) => typeof value === 'object' && value !== null))
      return [{ path, code: 'unsupported', message: `mailgun takes texts and numbers only: ${name} is neither` }];
    const isTwice = templateId !== null && Object.hasOwn(metadata, name);
    return isTwice
      ? [{ path, code: 'duplicate', message: `mailgun has one name for both: ${name} is in metadata, too` }]
      : [];
  });
  if (issues.length > 0) throw new MessageError(issues);
  // Everybody needs every name, or it stays in the text as it is.
  const complete = own.map(([address, data]) => [
    address,
    Object.fromEntries([...names].map((name) => [name, Reflect.get(data, name) ?? ''])),
  ]);
  const told = templateId === null ? [] : [...names].map((name) => [`v:${name}`, `%recipient.${name}%`]);
  return { 'recipient-variables': JSON.stringify(Object.fromEntries(complete)), ...Object.fromEntries(told) };
}
