import { bearer } from '../../http/bearer.ts';
import type { Refusal } from '../../http/failure.ts';
import { bytesOf } from '../../http/payload.ts';
import type { Answer, Built, Encoded, Provider } from '../../http/provider.ts';
import { rawMailWithBcc } from '../../http/raw-mail.ts';
import { generateMessageId } from '../../mime/compose/message-id.ts';
import { MessageError, SendError } from '../../model/errors.ts';
import type { EmailMessage } from '../../model/message.ts';
import type { MicrosoftGraphOptions } from '../microsoft-graph.ts';
import { jsonOf } from './json.ts';
import { draftOf } from './upload.ts';

/** A mail as it is, in base64, or in Graph's own words; neither for one that is sent as a draft. */
interface Request {
  readonly mime?: string;
  readonly json?: string;
}

/** What Graph says no with. */
interface Fault {
  readonly error?: { readonly code?: string; readonly message?: string };
}

/** The most characters of a mail in base64 that one request holds: 4 MB (https://learn.microsoft.com/graph/api/user-sendmail). */
const MAX_REQUEST = 4_000_000;
const NO_MAILBOX: Pick<Refusal, 'code' | 'advice'> = {
  code: 'account',
  advice: 'there is no such mailbox: set userId, as fromEmail may be an alias',
};

/** What codes of Graph and Exchange mean where they say more than the HTTP status (https://learn.microsoft.com/graph/errors). */
const MEANINGS: Readonly<Record<string, Pick<Refusal, 'code' | 'advice'>>> = {
  ErrorAccessDenied: {
    code: 'auth',
    advice: 'the token needs the permission Mail.Send, and Mail.ReadWrite for large mails',
  },
  ErrorSendAsDenied: { code: 'account', advice: 'fromEmail must be an address that the mailbox may send as' },
  ErrorInvalidUser: NO_MAILBOX,
  Request_ResourceNotFound: NO_MAILBOX,
  ResourceNotFound: NO_MAILBOX,
  MailboxNotEnabledForRESTAPI: { code: 'account' },
  MailboxNotSupportedForRESTAPI: { code: 'account' },
  ErrorInvalidRecipients: { code: 'invalid-recipient' },
  ErrorMessageSizeExceeded: { code: 'too-large' },
  ErrorExceededMessageLimit: { code: 'quota' },
  ErrorQuotaExceeded: { code: 'account', advice: 'the mailbox is full' },
  ErrorMessageSubmissionBlocked: { code: 'account' },
};

/** Microsoft Graph's API for mail. */
export function microsoftGraphProvider(options: MicrosoftGraphOptions): Provider {
  const sign = bearer(options);
  return {
    baseUrl: 'https://graph.microsoft.com/v1.0',
    ...(sign && { sign }),
    fixed: new Set(),
    check: { path: `${mailbox(options.userId ?? 'me')}?$select=userPrincipalName`, read: readUser },
    build: (message) => build(message, options),
    encode: (body) => encode(body as Request), // as it was built
    // Nothing is told of it; what it is traced by is.
    parse: ({ status, headers }) =>
      status === 202 ? { messageId: null, part: { requestId: headers['request-id'] ?? null } } : null,
    refusal,
  };
}

/** A token that may only send is known, but not told whose it is; neither is that of an application. */
function readUser({ status, body }: Answer): { readonly account: string | null } | null {
  const { userPrincipalName, error } = (body ?? {}) as Fault & { readonly userPrincipalName?: string };
  if (status < 300 && userPrincipalName !== undefined) return { account: userPrincipalName };
  return (status === 403 || status === 400) && error?.code !== undefined ? { account: null } : null;
}

function mailbox(userId: string): string {
  return userId === 'me' ? '/me' : `/users/${encodeURIComponent(userId).replaceAll('%40', '@')}`;
}

/** @throws {MessageError} for espExtra: there is nothing to say beside the mail */
function build(given: EmailMessage, { userId, saveToSentItems = true }: MicrosoftGraphOptions): Built {
  const [field] = Object.keys(given.espExtra?.['microsoft-graph'] ?? {});
  if (field !== undefined) {
    const text = 'microsoft-graph takes the mail and nothing beside it: leave it out';
    throw new MessageError([{ path: `espExtra.microsoft-graph.${field}`, code: 'unsupported', message: text }]);
  }
  const user = mailbox(userId ?? given.parsed.from.asciiAddress);
  if (!saveToSentItems) return { path: `${user}/sendMail`, body: { json: unkept(given) } satisfies Request };
  const messageId = given.messageId ?? generateMessageId(given);
  const message = given.with({ messageId });
  const files = message.attachments.reduce((sum, attachment) => sum + bytesOf(attachment).length, 0);
  // In base64 twice, with line breaks, it is 1.8 times as long: what is certainly too large is not made as a whole.
  const mime = files * 1.8 > MAX_REQUEST ? null : rawMailWithBcc(message).toString('base64');
  if (mime !== null && (mime.length <= MAX_REQUEST || files === 0))
    return { path: `${user}/sendMail`, body: { mime } satisfies Request, messageId };
  return { path: '', body: {}, messageId, prepare: draftOf(message, user, MAX_REQUEST) };
}

/** That a mail is not to be kept can be said only beside one in Graph's own words. */
function unkept(message: EmailMessage): string {
  const json = JSON.stringify({ message: jsonOf(message), saveToSentItems: false });
  if (json.length <= MAX_REQUEST) return json;
  const text =
    'microsoft-graph keeps every mail of more than 4 MB in Sent Items: leave saveToSentItems out, or make it smaller';
  throw new SendError('too-large', text, { phase: 'content' });
}

function encode({ json, mime = '' }: Request): Encoded {
  return json === undefined ? { type: 'text/plain', body: mime } : { type: 'application/json', body: json };
}

function refusal({ body, text }: Answer): Refusal {
  const { code = '', message = text.slice(0, 200) } = ((body ?? {}) as Fault).error ?? {};
  return { text: code === '' ? message : `${code}: ${message}`, ...MEANINGS[code] };
}
