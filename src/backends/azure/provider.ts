import { bearer } from '../../http/bearer.ts';
import type { Refusal } from '../../http/failure.ts';
import { base64Of, headersOf, mediaTypeOf, nameOf, peopleOf, unlessEmpty, uuidOf } from '../../http/payload.ts';
import type { Answer, Built, Provider } from '../../http/provider.ts';
import type { Mailbox } from '../../model/address.ts';
import { MessageError } from '../../model/errors.ts';
import { type EmailMessage, mailboxesOf } from '../../model/message.ts';
import type { AzureOptions } from '../azure.ts';
import { endpointUrl, readConnectionString } from './connection-string.ts';
import { signWith } from './signature.ts';

/** The version of the API whose attachments have Content-IDs. */
const VERSION = 'api-version=2025-09-01';
/** No operation has this id. */
const NO_OPERATION = '00000000-0000-0000-0000-000000000000';

/** What Azure says no with. */
interface Fault {
  readonly code?: string;
  readonly message?: string;
}

/** What Azure's codes mean where they say more than the HTTP status. */
const MEANINGS: Readonly<Record<string, Pick<Refusal, 'code' | 'advice'>>> = {
  DomainNotLinked: { code: 'account', advice: "link the sender's domain to the resource" },
  InvalidSenderUserName: { code: 'account', advice: "add the sender's address (MailFrom) to its domain" },
};

/** The API of Azure Communication Services. */
export function azureProvider(options: AzureOptions): Provider {
  const { connectionString, endpoint = '', accessKey } = options;
  const resource = readConnectionString(connectionString ?? '');
  const key = resource?.accessKey ?? accessKey;
  const sign = key === undefined ? bearer(options) : signWith(key);
  return {
    baseUrl: resource?.endpoint ?? endpointUrl(endpoint),
    ...(sign && { sign }),
    fixed: new Set(['senderaddress', 'recipients']),
    check: { path: `/emails/operations/${NO_OPERATION}?${VERSION}`, read: readOperation },
    build,
    parse: ({ body }) => {
      const { id, status = '', error } = body as { readonly id?: string; readonly status?: string; error?: Fault };
      if (status === 'Failed' || status === 'Canceled') return refusalOf(error, status);
      return id === undefined ? null : { messageId: id };
    },
    refusal: ({ body, text }) => refusalOf((body as { readonly error?: Fault } | undefined)?.error, text),
  };
}

/** Who may ask is told, in Azure's own words, that there is no such operation. */
function readOperation({ status, body }: Answer): { readonly operations: boolean } | null {
  const { error } = (body ?? {}) as { readonly error?: Fault };
  return status === 404 && error?.code !== undefined ? { operations: true } : null;
}

function build(message: EmailMessage): Built {
  const { subject, body, htmlBody, idempotencyKey, parsed } = message;
  const { to, cc, bcc } = peopleOf(message);
  if (parsed.from.name !== '') throw namedSender();
  const attachments = message.attachments.map((attachment, index) => ({
    name: nameOf(attachment, index),
    contentType: mediaTypeOf(attachment),
    contentInBase64: base64Of(attachment),
    contentId: attachment.contentId ?? undefined,
  }));
  return {
    path: `/emails:send?${VERSION}`,
    ...(idempotencyKey !== null && { headers: { 'operation-id': uuidOf(idempotencyKey) } }),
    body: {
      senderAddress: parsed.from.asciiAddress,
      content: {
        subject,
        plainText: body === '' && htmlBody !== null ? undefined : body,
        html: htmlBody ?? undefined,
      },
      recipients: { to: to.map(person), cc: unlessEmpty(cc.map(person)), bcc: unlessEmpty(bcc.map(person)) },
      replyTo: unlessEmpty(mailboxesOf(parsed.replyTo).map(person)),
      headers: unlessEmpty(headersOf(message)),
      attachments: unlessEmpty(attachments),
    },
  };
}

function person({ name, asciiAddress }: Mailbox): object {
  return { address: asciiAddress, displayName: name || undefined };
}

function namedSender(): MessageError {
  const message =
    'azure shows the name that is set for the sender there (MailFrom) and takes none with a mail: give the address alone';
  return new MessageError([{ path: 'fromEmail', code: 'unsupported', message }], { code: 'unsupported-feature' });
}

function refusalOf({ code = '', message = '' }: Fault = {}, text: string): Refusal {
  const said = code === '' ? text.slice(0, 200) : `${code}: ${message}`;
  return { text: said, ...MEANINGS[code] };
}
