import { createHash, createHmac } from 'node:crypto';
import type { HttpCall } from '../scripted-http.ts';
import type { Table } from '../strict-shape.ts';
import { mailOf, type Vendor } from '../strict-vendor.ts';

/** The key of the resource, in base64. */
export const ACCESS_KEY = 'MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=';

const PERSON: Table = { 'address!': 'filled', displayName: 'filled' };
// https://github.com/Azure/azure-rest-api-specs, specification/communication/data-plane/Email/stable/2025-09-01 at 6e3a232, read 2026-11-30
const MAIL: Table = {
  'senderAddress!': 'filled',
  'content!': { 'subject!': 'text', plainText: 'text', html: 'filled' },
  'recipients!': { 'to!': [PERSON], cc: [PERSON], bcc: [PERSON] },
  headers: 'texts',
  attachments: [{ 'name!': 'filled', 'contentType!': 'filled', 'contentInBase64!': 'base64', contentId: 'filled' }],
  replyTo: [PERSON],
  userEngagementTrackingDisabled: 'boolean',
};

interface Person {
  readonly address: string;
  readonly displayName?: string;
}
interface Mail {
  readonly senderAddress: string;
  readonly content: { subject: string; plainText?: string; html?: string };
  readonly recipients: { to: Person[]; cc?: Person[]; bcc?: Person[] };
  readonly headers?: Record<string, string>;
  readonly attachments?: { name: string; contentType: string; contentInBase64: string; contentId?: string }[];
  readonly replyTo?: Person[];
}

const box = ({ address, displayName }: Person) =>
  displayName === undefined ? address : { name: displayName, address };

/** As https://learn.microsoft.com/azure/communication-services/tutorials/hmac-header-tutorial says, read 2026-11-30. */
function isSigned({ method, path, headers, body }: HttpCall): boolean {
  const hash = createHash('sha256').update(body).digest('base64');
  const signed = `${method}\n${path}\n${headers['x-ms-date']};${headers['host']};${hash}`;
  const signature = createHmac('sha256', Buffer.from(ACCESS_KEY, 'base64')).update(signed).digest('base64');
  const isNow = Math.abs(Date.now() - Date.parse(headers['x-ms-date'] ?? '')) < 300_000;
  return (
    isNow &&
    headers['x-ms-content-sha256'] === hash &&
    headers['authorization'] === `HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=${signature}`
  );
}

const isSignedOf = new WeakMap<object, boolean>();

/** Azure Communication Services. */
export const azure: Vendor = {
  read: (call) => {
    const body: object = JSON.parse(call.body.toString());
    isSignedOf.set(body, isSigned(call) && call.path === '/emails:send?api-version=2025-09-01');
    return body;
  },
  isKnown: ({ authorization }, body) =>
    authorization === 'Bearer entra-token' || isSignedOf.get(body as object) === true,
  fault: (status, message) => ({
    status,
    body: { error: { code: status === 401 ? 'Denied' : 'BadRequest', message } },
  }),
  endpoints: {
    '/emails:send': {
      shape: MAIL,
      mails: ({ senderAddress, content, recipients, headers = {}, attachments = [], replyTo = [] }: Mail) => {
        const { to, cc = [], bcc = [] } = recipients;
        const mail = mailOf(
          [...to, ...cc, ...bcc].map(({ address }) => address),
          {
            fromEmail: senderAddress,
            to: to.map(box),
            cc: cc.map(box),
            replyTo: replyTo.map(box),
            subject: content.subject,
            body: content.plainText ?? '',
            htmlBody: content.html ?? null,
            headers,
            attachments: attachments.map(({ name, contentType, contentInBase64, contentId }) => ({
              filename: name,
              content: Buffer.from(contentInBase64, 'base64'),
              mimetype: contentType,
              contentId: contentId ?? null,
            })),
          },
        );
        return [[mail]];
      },
      answer: ([refused], [id]) =>
        refused
          ? { status: 400, body: { error: { code: 'InvalidRecipient', message: 'x' } } }
          : {
              status: 202,
              headers: { 'operation-location': 'x', 'retry-after': '5' },
              body: { id, status: 'Running' },
            },
    },
  },
};
