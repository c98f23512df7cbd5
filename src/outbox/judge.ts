import type { DeliveryResult } from '../backend/job.ts';
import { ConfigurationError, type EmailError } from '../model/errors.ts';
import { isDelivered, type RecipientStatus } from '../model/status.ts';
import { afterTry, type MailFacts, type OutboxRecipient, withEvent } from './facts.ts';
import type { MailState, OnDoubt, Pause } from './store.ts';

/** What is said of a mail after a try. */
export interface Verdict {
  readonly to: MailState;
  readonly facts: MailFacts;
  /** When it is tried again, in milliseconds; 0 where it is not. */
  readonly afterMs: number;
  /** Whether the try counts: one that failed for the connection's fault does not. */
  readonly isTried: boolean;
  /** Whether its request is to be asked again: nobody knows what became of it. */
  readonly keepsRequest: boolean;
  /** Its lane is paused for the fault of the connection, or of the configuration. */
  readonly pause: Pause | null;
}

/** What a mail is judged by. */
export interface Judged {
  readonly id: string;
  readonly lane: string;
  /** How often it was tried before. */
  readonly tries: number;
  readonly onDoubt: OnDoubt;
  readonly facts: MailFacts;
  /** Whether this try asked again what was asked before. */
  readonly isRepeated: boolean;
  /** For how long its request may be asked again, in milliseconds; 0 or less where it may not. */
  readonly repeatMs: number;
}

/** The waits of an outbox. */
export interface Waits {
  readonly delaysMs: readonly number[];
  /** How long a lane is paused now, in milliseconds. */
  readonly pauseMs: number;
  /** From 0 to 1. */
  readonly random: () => number;
}

/** Faults of a login, a certificate, an account or the configuration: the next mail would meet the same, and no mail is at fault. */
const OF_THE_CONNECTION: ReadonlySet<string> = new Set([
  'auth',
  'auth-unavailable',
  'insecure-auth',
  'tls',
  'certificate',
  'starttls-unavailable',
  'account',
  'quota',
]);

/** What a provider says no with to the mail itself, now and the time before. */
const OF_THE_MAIL: ReadonlySet<string> = new Set(['rejected', 'invalid-recipient', 'template', 'too-large']);
/** What a provider asks for beyond a month is no wait: it would hold a mail for ever, and be more than stores can keep. */
const LONGEST_ASKED_MS = 31 * 86_400_000;
/** The key of the request was used for another one (RFC 9110, section 15.5.10, as Resend and others mean it). */
const CONFLICT = 409;

/** Decides what a try means for a mail: sent, failed, in doubt, or another try, each recipient for itself. */
export function judge(mail: Judged, { recipients: given, error }: DeliveryResult, waits: Waits): Verdict {
  const { facts, lane, tries, onDoubt, isRepeated, repeatMs } = mail;
  const fault = faultOfConnection(given, error ?? null);
  if (fault !== null) {
    const ms = Math.max(waits.pauseMs, askedMsOf(fault));
    const pause = { lane, ms, reason: fault.message };
    return {
      to: 'queued',
      facts: withEvent(facts, 'put-off', fault.message),
      afterMs: 0,
      isTried: false,
      keepsRequest: isRepeated,
      pause,
    };
  }
  const answers = isRepeated ? new Map([...given].map(([address, answer]) => [address, ofRepeated(answer)])) : given;
  const delayMs = waits.delaysMs[tries];
  const askedMs = Math.max(0, ...[...answers.values()].map((answer) => askedMsOf(answer.error ?? null)));
  // Jitter, so that what failed together does not come back together.
  const waitMs = Math.round((delayMs ?? 0) * (1 + waits.random() / 4));
  const soonMs = Math.max(askedMs, Math.min(waitMs, Math.round(repeatMs / 2)));
  const keepsRequest = delayMs !== undefined && soonMs < repeatMs && [...answers.values()].every(isAskedAgain);
  const afterMs = keepsRequest ? soonMs : Math.max(askedMs, waitMs);
  const recipients = facts.recipients.map((known): OutboxRecipient => {
    const answer = known.isOpen ? answers.get(known.address) : undefined;
    if (answer === undefined) return known;
    return afterTry(answer, delayMs !== undefined && (keepsRequest || isTriedAgain(answer, onDoubt)));
  });
  const told = withEvent(facts, 'tried', summaryOf(recipients), recipients);
  const isOpen = recipients.some((each) => each.isOpen);
  if (isOpen && delayMs !== undefined) {
    return { to: 'queued', facts: told, afterMs, isTried: true, keepsRequest, pause: null };
  }
  return { to: endOf(recipients), facts: told, afterMs: 0, isTried: true, keepsRequest: false, pause: null };
}

function askedMsOf(error: EmailError | null): number {
  return Math.min(LONGEST_ASKED_MS, error?.retryAfterMs ?? 0);
}

/** What the answer to a request that was asked again says of the mail, which may have been taken the time before. */
function ofRepeated(answer: RecipientStatus): RecipientStatus {
  const code = answer.error?.code ?? '';
  if (isDelivered(answer) || OF_THE_MAIL.has(code)) return answer;
  return { ...answer, status: code === 'duplicate' ? 'queued' : 'unknown' };
}

/** Whether the same request may tell more later: its key was used by no other one. */
function isAskedAgain({ status, error }: RecipientStatus): boolean {
  return status === 'unknown' && error?.code !== 'duplicate' && error?.reply?.code !== CONFLICT;
}

/** What may follow what is known of a recipient: sent again is what certainly nobody has, or what may be doubled. */
function isTriedAgain({ status, retryable }: RecipientStatus, onDoubt: OnDoubt): boolean {
  return status === 'unknown' ? onDoubt === 'resend' : retryable;
}

/** The state of a mail for which nothing more is tried. */
export function endOf(recipients: readonly OutboxRecipient[]): 'in-doubt' | 'sent' | 'failed' {
  if (recipients.some(({ status }) => status === 'unknown')) return 'in-doubt';
  return recipients.every(({ status }) => status === 'sent' || status === 'queued') ? 'sent' : 'failed';
}

/** The fault of the connection that kept the mail from everybody it was for; null when some of it is the mail's own. */
function faultOfConnection(answers: ReadonlyMap<string, RecipientStatus>, error: EmailError | null): EmailError | null {
  const faults = [...answers.values()].map((answer) => (isDelivered(answer) ? null : (answer.error ?? error)));
  const [first = error] = faults;
  if (first === null || !isOfConnection(first)) return null;
  return faults.every((fault) => fault !== null && isOfConnection(fault)) ? first : null;
}

function isOfConnection(error: EmailError): boolean {
  if (error.outcome !== 'not-sent') return false;
  return error instanceof ConfigurationError || OF_THE_CONNECTION.has(error.code);
}

function summaryOf(recipients: readonly OutboxRecipient[]): string {
  const [first] = recipients;
  if (recipients.length === 1 && first) return [first.status, first.code, first.response].filter(isSaid).join(' ');
  const counts = new Map<string, number>();
  for (const { status } of recipients) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts].map(([status, count]) => `${count} ${status}`).join(', ');
}

function isSaid(value: unknown): boolean {
  return value !== null && value !== '';
}
