import type { Refusal } from '../../http/failure.ts';
import {
  asObject,
  asText,
  base64Of,
  dataFor,
  hasVariables,
  headersOf,
  nameOf,
  peopleOf,
  unlessEmpty,
} from '../../http/payload.ts';
import type { Answer, Built, Provider, Verdict } from '../../http/provider.ts';
import type { Mailbox } from '../../model/address.ts';
import { isScheduled } from '../../model/features.ts';
import { type EmailMessage, mailboxesOf } from '../../model/message.ts';
import type { SparkPostOptions } from '../sparkpost.ts';
import { refuseUnsaid } from './unsaid.ts';

interface Answered {
  readonly errors?: readonly { readonly code?: string; readonly message?: string; readonly description?: string }[];
  readonly results?: {
    readonly id?: string;
    readonly total_accepted_recipients?: number;
    readonly total_rejected_recipients?: number;
  };
}

const TEMPLATE = 'templateId is the id of a template of the same account or subaccount';
/** What SparkPost's codes mean (https://support.sparkpost.com/docs/tech-resources/extended-error-codes); others are refusals of the mail. */
const MEANINGS: Readonly<Record<string, Pick<Refusal, 'code' | 'advice'>>> = {
  1303: { code: 'auth' },
  1304: { code: 'auth' },
  1502: { code: 'temporary' },
  1600: { code: 'template', advice: TEMPLATE },
  1601: { code: 'account' },
  1603: { code: 'template', advice: TEMPLATE },
  2004: { code: 'template', advice: 'there is no draft of it' },
  2005: { code: 'template', advice: 'publish it' },
  2101: { code: 'throttled' },
  2102: { code: 'quota' },
  2103: { code: 'account', advice: 'the sandbox is used up: add a sending domain' },
  5002: { code: 'invalid-recipient' },
  7000: { code: 'account' },
  7001: { code: 'account', advice: 'verify the domain of fromEmail at SparkPost, and check region and subaccount' },
};

/** SparkPost's API. */
export function sparkpostProvider({ apiKey = '', region, subaccount, transactional }: SparkPostOptions): Provider {
  const headers = subaccount === undefined ? {} : { 'x-msys-subaccount': String(subaccount) };
  return {
    baseUrl: region === 'eu' ? 'https://api.eu.sparkpost.com/api/v1' : 'https://api.sparkpost.com/api/v1',
    authorization: { authorization: apiKey },
    fixed: new Set(['recipients', 'return_path', 'content.from']),
    mergesItself: true,
    mergesTexts: 'always',
    templateMakes: ['subject', 'body', 'htmlBody'],
    check: { path: '/account', read: readAccount },
    build: (message) => {
      refuseUnsaid(message, transactional === true);
      return { ...build(message, transactional === true), headers };
    },
    parse,
    refusal: ({ body, text }) => refusalOf((body ?? {}) as Answered, text),
  };
}

/** A key that may only send is refused this. */
function readAccount({ status, body }: Answer): Readonly<Record<string, string | null>> | null {
  const { results: account } = body as {
    readonly results?: { readonly company_name?: string; readonly status?: string };
  };
  return status < 300 ? { account: account?.company_name ?? null, status: account?.status ?? null } : null;
}

function build(message: EmailMessage, isTransactional: boolean): Built {
  const { templateId, mergeData, mergeGlobalData, tags, metadata, sendAt, trackOpens, trackClicks, priority } = message;
  return {
    path: '/transmissions',
    body: {
      recipients: recipientsOf(message),
      content: templateId === null ? contentOf(message) : { template_id: templateId },
      return_path: message.parsed.envelopeSender?.asciiAddress,
      campaign_id: tags.length === 1 ? tags[0] : undefined,
      metadata: unlessEmpty(metadata),
      substitution_data: mergeData === null ? unlessEmpty(mergeGlobalData ?? {}) : undefined,
      options: unlessEmpty({
        ...(sendAt !== null &&
          isScheduled(message) && { start_time: sendAt.toISOString().replace(/\.\d+Z$/, '+00:00') }),
        ...(trackOpens && { open_tracking: true }),
        ...(trackClicks && { click_tracking: true }),
        ...(isTransactional && { transactional: true }),
        // Every text is a template otherwise, in which braces stand for something.
        ...(templateId === null && !hasVariables(message) && { perform_substitutions: false }),
      }),
    },
    ignored: {
      ...(tags.length > 1 && { tags: 'SparkPost takes one tag' }),
      ...(priority !== null && templateId !== null && { priority: 'SparkPost takes no headers with a template' }),
    },
  };
}

/**
 * Each is one that gets a mail; what its To shows is told apart. With `mergeData` there is a mail for each of `to`, and a copy of each for
 * all of cc and bcc (https://support.sparkpost.com/docs/faq/cc-bcc-with-rest-api).
 */
function recipientsOf(message: EmailMessage): readonly object[] {
  const { to, cc, bcc } = peopleOf(message);
  const { mergeData } = message;
  const entry = (shown: readonly Mailbox[], data: object) => (person: Mailbox) => ({
    address: { email: person.asciiAddress, header_to: shown.map(asText).join(', ') || undefined },
    substitution_data: unlessEmpty(data),
  });
  if (mergeData === null || to.length === 0) return [...to, ...cc, ...bcc].map(entry(to, {}));
  return to.flatMap((recipient) => [recipient, ...cc, ...bcc].map(entry([recipient], dataFor(message, recipient))));
}

function contentOf(message: EmailMessage): object {
  const { body, htmlBody, subject, attachments, parsed } = message;
  const { cc } = peopleOf(message);
  const files = attachments.map((attachment, index) => ({
    name: attachment.contentId ?? nameOf(attachment, index),
    type: attachment.mimetype,
    data: base64Of(attachment),
  }));
  return {
    from: asObject(parsed.from),
    reply_to: mailboxesOf(parsed.replyTo).map(asText).join(', ') || undefined,
    subject,
    text: body === '' && htmlBody !== null ? undefined : body,
    html: htmlBody ?? undefined,
    headers: unlessEmpty({ ...headersOf(message), ...(cc.length > 0 && { Cc: cc.map(asText).join(', ') }) }),
    attachments: unlessEmpty(files.filter((_, index) => attachments[index]?.contentId === null)),
    inline_images: unlessEmpty(files.filter((_, index) => attachments[index]?.contentId !== null)),
  };
}

/** It counts the recipients that it took, and names none. */
function parse({ body }: Answer, message: EmailMessage): Verdict {
  const { results } = body as Answered;
  const { id, total_accepted_recipients: accepted, total_rejected_recipients: rejected } = results ?? {};
  const count = recipientsOf(message).length;
  if (id === undefined || accepted === undefined || rejected === undefined) return null;
  if (accepted === 0 && rejected === count) return { ...refusalOf(body as Answered, ''), code: 'rejected' };
  return { messageId: String(id), status: accepted === count && rejected === 0 ? 'queued' : 'unknown' };
}

function refusalOf({ errors = [] }: Answered, text: string): Refusal {
  const said = errors.map(
    ({ code, message, description }) =>
      `${code ? `${code}: ` : ''}${[message, description].filter(Boolean).join(', ')}`,
  );
  const known = errors.find(({ code = '' }) => Object.hasOwn(MEANINGS, code))?.code;
  return { text: said.join('; ') || text.slice(0, 200), ...(known !== undefined && MEANINGS[known]) };
}
