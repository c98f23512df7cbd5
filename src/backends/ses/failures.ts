import { firstLine } from '../../aws/client.ts';
import { unansweredError } from '../../http/failure.ts';
import { addressKey, comparisonKey, type Mailbox } from '../../model/address.ts';
import {
  ConfigurationError,
  EmailConnectionError,
  EmailError,
  type EmailErrorOptions,
  SendError,
  type SendErrorCode,
} from '../../model/errors.ts';
import type { DeliveryStatus } from '../../model/status.ts';
import { NoAnswer } from '../../net/transport.ts';
import { isError, reasonOf } from '../../util/reason.ts';

/** What a failed request, or a failed entry of a bulk request, means. */
export interface SesFailure {
  readonly error: EmailError;
  /** Why trying again cannot send anything twice; null when it could, or would not help. */
  readonly retry: 'throttled' | 'unreached' | 'transient' | 'mended' | null;
  readonly statusOf: (recipient: Mailbox) => DeliveryStatus;
}

/** The parts of an error of the service that are read here, as ours and the SDK's have them. */
export interface ServiceError {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly clockSkewCorrected?: boolean };
}

/** The request that failed. */
export interface FailureContext {
  readonly region: string;
  readonly recipients: readonly Mailbox[];
  readonly kind: RequestKind;
  readonly signal: AbortSignal | undefined;
}

/** A mail that may be with SES, one that never left the process, or a question that sends nothing. */
export type RequestKind = 'mail' | 'unsent mail' | 'question';

const DENIED = new Set(['AccessDenied', 'AccessDeniedException', 'NotAuthorized']);
const AUTH = /* @__PURE__ */ (() =>
  new Set([
    ...DENIED,
    ...['UnrecognizedClientException', 'InvalidClientTokenId', 'InvalidClientTokenIdException'],
    ...['InvalidSignatureException', 'SignatureDoesNotMatch', 'IncompleteSignature', 'IncompleteSignatureException'],
    ...['ExpiredToken', 'ExpiredTokenException', 'RequestExpired', 'RequestTimeTooSkewed', 'RequestInTheFuture'],
    ...['MissingAuthenticationToken', 'MissingAuthenticationTokenException', 'OptInRequired'],
  ]))();
const ACCOUNT = new Set(['MailFromDomainNotVerifiedException', 'AccountSuspendedException', 'SendingPausedException']);
const THROTTLED = new Set([
  ...['TooManyRequestsException', 'ThrottlingException', 'Throttling', 'ThrottledException'],
  ...['RequestThrottled', 'RequestThrottledException', 'SlowDown'],
]);

const DAILY_QUOTA = /daily|24.hour/i;
const ADDRESS_FAULT =
  /illegal address|missing final|local address|invalid (?:email )?address|domain (?:starts|ends|contains)/i;
const FAILED_IDENTITIES = /identities failed the check in region [A-Z0-9-]+: (.+)$/i;

/**
 * Reads an error of the service by its name, and by its text only where one name has several meanings.
 *
 * A request that the service may have carried out is `unknown`; one that it refused, or never got, has certainly not been sent.
 */
export function failureOf(cause: unknown, context: FailureContext): SesFailure {
  const { kind, region, signal } = context;
  if (cause instanceof EmailError) return neverSent(cause);
  if (cause instanceof NoAnswer) {
    const error = unansweredError(`SES in ${region}`, cause, signal, 'region and endpoint');
    if (error.outcome !== 'unknown') return neverSent(error);
    return withoutAnswer(kind, error.code === 'timeout' ? 'timeout' : 'closed', reasonOf(cause.cause), { cause });
  }
  const error: ServiceError = typeof cause === 'object' && cause !== null ? cause : {};
  const name = String(error.name);
  const text = firstLine(String(error.message ?? ''));
  const { httpStatusCode: status, clockSkewCorrected = false } = error.$metadata ?? {};
  const isRefusal = status !== undefined && status >= 400 && status < 500 && status !== 408; // which is no answer to the mail
  const facts = {
    phase: 'request',
    reply: { code: status ?? 0, enhancedCode: null, text: `${name}: ${text}` },
    cause,
  } as const;
  if (isRefusal && AUTH.has(name)) {
    const refusal = new EmailConnectionError('auth', `SES refused the credentials: ${name}: ${text}`, facts);
    // What was wrong with the clock, or with keys that can be had anew, has been seen to.
    return { ...sameForEvery('failed', refusal), retry: clockSkewCorrected ? 'mended' : null };
  }
  if (isRefusal && kind !== 'unsent mail') return refused(name, text, facts, context);
  const reason = [status === undefined ? null : `HTTP ${status}`, name, text].filter(Boolean).join(', ');
  return withoutAnswer(kind, 'uncertain', reason, { cause, retryable: status !== undefined });
}

