import { rawMail } from '../raw-mail.ts';
import type { HttpCall } from '../scripted-http.ts';
import type { Table } from '../strict-shape.ts';
import { mailOf, type Vendor } from '../strict-vendor.ts';

const PERSON: Table = { 'emailAddress!': { 'address!': 'filled', name: 'filled' } };
// https://learn.microsoft.com/graph/api/resources/message, read 2026-11-30
const MESSAGE: Table = {
  'subject!': 'text',
  'body!': { 'contentType!': 'filled', 'content!': 'text' },
  from: PERSON,
  'toRecipients!': [PERSON],
  ccRecipients: [PERSON],
  bccRecipients: [PERSON],
  replyTo: [PERSON],
  importance: 'filled',
  internetMessageHeaders: [{ 'name!': 'filled', 'value!': 'text' }],
  attachments: [
    {
      '@odata.type!': 'filled',
      'name!': 'filled',
      contentType: 'filled',
      isInline: 'boolean',
      contentId: 'filled',
      'contentBytes!': 'base64',
    },
  ],
};

interface Person {
  readonly emailAddress: { readonly address: string };
}
interface Request {
  readonly mime?: string;
  readonly message?: { readonly subject: string; readonly toRecipients: Person[] };
}

/** The mail of a request, as https://learn.microsoft.com/graph/outlook-send-mime-message has it, read 2026-11-30. */
function read({ headers, body }: HttpCall): unknown {
  return headers['content-type'] === 'text/plain' ? { mime: body.toString('latin1') } : JSON.parse(body.toString());
}

/** Microsoft Graph, as far as mails go that fit into one request. */
export const microsoftGraph: Vendor = {
  isKnown: ({ authorization }) => authorization === 'Bearer graph-token',
  read,
  fault: (status, message) => ({
    status,
    body: {
      error: {
        code:
          status === 401 ? 'InvalidAuthenticationToken' : status === 403 ? 'ErrorAccessDenied' : 'ErrorInvalidRequest',
        message,
      },
    },
  }),
  endpoints: {
    // https://learn.microsoft.com/graph/api/user-sendmail, read 2026-11-30
    '/users/*/sendMail': {
      shape: { mime: 'base64', message: MESSAGE, saveToSentItems: 'boolean' },
      mails: ({ mime, message }: Request) => [
        mime === undefined
          ? [
              mailOf(
                (message?.toRecipients ?? []).map(({ emailAddress }) => emailAddress.address),
                { fromEmail: 'x@example.com', subject: message?.subject ?? '' },
              ),
            ]
          : [rawMail(Buffer.from(mime, 'base64'))],
      ],
      answer: ([refused]) =>
        refused
          ? { status: 400, body: { error: { code: 'ErrorInvalidRecipients', message: 'x' } } }
          : { status: 202, headers: { 'request-id': 'r-1' }, body: '' },
    },
  },
};
