import { type DeliveryResult, failedDelivery, type Job, toEmailError } from '../../backend/job.ts';
import {
  ConfigurationError,
  type ConnectionErrorCode,
  EmailConnectionError,
  type EmailError,
  type EmailErrorOptions,
  SendError,
  type ServerReply,
} from '../../model/errors.ts';
import { refusedRecipient } from '../../model/reply-status.ts';
import { type RecipientStatus, recipientStatus } from '../../model/status.ts';
import { isError } from '../../util/reason.ts';

/** An error of Nodemailer. */
export interface NodemailerFault extends Error {
  readonly code?: unknown;
  readonly originalCode?: unknown;
  readonly responseCode?: unknown;
  readonly response?: unknown;
  readonly command?: unknown;
  readonly syscall?: unknown;
  readonly timeoutType?: unknown;
  readonly recipient?: unknown;
  readonly rejectedErrors?: readonly NodemailerFault[];
}

/** The result of a mail that Nodemailer failed to send; `addressOf` maps its addresses to the message's recipients. */
export function failureOf(
  job: Job,
  thrown: unknown,
  addressOf: (given: unknown) => string | undefined,
): DeliveryResult {
  const error = errorOf(thrown);
  const refusals = (thrown as Partial<NodemailerFault> | null)?.rejectedErrors ?? [];
  const isFinal = error.reply !== null && error.reply.code >= 500 && error.code === 'rejected';
  const result = failedDelivery(job, error, isFinal ? 'rejected' : undefined);
  const recipients = new Map(result.recipients);
  for (const fault of refusals) {
    const address = addressOf(fault.recipient);
    if (address !== undefined) recipients.set(address, refused(address, fault));
  }
  return { ...result, recipients };
}

/** The status of a refused recipient, from Nodemailer's report of it if there is one. */
export function refused(address: string, fault: NodemailerFault | undefined): RecipientStatus {
  const reply = replyOf(fault);
  if (reply !== null) return refusedRecipient(address, reply);
  const error = new SendError('rejected', `${address} was refused, and the transport does not tell why`, {
    phase: 'rcpt',
  });
  return recipientStatus(address, 'rejected', { code: error.code, error });
}

/** Parses a reply, of which Nodemailer keeps all lines with their codes; null when there is none. */
export function replyOf(fault: Pick<NodemailerFault, 'response' | 'responseCode'> | undefined): ServerReply | null {
  if (typeof fault?.response !== 'string') return null;
  const code = Number(fault.responseCode ?? /^\d{3}\b/.exec(fault.response)?.[0]);
  if (!(code >= 200 && code < 600)) return null;
  const lines = fault.response
    .split('\n')
    .map((line) => /^\d{3}[ -]?(?:([245]\.\d{1,3}\.\d{1,3})(?: |$))?(.*)$/.exec(line));
  return { code, enhancedCode: lines[0]?.[1] ?? null, text: lines.map((line) => line?.[2] ?? '').join('\n') };
}

/** Only codes of connections that were never made: with others, the mail may have left. */
const NEVER_CONNECTED: Readonly<Record<string, ConnectionErrorCode>> = {
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns',
  ECONNREFUSED: 'refused',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
};
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH/;
const LOGIN = ['EAUTH', 'ENOAUTH', 'EOAUTH2'];
const REFUSAL = ['EENVELOPE', 'EMESSAGE'];
/** Errors that Nodemailer finds itself, before it sends anything. */
const BEFORE_SENDING = ['EMAXRECIPIENTS', 'EFILEACCESS', 'EURLACCESS', 'EOTP'];

/**
 * Converts an error of Nodemailer to one of ours, by its codes.
 *
 * Nodemailer does not report whether the mail had left when a connection was lost. The outcome is unknown unless connecting,
 * the greeting or TLS failed, or a command that precedes the mail was under way.
 */
export function errorOf(thrown: unknown): EmailError {
  if (!isError(thrown)) return toEmailError(thrown);
  const fault: NodemailerFault = thrown;
  const code = String(fault.code ?? '');
  const system = String(fault.originalCode ?? code);
  const reply = replyOf(fault);
  const facts: EmailErrorOptions = { cause: fault, ...(reply && { reply }) };
  const text = `Nodemailer: ${fault.message}`;
  const unreached = (kind: ConnectionErrorCode, options: EmailErrorOptions = {}) =>
    new EmailConnectionError(kind, text, { retryable: true, ...facts, ...options });

  if (LOGIN.includes(code))
    return unreached('auth', { phase: 'auth', retryable: reply?.code === 454 || reply?.code === 421 });
  if (code === 'ECONFIG') return new ConfigurationError('invalid-option', text, { cause: fault });
  if (BEFORE_SENDING.includes(code)) return new SendError('provider', text, { phase: 'queue', ...facts });
  if (REFUSAL.includes(code)) return refusalOf(text, String(fault.command ?? ''), reply, facts);
  if (code === 'EDNS') return unreached('dns');
  if (code === 'EPROXY') return unreached('connection');
  if (CERTIFICATE.test(system)) return unreached('certificate', { phase: 'tls', retryable: false });
  if (code === 'ETLS') return unreached('tls', { phase: 'tls', retryable: false });
  if (fault.syscall === 'connect' || fault.syscall === 'getaddrinfo' || NEVER_CONNECTED[system])
    return unreached(NEVER_CONNECTED[system] ?? 'connection');
  if (/^(?:CONNECT|GREETING|UPGRADE)_TIMEOUT$/.test(String(fault.timeoutType))) return unreached('timeout');
  if (/^(?:EHLO|HELO|LHLO|STARTTLS|AUTH)\b/.test(String(fault.command))) return unreached('closed');
  return new SendError('uncertain', `${text}; the mail may or may not have been sent`, {
    outcome: 'unknown',
    ...facts,
  });
}

function refusalOf(text: string, command: string, reply: ServerReply | null, facts: EmailErrorOptions): SendError {
  const phase = command === 'MAIL FROM' ? 'mail' : command === 'RCPT TO' ? 'rcpt' : 'final';
  if (reply === null) return new SendError('provider', text, { phase, ...facts });
  const retryable = reply.code < 500;
  return new SendError(retryable ? 'temporary' : 'rejected', text, { phase, retryable, ...facts });
}