/** What certainly never got to the service. */
function neverSent(error: EmailError): SesFailure {
  return { ...sameForEvery('failed', error), retry: error.retryable ? 'unreached' : null };
}

/** The statuses of SendBulkEmail's entries; the API's documentation has two spellings for some of them. */
const ENTRY_STATUSES: Readonly<Record<string, readonly [SendErrorCode, DeliveryStatus, SesFailure['retry']?]>> = {
  MESSAGE_REJECTED: ['rejected', 'rejected'],
  MAIL_FROM_DOMAIN_NOT_VERIFIED: ['account', 'failed'],
  CONFIGURATION_SET_NOT_FOUND: ['account', 'failed'],
  CONFIGURATION_SET_DOES_NOT_EXIST: ['account', 'failed'],
  TEMPLATE_NOT_FOUND: ['template', 'failed'],
  TEMPLATE_DOES_NOT_EXIST: ['template', 'failed'],
  ACCOUNT_SUSPENDED: ['account', 'failed'],
  ACCOUNT_THROTTLED: ['throttled', 'failed', 'throttled'],
  ACCOUNT_DAILY_QUOTA_EXCEEDED: ['quota', 'failed'],
  INVALID_SENDING_POOL_NAME: ['account', 'failed'],
  ACCOUNT_SENDING_PAUSED: ['account', 'failed'],
  CONFIGURATION_SET_SENDING_PAUSED: ['account', 'failed'],
  INVALID_PARAMETER: ['invalid-recipient', 'invalid'],
  INVALID_PARAMETER_VALUE: ['invalid-recipient', 'invalid'],
  TRANSIENT_FAILURE: ['temporary', 'failed', 'transient'],
  FAILED: ['provider', 'failed'],
};

/** Why an entry of a bulk request was not sent; an unfamiliar status leaves it `unknown`. */
export function entryFailure(status: string | undefined, reason: string | undefined): SesFailure {
  if (status === 'SUCCESS') return inDoubt('uncertain', 'it answered SUCCESS without a MessageId');
  const meaning = status !== undefined && Object.hasOwn(ENTRY_STATUSES, status) ? ENTRY_STATUSES[status] : undefined;
  const said = [status ?? 'no status', reason].filter(Boolean).join(': ');
  if (meaning === undefined) return inDoubt('uncertain', `it answered ${said}`);
  const [code, delivery, retry = null] = meaning;
  const facts = { phase: 'request', retryable: retry !== null } as const;
  return { ...sameForEvery(delivery, new SendError(code, `SES refused the mail: ${said}`, facts)), retry };
}

const ACCOUNT_WIDE: ReadonlySet<string> = new Set(['account', 'quota', 'template', 'aborted', 'timeout']);

/** Whether every other request of the same message would fail in the same way. */
export function isAccountWide({ error }: SesFailure): boolean {
  if (error.outcome === 'unknown') return false;
  return error instanceof EmailConnectionError || error instanceof ConfigurationError || ACCOUNT_WIDE.has(error.code);
}

/** Whether the credentials are valid but lack the permission. */
export function isDenied(error: unknown): boolean {
  return error instanceof EmailConnectionError && isError(error.cause) && DENIED.has(error.cause.name);
}

