import type { Refusal } from '../../http/failure.ts';
import { asObject, base64Of, dataFor, headersOf, nameOf, peopleOf, unlessEmpty, uuidOf } from '../../http/payload.ts';
import type { Answer, Built, Provider, Verdict } from '../../http/provider.ts';
import { encodeWords } from '../../mime/compose/encoded-word.ts';
import { asciiJson } from '../../mime/compose/json-header.ts';
import type { Mailbox } from '../../model/address.ts';
import { isScheduled } from '../../model/features.ts';
import { type EmailMessage, mailboxesOf } from '../../model/message.ts';
import type { BrevoOptions } from '../brevo.ts';

/**
 * What Brevo's codes mean (https://developers.brevo.com/docs/how-it-works); that of a key that was used is told by
 * https://developers.brevo.com/docs/heterogenous-versions-batch-emails.
 */
const MEANINGS: Readonly<Record<string, Pick<Refusal, 'code' | 'advice'>>> = {
  unauthorized: { code: 'auth', advice: 'check the key, and the list of IP addresses that may use it' },
  permission_denied: { code: 'auth' },
  not_enough_credits: { code: 'quota' },
  account_under_validation: { code: 'account' },
  document_not_found: { code: 'template' },
  duplicate_parameter: { code: 'duplicate', advice: 'a mail with this idempotencyKey was taken before' },
};

/** Brevo's API. */
export function brevoProvider({ apiKey = '', sandbox = false }: BrevoOptions): Provider {
  return {
    baseUrl: 'https://api.brevo.com',
    authorization: { 'api-key': apiKey },
    fixed: new Set(['sender', 'to', 'cc', 'bcc', 'messageversions', 'headers.idempotencykey']),
    needsTo: true,
    mergesItself: true,
    check: { path: '/v3/account', read: readAccount },
    build: (message, key) => build(message, key, sandbox),
    parse,
    refusal,
  };
}

/** `credits` are those of the plan that sends. */
function readAccount({ status, body }: Answer): Readonly<Record<string, string | number | null>> | null {
  const { companyName = null, plan = [] } = body as {
    readonly companyName?: string;
    readonly plan?: readonly { readonly credits?: number }[];
  };
  return status < 300 ? { account: companyName, credits: plan[0]?.credits ?? null } : null;
}

function build(message: EmailMessage, key: string | null, isSandbox: boolean): Built {
  const { subject, body, htmlBody, templateId, mergeData, mergeGlobalData, tags, metadata, sendAt, parsed } = message;
  const { to, cc, bcc } = peopleOf(message);
  const [replyTo] = mailboxesOf(parsed.replyTo);
  const copies = { cc: unlessEmpty(cc.map(person)), bcc: unlessEmpty(bcc.map(person)) };
  const everybody = { to: unlessEmpty(to.map(person)), ...copies };
  const isApart = mergeData !== null && to.length > 0;
  const versions = to.map((recipient) => ({
    to: [person(recipient)],
    ...copies,
    params: unlessEmpty(dataFor(message, recipient)),
  }));
  const headers = {
    ...headersOf(message),
    ...(unlessEmpty(metadata) && { 'X-Mailin-custom': asciiJson(JSON.stringify(metadata)) }),
    ...(isSandbox && { 'X-Sib-Sandbox': 'drop' }),
    ...(key !== null && { idempotencyKey: uuidOf(key) }),
  };
  return {
    path: '/v3/smtp/email',
    body: {
      sender: person(parsed.from),
      ...(isApart ? { messageVersions: versions } : everybody),
      replyTo: replyTo && person(replyTo),
      subject: subject === '' && templateId !== null ? undefined : subject,
      textContent: body === '' && (htmlBody !== null || templateId !== null) ? undefined : body,
      htmlContent: htmlBody ?? undefined,
      templateId: templateId === null ? undefined : numberOf(templateId),
      params: isApart ? undefined : unlessEmpty(mergeGlobalData ?? {}),
      headers: unlessEmpty(headers),
      tags: unlessEmpty(tags),
      attachment: unlessEmpty(
        message.attachments.map((attachment, index) => ({
          name: nameOf(attachment, index),
          content: base64Of(attachment),
        })),
      ),
      scheduledAt: sendAt !== null && isScheduled(message) ? sendAt.toISOString() : undefined,
    },
  };
}

function parse({ body }: Answer, message: EmailMessage): Verdict {
  const { messageId, messageIds } = body as { readonly messageId?: string; readonly messageIds?: readonly string[] };
  const ids = messageIds ?? (messageId === undefined ? [] : [messageId]);
  const [first] = ids.map((id) => id.replace(/^<(.*)>$/, '$1'));
  if (first === undefined) return null;
  const { to } = peopleOf(message);
  if (ids.length === 1 || ids.length !== to.length) return { messageId: first };
  return { messageId: first, idOf: (recipient) => ids[to.indexOf(recipient)]?.replace(/^<(.*)>$/, '$1') };
}

function refusal({ body, text }: Answer): Refusal {
  const { code = '', message = text.slice(0, 200) } = (body ?? {}) as {
    readonly code?: string;
    readonly message?: string;
  };
  return { text: code === '' ? message : `${code}: ${message}`, ...MEANINGS[code] };
}

/** Brevo drops names that have a comma and letters beyond ASCII, unless they are encoded already. */
function person(mailbox: Mailbox): object {
  const { name } = mailbox;
  const needsWords = name.includes(',') && /[^\x20-\x7e]/.test(name);
  return { ...asObject(mailbox), ...(needsWords && { name: encodeWords(name, 0).replaceAll(/\r\n /g, ' ') }) };
}

/** A template's id is a number; what is none Brevo refuses by name. */
function numberOf(templateId: string): number | string {
  return /^\d+$/.test(templateId) ? Number(templateId) : templateId;
}
