import { randomUUID } from 'node:crypto';
import type { EmailMessageInit } from '../../model/message-init.ts';
import { jsonReply, type Reply } from '../web/reply.ts';
import { extraOf, fileOf, headerFields } from './fields.ts';
import { addressOf } from './people.ts';
import { hasBearer, missing, refuseContent, statusOf, textOf } from './refusals.ts';
import type { Table } from './shape.ts';
import { endpoint, type Problem, Refused, type Vendor, type VendorCall } from './vendor.ts';

const PERSON: Table = { 'address!': 'text', displayName: 'text' };
// https://learn.microsoft.com/rest/api/communication/email/email/send, read 2026-11-30
const MAIL: Table = {
  'senderAddress!': 'text',
  'content!': { 'subject!': 'text', plainText: 'text', html: 'text' },
  'recipients!': { to: [PERSON], cc: [PERSON], bcc: [PERSON] },
  headers: 'texts',
  attachments: [{ 'name!': 'text', 'contentType!': 'text', 'contentInBase64!': 'base64', contentId: 'text' }],
  replyTo: [PERSON],
  userEngagementTrackingDisabled: 'boolean',
};

interface Person {
  readonly address: string;
  readonly displayName?: string;
}
interface Mail {
  readonly senderAddress: string;
  readonly content: { readonly subject: string; readonly plainText?: string; readonly html?: string };
  readonly recipients: {
    readonly to?: readonly Person[];
    readonly cc?: readonly Person[];
    readonly bcc?: readonly Person[];
  };
  readonly headers?: Readonly<Record<string, string>>;
  readonly attachments?: readonly File[];
  readonly replyTo?: readonly Person[];
  readonly userEngagementTrackingDisabled?: boolean;
}
interface File {
  readonly name: string;
  readonly contentType: string;
  readonly contentInBase64: string;
  readonly contentId?: string;
}

const box = ({ address, displayName }: Person) => addressOf(address, displayName);

function messageOf(mail: Mail, { query }: VendorCall): EmailMessageInit {
  const { senderAddress, content, recipients, replyTo = [], userEngagementTrackingDisabled } = mail;
  if (!query.has('api-version')) missing('api-version', 'must be a parameter of the address');
  if (!content.plainText && !content.html) missing('content.plainText', 'or content.html is needed');
  if (/[<>]/.test(senderAddress)) refuseContent('senderAddress', 'must be an address without a name');
  const { init, left } = headerFields(Object.entries(mail.headers ?? {}));
  return {
    ...init,
    fromEmail: senderAddress,
    to: (recipients.to ?? []).map(box),
    cc: (recipients.cc ?? []).map(box),
    bcc: (recipients.bcc ?? []).map(box),
    ...(replyTo.length > 0 && { replyTo: replyTo.map(box) }),
    subject: content.subject,
    body: content.plainText ?? '',
    htmlBody: content.html ?? null,
    attachments: (mail.attachments ?? []).map((file) =>
      fileOf(file.contentInBase64, file.name, file.contentType, file.contentId),
    ),
    ...extraOf('azure', { userEngagementTrackingDisabled, headers: left }),
  };
}

/** No operation has this id. */
const NO_OPERATION = /^[0-]+$/;

/** Azure Communication Services; signatures are not checked. */
export const vendor: Vendor = {
  names: {
    fromEmail: 'senderAddress',
    to: 'recipients.to',
    cc: 'recipients.cc',
    bcc: 'recipients.bcc',
    subject: 'content.subject',
    body: 'content.plainText',
    htmlBody: 'content.html',
  },
  takesNull: true,
  newId: ({ headers }) => String(headers['operation-id'] ?? randomUUID()),
  // https://learn.microsoft.com/rest/api/communication/authentication
  hasKey: (headers) =>
    hasBearer(headers) ||
    (/^HMAC-SHA256 .*Signature=\S/.test(headers.authorization ?? '') &&
      Boolean(headers['x-ms-date'] && headers['x-ms-content-sha256'])),
  refuse,
  endpoints: {
    'POST /emails:send': endpoint<Mail>({
      shape: MAIL,
      mails: (mail, call) => [messageOf(mail, call)],
      answer: ([outcome], { baseUrl, query }) => {
        const id = outcome?.ids[0];
        const reply = jsonReply({ id, status: 'Running', error: null }, 202);
        const location = `${baseUrl}/emails/operations/${id}?api-version=${query.get('api-version')}`;
        return { ...reply, headers: { ...reply.headers, 'operation-location': location, 'retry-after': '1' } };
      },
    }),
    'GET /emails/operations/*': ({ params: [id = ''] }) => {
      if (NO_OPERATION.test(id))
        throw new Refused({ kind: 'path', field: null, message: 'there is no such operation' });
      return jsonReply({ id, status: 'Succeeded', error: null });
    },
  },
};

const CODES: Readonly<Partial<Record<Problem['kind'], string>>> = {
  key: 'Denied',
  path: 'NotFound',
  'too-large': 'RequestEntityTooLarge',
  throttled: 'TooManyRequests',
};

function refuse([problem]: readonly [Problem, ...Problem[]]): Reply {
  const { kind } = problem;
  const message = kind === 'key' ? 'Denied by the resource provider.' : textOf(problem);
  return jsonReply({ error: { code: CODES[kind] ?? 'BadRequest', message } }, statusOf(problem));
}