/** A failure with the same status for every recipient. */
export function sameForEvery(status: DeliveryStatus, error: EmailError): SesFailure {
  return { error, retry: null, statusOf: () => status };
}

/** A request that may have been carried out: sending it again may send it twice. */
export function inDoubt(code: SendErrorCode, reason: string, cause?: unknown): SesFailure {
  const message = `it is not known whether SES took the mail: ${reason}`;
  return sameForEvery('unknown', new SendError(code, message, { phase: 'request', outcome: 'unknown', cause }));
}

/** A request without a usable answer; only a mail that was handed over is in doubt. */
export function withoutAnswer(
  kind: RequestKind,
  code: 'timeout' | 'aborted' | 'closed' | 'uncertain',
  reason: string,
  { cause, retryable = true }: { readonly cause: unknown; readonly retryable?: boolean },
): SesFailure {
  if (kind === 'mail') return inDoubt(code, reason, cause);
  const what = kind === 'question' ? 'SES did not tell of the account' : 'the mail was not handed to SES';
  const facts: EmailErrorOptions = { phase: 'request', retryable, cause };
  return sameForEvery(
    'failed',
    new EmailConnectionError(code === 'uncertain' ? 'connection' : code, `${what}: ${reason}`, facts),
  );
}

function refused(name: string, text: string, facts: EmailErrorOptions, context: FailureContext): SesFailure {
  const code = facts.reply?.code === 429 && !THROTTLED.has(name) ? 'throttled' : refusalCode(name, text);
  if (code === 'throttled') {
    const error = new SendError(code, `SES throttles the account: ${text}`, { ...facts, retryable: true });
    return { ...sameForEvery('failed', error), retry: 'throttled' };
  }
  const what = context.kind === 'question' ? 'to tell of the account' : 'the mail';
  const failure = sameForEvery('failed', new SendError(code, `SES refused ${what}: ${name}: ${text}`, facts));
  if (code === 'rejected') {
    const identities = new Set(
      FAILED_IDENTITIES.exec(text)?.[1]
        ?.split(/\s*,\s*/)
        .map(comparisonKey),
    );
    const statusOf = statusOfNamed(context, 'rejected', (address) => identities.has(address), 'rejected');
    return { ...failure, statusOf };
  }
  if (code === 'invalid-recipient') {
    const only = context.recipients.length === 1 ? 'invalid' : 'failed';
    return { ...failure, statusOf: statusOfNamed(context, 'invalid', (address) => mentions(text, address), only) };
  }
  return failure;
}

function refusalCode(name: string, text: string): SendErrorCode {
  if (ACCOUNT.has(name)) return 'account';
  if (THROTTLED.has(name)) return DAILY_QUOTA.test(text) ? 'quota' : 'throttled';
  if (name === 'LimitExceededException') return 'quota';
  if (name === 'NotFoundException') return /template/i.test(text) ? 'template' : 'account';
  if (name === 'MessageRejected') return 'rejected';
  return name === 'BadRequestException' && ADDRESS_FAULT.test(text) ? 'invalid-recipient' : 'provider';
}

/** Recipients named in the answer get `status`, and the rest `failed`; when it names nobody, all get `otherwise`. */
function statusOfNamed(
  { recipients }: FailureContext,
  status: DeliveryStatus,
  isNamed: (address: string) => boolean,
  otherwise: DeliveryStatus,
): SesFailure['statusOf'] {
  const test = (mailbox: Mailbox) => isNamed(addressKey(mailbox));
  const rest = recipients.some(test) ? 'failed' : otherwise;
  return (recipient) => (test(recipient) ? status : rest);
}

/** Whether a text contains an address, and not as part of another one. */
function mentions(text: string, address: string): boolean {
  const escaped = address.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  return new RegExp(`(?<![\\w!#$%&*+/=?^{|}~.@-]|\\w')${escaped}(?![\\w@-]|\\.\\w)`, 'i').test(text);
}
