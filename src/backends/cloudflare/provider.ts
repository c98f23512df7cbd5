import type { Refusal } from '../../http/failure.ts';
import type { Answer, Built, Provider, Verdict } from '../../http/provider.ts';
import { rawMail } from '../../http/raw-mail.ts';
import { addressKey, comparisonKey } from '../../model/address.ts';
import type { EmailMessage } from '../../model/message.ts';
import type { DeliveryStatus } from '../../model/status.ts';
import type { CloudflareOptions } from '../cloudflare.ts';

/** What Cloudflare answers to everything. */
interface Envelope {
  readonly success?: boolean;
  readonly errors?: readonly { readonly code?: number; readonly message?: string }[];
  readonly result?: Readonly<Partial<Record<'delivered' | 'queued' | 'permanent_bounces', readonly string[]>>> & {
    readonly message_id?: string;
    readonly status?: string;
  };
}

const STATUSES: readonly (readonly ['delivered' | 'queued' | 'permanent_bounces', DeliveryStatus])[] = [
  ['delivered', 'sent'],
  ['queued', 'queued'],
  ['permanent_bounces', 'invalid'],
];

/** Cloudflare's API. */
export function cloudflareProvider({ apiToken, accountId = '' }: CloudflareOptions): Provider {
  return {
    baseUrl: 'https://api.cloudflare.com/client/v4',
    authorization: { authorization: `Bearer ${apiToken}` },
    fixed: new Set(['from', 'recipients', 'mime_message']),
    check: { path: '/user/tokens/verify', read: readToken },
    build: (message) => build(message, accountId),
    parse,
    refusal: ({ body, text }) => refusalOf(body as Envelope | undefined, text),
  };
}

/** Whether the token is active; a token of the account, not of a user, is refused that. */
function readToken({ status, body }: Answer): { readonly token: string | null } | null {
  const { success, result } = body as Envelope;
  return status < 300 && success !== false ? { token: result?.status ?? null } : null;
}

function build(message: EmailMessage, accountId: string): Built {
  return {
    path: `/accounts/${accountId}/email/sending/send_raw`,
    body: {
      from: message.parsed.from.asciiAddress,
      recipients: message.recipients.map(({ asciiAddress }) => asciiAddress),
      mime_message: rawMail(message).toString('latin1'), // it is ASCII
    },
  };
}

function parse({ body }: Answer): Verdict {
  const { success, result } = body as Envelope;
  if (success === false) return refusalOf(body as Envelope, '');
  if (success !== true || result === undefined) return null;
  const told = new Map<string, DeliveryStatus>();
  for (const [list, status] of STATUSES)
    for (const address of result[list] ?? []) told.set(comparisonKey(address), status);
  return {
    messageId: result.message_id ?? null,
    statusOf: (recipient) => told.get(addressKey(recipient)) ?? 'unknown',
  };
}

function refusalOf({ errors = [] }: Envelope = {}, text: string): Refusal {
  const said = errors.map(({ code, message }) => `${code}: ${message}`).join('; ');
  const isAuth = errors.some(({ code }) => code === 10_000 || code === 9_109);
  return { text: said || text.slice(0, 200), ...(isAuth && { code: 'auth' }) };
}
