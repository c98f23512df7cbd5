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
  /** Its lane is paused for the fault of the connection, or of the configuration. */
  readonly pause: Pause | null;
}

/** What a mail is judged by. */
export interface Judged {
  readonly lane: string;
  /** How often it was tried before. */
  readonly tries: number;
  readonly onDoubt: OnDoubt;
  readonly facts: MailFacts;
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

/** Decides what a try means for a mail: sent, failed, in doubt, or another try, each recipient for itself. */
export function judge(mail: Judged, { recipients: answers, error }: DeliveryResult, waits: Waits): Verdict {
  const { facts, lane, tries, onDoubt } = mail;
  const fault = faultOfConnection(answers, error ?? null);
  if (fault !== null) {
    const ms = Math.max(waits.pauseMs, fault.retryAfterMs ?? 0);
    const pause = { lane, ms, reason: fault.message };
    return { to: 'queued', facts: withEvent(facts, 'put-off', fault.message), afterMs: 0, isTried: false, pause };
  }
  const delayMs = waits.delaysMs[tries];
  const recipients = facts.recipients.map((known): OutboxRecipient => {
    const answer = known.isOpen ? answers.get(known.address) : undefined;
    if (answer === undefined) return known;
    return afterTry(answer, delayMs !== undefined && isTriedAgain(answer, onDoubt));
  });
  const told = withEvent(facts, 'tried', summaryOf(recipients), recipients);
  const isOpen = recipients.some((each) => each.isOpen);
  if (isOpen && delayMs !== undefined) {
    const askedMs = Math.max(0, ...[...answers.values()].map((answer) => answer.error?.retryAfterMs ?? 0));
    // Jitter, so that what failed together does not come back together.
    const afterMs = Math.max(askedMs, Math.round(delayMs * (1 + waits.random() / 4)));
    return { to: 'queued', facts: told, afterMs, isTried: true, pause: null };
  }
  return { to: endOf(recipients), facts: told, afterMs: 0, isTried: true, pause: null };
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
