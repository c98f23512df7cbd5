import { stopCode } from '../backend/job.ts';
import type { Mailbox } from '../model/address.ts';
import {
  EmailConnectionError,
  EmailError,
  type EmailErrorOptions,
  SendError,
  type SendErrorCode,
} from '../model/errors.ts';
import type { DeliveryStatus } from '../model/status.ts';
import { connectError } from '../net/connect-error.ts';
import { CERTIFICATE_CODE, NETWORK_CODES, systemCode, systemError } from '../net/network-code.ts';
import { handshakeError } from '../net/tls-failure.ts';
import type { NoAnswer } from '../net/transport.ts';
import { reasonOf } from '../util/reason.ts';
import type { Answer } from './provider.ts';

/** What a provider says no with. */
export interface Refusal {
  /** What its own words mean, where they say more than the HTTP status; `uncertain` when the mail may be sent all the same, `duplicate` when one with its key was. */
  readonly code?: SendErrorCode | 'auth';
  /** Its words. */
  readonly text: string;
  /** What to change. */
  readonly advice?: string;
  /** Of the recipients that it names. */
  readonly statusOf?: (recipient: Mailbox) => DeliveryStatus | undefined;
  /** The part of the answer that is about this message, where it is about several. */
  readonly part?: unknown;
}

/**
 * The error of a request that was not answered: whatever may have arrived is in doubt.
 *
 * @param option what says where it went
 */
export function unansweredError(
  name: string,
  failure: NoAnswer,
  signal: AbortSignal | undefined,
  option = 'baseUrl',
): EmailError {
  const { cause, isSent } = failure;
  if (cause instanceof EmailError && !isSent) return cause;
  const reason = reasonOf(cause);
  if (isSent) {
    const code = signal?.aborted ? stopCode(signal) : isTimeout(cause) ? 'timeout' : 'closed';
    const text = `it is not known whether ${name} took the mail: ${reason}`;
    return new SendError(code, text, { phase: 'request', outcome: 'unknown', cause });
  }
  if (signal?.aborted || isTimeout(cause)) {
    const code = signal?.aborted ? stopCode(signal) : 'timeout';
    const text = `${name} was not asked to send the mail: ${reason}`;
    return new EmailConnectionError(code, text, { retryable: true, cause });
  }
  const inner = systemError(cause);
  const system = systemCode(inner);
  const isUnconnected = Object.hasOwn(NETWORK_CODES, system);
  if (!isUnconnected && (CERTIFICATE_CODE.test(system) || /^(?:ERR_SSL_|ERR_TLS_|EPROTO$)/.test(system))) {
    const certificate = 'NODE_EXTRA_CA_CERTS names the file of an authority of your own';
    return handshakeError(inner, name, { phase: 'connect', certificate, other: `check ${option}` });
  }
  if (failure.code !== null && !isUnconnected) {
    return new EmailConnectionError(failure.code, `no connection to ${name}: ${reason}`, { retryable: true, cause });
  }
  return connectError(inner, name, { dns: option, refused: option, unreachable: 'the network' });
}

/** The error of a request that could not be made: nothing has left. */
export function unmadeError(name: string, cause: unknown): EmailError {
  if (cause instanceof EmailError) return cause;
  return new SendError('source', `the request to ${name} could not be made: ${reasonOf(cause)}`, {
    phase: 'content',
    cause,
  });
}

/** The error of a mail for which something failed before it was to be sent: whatever became of that, it is not sent. */
export function unpreparedError(name: string, error: EmailError): EmailError {
  if (error.outcome === 'not-sent') return error;
  const { code, reply, cause } = error;
  const reason = reply === null ? reasonOf(cause ?? error) : `${reply.code} ${onOneLine(reply.text)}`;
  return new SendError(
    code === 'aborted' || code === 'timeout' ? code : 'temporary',
    `${name} was not asked to send the mail, which could not be prepared there: ${reason}`,
    { phase: 'request', retryable: true, ...(reply && { reply }), cause: error },
  );
}

function isTimeout(cause: unknown): boolean {
  return cause instanceof Error && cause.name === 'TimeoutError';
}

/** What an HTTP status means where the provider's words say no more (RFC 9110, section 15). */
function codeOfStatus(status: number): SendErrorCode | 'auth' {
  if (status === 401 || status === 403) return 'auth';
  if (status === 402) return 'quota';
  if (status === 408 || status === 409 || status >= 500) return 'uncertain';
  if (status === 413) return 'too-large';
  if (status === 420 || status === 429) return 'throttled';
  return leadsElsewhere(status) ? 'provider' : 'rejected';
}

/** Redirections are not followed, as they would choose who gets the key; with fetch some runtimes report their status as 0. */
function leadsElsewhere(status: number): boolean {
  return status < 200 || (status >= 300 && status < 400);
}

/** The error of an answer that is no yes. */
export function answeredError(
  name: string,
  { status, headers }: Pick<Answer, 'status' | 'headers'>,
  refusal: Refusal,
): EmailError {
  const code = refusal.code ?? codeOfStatus(status);
  const words = onOneLine(refusal.text);
  const said = `${status}${words === '' ? '' : ` ${words}`}`;
  const advice = refusal.advice ?? (leadsElsewhere(status) ? 'it leads elsewhere: check baseUrl' : undefined);
  const text = advice === undefined ? said : `${said}; ${advice}`;
  const facts: EmailErrorOptions = {
    phase: 'request',
    reply: { code: status, enhancedCode: null, text: refusal.text },
  };
  if (code === 'auth') {
    return new EmailConnectionError('auth', `${name} refuses the key: ${text}`, facts);
  }
  if (code === 'uncertain' || code === 'duplicate') {
    return new SendError(code, `it is not known whether ${name} took the mail: ${text}`, {
      ...facts,
      outcome: 'unknown',
    });
  }
  const retryAfterMs = code === 'throttled' || code === 'quota' ? retryAfter(headers, Date.now()) : null;
  const retryable = code === 'throttled' || code === 'quota' || code === 'temporary';
  const wait = retryAfterMs === null ? {} : { retryAfterMs };
  return new SendError(code, `${name} refused the mail: ${text}`, { ...facts, retryable, ...wait });
}

/** The most characters of a provider's words in a message. */
const MAX_WORDS = 1_000;

/** Logs are read line by line, and terminals do what control characters say. */
function onOneLine(text: string): string {
  const line = text
    .slice(0, 2 * MAX_WORDS)
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim();
  return line.length > MAX_WORDS ? `${line.slice(0, MAX_WORDS)}…` : line;
}

/** A time that comes as seconds is one of an era when it is that large. */
const ERA = 1_000_000_000;

/** How long to wait before the next try, by whichever header a provider has for it, in milliseconds; null when it says nothing. */
export function retryAfter(headers: Readonly<Record<string, string>>, now: number): number | null {
  const text = headers['retry-after'] ?? headers['x-ratelimit-reset'] ?? headers['x-sib-ratelimit-reset'];
  if (text === undefined) return null;
  const seconds = /^\d+(?:\.\d+)?$/.test(text.trim()) ? Number(text) : null;
  const at = seconds === null ? Date.parse(text) : seconds >= ERA ? seconds * 1_000 : now + seconds * 1_000;
  return Number.isNaN(at) ? null : Math.max(0, Math.ceil(at - now));
}
