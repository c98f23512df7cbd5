import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { readContent } from '../../mime/read/content.ts';
import { readMime } from '../../mime/read/mime-tree.ts';
import { parseObject } from '../../util/json.ts';
import { jsonReply, type Reply } from '../web/reply.ts';
import { rawMail } from './raw-mail.ts';
import { hasBearer, statusOf, textOf } from './refusals.ts';
import type { Table } from './shape.ts';
import { type Endpoint, endpoint, type Problem, Refused, type Vendor } from './vendor.ts';

// What one may set of https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages, read 2026-11-30
const BESIDE: Table = { threadId: 'text', labelIds: ['text'] };

interface Message {
  readonly raw: string | Uint8Array;
  readonly threadId?: string;
}

/** The mail of an upload (https://developers.google.com/workspace/gmail/api/guides/uploads), simple or multipart. */
async function readUpload(body: Buffer, headers: IncomingHttpHeaders): Promise<unknown> {
  const type = headers['content-type'] ?? '';
  if (/^message\/rfc822\b/i.test(type)) return { raw: body };
  const refuse = (message: string): never => {
    throw new Refused({ kind: 'syntax', field: null, message });
  };
  if (!/^multipart\/related\b/i.test(type)) refuse('the content-type must be message/rfc822 or multipart/related');
  const whole = Buffer.concat([Buffer.from(`Content-Type: ${type}\r\n\r\n`), body]);
  const [said, mail] = readMime(whole).root.children;
  if (said === undefined || mail === undefined) return refuse('an upload has two parts: JSON, and the mail');
  const beside = parseObject(Buffer.from(readContent(whole, said)).toString()) ?? refuse('its first part is no JSON');
  return { ...beside, raw: readContent(whole, mail) };
}

const sending = (shape: Table, read?: Endpoint['read']): Endpoint =>
  endpoint<Message>({
    shape,
    ...(read && { read }),
    mails: ({ raw }) => [rawMail(typeof raw === 'string' ? Buffer.from(raw, 'base64url') : Buffer.from(raw))],
    answer: ([outcome], _, { threadId }) => {
      const id = outcome?.ids[0];
      return jsonReply({ id, threadId: threadId ?? id, labelIds: ['SENT'] });
    },
  });

/** The Gmail API. */
export const vendor: Vendor = {
  names: {},
  newId: () => randomBytes(8).toString('hex'),
  hasKey: hasBearer,
  refuse,
  endpoints: {
    'POST /gmail/v1/users/*/messages/send': sending({ ...BESIDE, 'raw!': 'base64' }),
    'POST /upload/gmail/v1/users/*/messages/send': sending({ ...BESIDE, 'raw!': 'anything' }, readUpload),
    'GET /gmail/v1/users/*/profile': ({ params: [user] }) =>
      jsonReply({ emailAddress: user === 'me' ? 'me@gmail.invalid' : user, messagesTotal: 0, threadsTotal: 0 }),
  },
};

// https://developers.google.com/workspace/gmail/api/guides/handle-errors, read 2026-11-30
const TOLD: Readonly<Partial<Record<Problem['kind'], readonly [reason: string, status: string]>>> = {
  key: ['required', 'UNAUTHENTICATED'],
  path: ['notFound', 'NOT_FOUND'],
  'too-large': ['uploadTooLarge', 'INVALID_ARGUMENT'],
  throttled: ['rateLimitExceeded', 'RESOURCE_EXHAUSTED'],
};

function refuse([problem]: readonly [Problem, ...Problem[]]): Reply {
  const code = statusOf(problem);
  const [reason, status] = TOLD[problem.kind] ?? ['invalidArgument', 'INVALID_ARGUMENT'];
  const message = messageOf(problem);
  return jsonReply({ error: { code, message, errors: [{ message, domain: 'global', reason }], status } }, code);
}

function messageOf(problem: Problem): string {
  const { kind, field } = problem;
  if (kind === 'key') return 'Login Required.';
  if (kind === 'address') return `Invalid ${field} header: ${problem.message}`;
  return textOf(problem);
}
