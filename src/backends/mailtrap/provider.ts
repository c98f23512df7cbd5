import type { Refusal } from '../../http/failure.ts';
import { asObject, base64Of, headersOf, mediaTypeOf, nameOf, peopleOf, unlessEmpty } from '../../http/payload.ts';
import type { Answer, Built, Provider, Verdict } from '../../http/provider.ts';
import { addressHeader } from '../../mime/compose/headers.ts';
import { type EmailMessage, mailboxesOf } from '../../model/message.ts';
import type { MailtrapOptions } from '../mailtrap.ts';

/** What Mailtrap says of one mail. */
interface MailtrapAnswer {
  readonly success?: boolean;
  readonly message_ids?: readonly string[];
  readonly errors?: readonly string[] | string | undefined;
  /** What the API of accounts has instead. */
  readonly error?: string;
}
type BatchAnswer = MailtrapAnswer & { readonly responses?: readonly MailtrapAnswer[] };

/** Mailtrap's API. */
export function mailtrapProvider({ apiKey, stream, sandboxId }: MailtrapOptions): Provider {
  const service = sandboxId === undefined ? (stream === 'bulk' ? 'bulk' : 'send') : 'sandbox';
  const suffix = sandboxId === undefined ? '' : `/${sandboxId}`;
  return {
    baseUrl: `https://${service}.api.mailtrap.io`,
    authorization: { authorization: `Bearer ${apiKey}` },
    fixed: new Set(['from', 'to', 'cc', 'bcc']),
    templateMakes: ['subject', 'body', 'htmlBody'],
    batch: {
      max: 500,
      maxSize: 50_000_000,
      around: () => ['{"requests":[', ']}'],
      parse: ({ body }, messages) => {
        const { responses = [], success, errors } = body as BatchAnswer;
        const otherwise = success === false && responses.length === 0 ? { success, errors } : {};
        return messages.map((message, index) => {
          const part = responses[index] ?? otherwise;
          const verdict = verdictOf(part, message);
          return verdict && { ...verdict, part };
        });
      },
    },
    check: { baseUrl: 'https://mailtrap.io', path: '/api/accounts', read: readAccounts },
    build: (message) => build(message, suffix),
    parse: ({ body }, message) => verdictOf(body as MailtrapAnswer, message),
    refusal: ({ status, body, text }) => ({
      ...refusalOf((body ?? {}) as MailtrapAnswer, text),
      ...(status === 403 && { advice: 'verify the domain of fromEmail, or give a token that may send from it' }),
    }),
  };
}

function readAccounts({ status, body }: Answer): { readonly account: string | null } | null {
  if (status >= 300) return null;
  const [first] = body as readonly { readonly name?: string }[];
  return { account: first?.name ?? null };
}

function build(message: EmailMessage, suffix: string): Built {
  const { subject, body, htmlBody, templateId, mergeGlobalData, tags, metadata, parsed } = message;
  const { to, cc, bcc } = peopleOf(message);
  const [replyTo, ...more] = mailboxesOf(parsed.replyTo);
  const isStored = templateId !== null;
  const attachments = message.attachments.map((attachment, index) => ({
    content: base64Of(attachment),
    filename: nameOf(attachment, index),
    type: mediaTypeOf(attachment),
    disposition: attachment.contentId === null ? 'attachment' : 'inline',
    content_id: attachment.contentId ?? undefined,
  }));
  return {
    path: `/api/send${suffix}`,
    batch: `/api/batch${suffix}`,
    body: {
      from: asObject(parsed.from),
      to: unlessEmpty(to.map(asObject)),
      cc: unlessEmpty(cc.map(asObject)),
      bcc: unlessEmpty(bcc.map(asObject)),
      reply_to: replyTo && more.length === 0 ? asObject(replyTo) : undefined,
      subject: isStored ? undefined : subject,
      text: isStored || (body === '' && htmlBody !== null) ? undefined : body,
      html: htmlBody ?? undefined,
      template_uuid: templateId ?? undefined,
      template_variables: isStored ? unlessEmpty(mergeGlobalData ?? {}) : undefined,
      headers: unlessEmpty({ ...headersOf(message), ...(more.length > 0 && { 'Reply-To': replyToHeader(message) }) }),
      attachments: unlessEmpty(attachments),
      category: tags.length === 1 && !isStored ? tags[0] : undefined,
      custom_variables: unlessEmpty(metadata),
    },
    ignored: {
      ...(tags.length > 1 && { tags: 'Mailtrap takes one tag' }),
      ...(tags.length === 1 && isStored && { tags: 'Mailtrap takes no tag with a template' }),
    },
  };
}

/** The field for answers has one address. */
function replyToHeader({ parsed }: EmailMessage): string {
  return addressHeader('Reply-To', parsed.replyTo).replaceAll('\r\n ', ' ').slice('Reply-To: '.length).trimEnd();
}

/** Ids come in the order of the recipients; in the sandbox there is one for all. */
function verdictOf(answer: MailtrapAnswer, message: EmailMessage): Verdict {
  const { success, message_ids: ids = [] } = answer;
  if (success === false) return refusalOf(answer, '');
  if (success !== true) return null;
  const { to, cc, bcc } = peopleOf(message);
  const people = [...to, ...cc, ...bcc];
  const [messageId = null] = ids;
  if (ids.length !== people.length) return { messageId };
  return { messageId, idOf: (recipient) => ids[people.indexOf(recipient)] };
}

function refusalOf({ errors, error }: MailtrapAnswer, text: string): Refusal {
  return { text: [errors ?? error ?? []].flat().join('; ') || text.slice(0, 200) };
}
