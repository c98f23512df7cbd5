import { rawMail } from '../raw-mail.ts';
import type { HttpCall } from '../scripted-http.ts';
import type { Vendor } from '../strict-vendor.ts';

/** The mail of a request, as https://learn.microsoft.com/graph/outlook-send-mime-message has it, read 2026-11-30. */
function read({ headers, body }: HttpCall): unknown {
  return headers['content-type'] === 'text/plain' ? { mime: body.toString('latin1') } : { json: body.toString() };
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
      shape: { 'mime!': 'base64' },
      mails: ({ mime }: { mime: string }) => [[rawMail(Buffer.from(mime, 'base64'))]],
      answer: ([refused]) =>
        refused
          ? { status: 400, body: { error: { code: 'ErrorInvalidRecipients', message: 'x' } } }
          : { status: 202, headers: { 'request-id': 'r-1' }, body: '' },
    },
  },
};
