import { bearer } from '../../http/bearer.ts';
import type { Refusal } from '../../http/failure.ts';
import type { Answer, Built, Encoded, Provider, Verdict } from '../../http/provider.ts';
import { rawMailWithBcc } from '../../http/raw-mail.ts';
import type { EmailMessage } from '../../model/message.ts';
import { randomToken } from '../../util/random.ts';
import type { GmailApiOptions } from '../gmail-api.ts';

/** A mail, and what is said beside it. */
interface Upload {
  readonly raw: Uint8Array;
}

/** What Gmail says no with; the reasons are those of https://developers.google.com/workspace/gmail/api/guides/handle-errors. */
interface Fault {
  readonly error?: {
    readonly message?: string;
    readonly errors?: readonly { readonly reason?: string }[];
  };
}

const SCOPE = 'insufficientPermissions';
const MEANINGS: Readonly<Record<string, Pick<Refusal, 'code' | 'advice'>>> = {
  rateLimitExceeded: { code: 'throttled' },
  userRateLimitExceeded: { code: 'throttled' },
  dailyLimitExceeded: { code: 'quota' },
  quotaExceeded: { code: 'quota' },
  authError: { code: 'auth' },
  [SCOPE]: { code: 'auth', advice: 'the token needs the scope https://www.googleapis.com/auth/gmail.send' },
  accessNotConfigured: { code: 'account', advice: 'enable the Gmail API in the project of the application' },
  domainPolicy: { code: 'account', advice: 'the administrator of the domain allows no Gmail API' },
  failedPrecondition: { code: 'account' },
};

/** The Gmail API. */
export function gmailApiProvider(options: GmailApiOptions): Provider {
  const sign = bearer(options);
  return {
    baseUrl: 'https://gmail.googleapis.com',
    ...(sign && { sign }),
    fixed: new Set(['raw']),
    check: { path: '/gmail/v1/users/me/profile', read: readProfile },
    build,
    encode: (body) => encode(body as Upload), // as it was built
    parse: ({ body }): Verdict => {
      const { id } = body as { readonly id?: string };
      return id === undefined ? null : { messageId: id, status: 'sent' };
    },
    refusal,
  };
}

/** A token that may only send is known, but not told whose it is. */
function readProfile({ status, body }: Answer): { readonly account: string | null } | null {
  const { emailAddress } = (body ?? {}) as { readonly emailAddress?: string };
  if (status < 300 && emailAddress !== undefined) return { account: emailAddress };
  return status === 403 && reasonOf(body) === SCOPE ? { account: null } : null;
}

function build(message: EmailMessage): Built {
  const isAlone = Object.keys(message.espExtra?.['gmail-api'] ?? {}).length === 0;
  return {
    path: `/upload/gmail/v1/users/me/messages/send?uploadType=${isAlone ? 'media' : 'multipart'}`,
    body: { raw: rawMailWithBcc(message) } satisfies Upload,
  };
}

/** The mail, after what is said beside it (https://developers.google.com/workspace/gmail/api/guides/uploads). */
function encode({ raw, ...beside }: Upload): Encoded {
  if (Object.keys(beside).length === 0) return { type: 'message/rfc822', body: [raw] };
  const boundary = `upload-${randomToken()}`;
  const head = `--${boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n${JSON.stringify(beside)}\r\n--${boundary}\r\nContent-Type: message/rfc822\r\n\r\n`;
  const body = [Buffer.from(head), raw, Buffer.from(`\r\n--${boundary}--\r\n`)];
  return { type: `multipart/related; boundary=${boundary}`, body };
}

function refusal({ body, text }: Answer): Refusal {
  const { error } = (body ?? {}) as Fault;
  const reason = reasonOf(body);
  const message = error?.message ?? text.slice(0, 200);
  return { text: reason === '' ? message : `${reason}: ${message}`, ...MEANINGS[reason] };
}

function reasonOf(body: unknown): string {
  const { error } = (body ?? {}) as Fault;
  return error?.errors?.[0]?.reason ?? '';
}
