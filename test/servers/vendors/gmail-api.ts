import { rawMail } from '../raw-mail.ts';
import type { HttpCall } from '../scripted-http.ts';
import type { Vendor } from '../strict-vendor.ts';

interface Upload {
  readonly raw: string;
}

/**
 * The mail and what is said beside it, as https://developers.google.com/workspace/gmail/api/guides/uploads has simple and multipart
 * uploads, read 2026-11-30.
 */
function read({ path, headers, body }: HttpCall): unknown {
  const type = headers['content-type'] ?? '';
  const text = body.toString('latin1');
  if (path.endsWith('?uploadType=media') && type === 'message/rfc822') return { raw: text };
  const [, boundary] = /^multipart\/related; boundary=([\w-]+)$/.exec(type) ?? [];
  if (!path.endsWith('?uploadType=multipart') || boundary === undefined) return {};
  const [, said, mail] =
    new RegExp(
      `^--${boundary}\\r\\nContent-Type: application/json; charset=UTF-8\\r\\n\\r\\n(.*)\\r\\n--${boundary}\\r\\nContent-Type: message/rfc822\\r\\n\\r\\n([^]*)\\r\\n--${boundary}--\\r\\n$`,
    ).exec(text) ?? [];
  return { ...JSON.parse(said ?? '{}'), raw: mail };
}

/** The Gmail API. */
export const gmailApi: Vendor = {
  isKnown: ({ authorization }) => authorization === 'Bearer ya29.valid',
  read,
  fault: (status, message) => ({
    status,
    body: {
      error: {
        code: status,
        message,
        errors: [
          {
            message,
            domain: 'global',
            reason: status === 401 ? 'authError' : status === 403 ? 'domainPolicy' : 'badRequest',
          },
        ],
      },
    },
  }),
  endpoints: {
    '/upload/gmail/v1/users/me/messages/send': {
      // The fields of https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages that one may set, read 2026-11-30
      shape: { 'raw!': 'filled', threadId: 'filled' },
      mails: ({ raw }: Upload) => [[rawMail(Buffer.from(raw, 'latin1'))]],
      answer: ([refused], [id]) =>
        refused
          ? {
              status: 400,
              body: {
                error: {
                  code: 400,
                  message: 'Invalid To header',
                  errors: [{ message: 'Invalid To header', domain: 'global', reason: 'invalidArgument' }],
                  status: 'INVALID_ARGUMENT',
                },
              },
            }
          : { body: { id, threadId: 't-1', labelIds: ['SENT'] } },
    },
  },
};
