import { type DeliveryResult, failedDelivery, type Job } from '../backend/job.ts';
import type { Mailbox } from '../model/address.ts';
import { SendError } from '../model/errors.ts';
import type { EmailMessage } from '../model/message.ts';
import { type DeliveryStatus, type RecipientStatus, recipientStatus } from '../model/status.ts';
import { answeredError, type Refusal } from './failure.ts';
import type { Accepted, Answer, Failure } from './provider.ts';
import type { Redactor } from './redactor.ts';

/** Why a request that was answered came to nothing; `messages` are those that the answer is about. */
export function refusedBy(
  name: string,
  answer: Answer,
  refusal: Refusal,
  redactor: Redactor,
  messages: readonly EmailMessage[],
): Failure {
  const shown = { ...refusal, text: redactor.text(refusal.text, messages) };
  const espResponse = shownAnswer(answer, refusal.part, redactor, messages);
  return { error: answeredError(name, answer, shown), answer, espResponse, refusal: shown };
}

/** An answer, or the part of it that is about one message, as statuses show it. */
export function shownAnswer(
  { body, text }: Answer,
  part: unknown,
  redactor: Redactor,
  messages: readonly EmailMessage[],
): unknown {
  return redactor.value(part ?? body ?? text, messages);
}

/** The result of a message that was taken; `messages` are all that the answer is about. */
export function acceptedResult(
  name: string,
  job: Job,
  answer: Answer,
  accepted: Accepted,
  redactor: Redactor,
  messages: readonly EmailMessage[],
): DeliveryResult {
  const { messageId, status: all = 'queued', statusOf, idOf, reasonOf, part } = accepted;
  const shown = (id: string | null): string | null => (id === null ? null : redactor.text(id, []));
  const recipients = new Map<string, RecipientStatus>();
  for (const recipient of job.message.recipients) {
    const own = statusOf?.(recipient) ?? all;
    const known = { messageId: shown(idOf?.(recipient) ?? messageId), code: answer.status };
    const reason = reasonOf?.(recipient);
    const refusal = refusalOf(name, own, recipient, reason && redactor.text(reason, messages));
    recipients.set(recipient.address, recipientStatus(recipient.address, own, { ...known, ...refusal }));
  }
  const espResponse = shownAnswer(answer, part, redactor, messages);
  return { index: job.index, messageId: shown(messageId), recipients, espResponse };
}

/** What is said of one recipient that did not get what others got. */
function refusalOf(
  name: string,
  status: DeliveryStatus,
  { address }: Mailbox,
  reason: string | undefined,
): Partial<RecipientStatus> {
  if (status === 'sent' || status === 'queued') return {};
  if (status === 'unknown') {
    const text = `it is not known whether ${name} took the mail for ${address}`;
    return { messageId: null, error: new SendError('uncertain', text, { phase: 'request', outcome: 'unknown' }) };
  }
  const code = status === 'invalid' ? 'invalid-recipient' : 'rejected';
  const text = `${name} refused the recipient ${address}${reason === undefined ? '' : `: ${reason}`}`;
  return { messageId: null, response: reason ?? null, error: new SendError(code, text, { phase: 'request' }) };
}

/** The result of a message that was not taken, or of which that is not known. */
export function failedResult(job: Job, { error, espResponse, refusal }: Failure): DeliveryResult {
  const { recipients } = job.message;
  const statusOf = (recipient: Mailbox) => refusal?.statusOf?.(recipient);
  const isNamed = recipients.some((recipient) => statusOf(recipient) !== undefined);
  const isInvalid = error.code === 'invalid-recipient' && recipients.length === 1;
  const all = error.code === 'rejected' && !isNamed ? 'rejected' : isInvalid ? 'invalid' : undefined;
  const result = failedDelivery(job, error, all);
  const told = new Map(result.recipients);
  for (const recipient of recipients) {
    const known = told.get(recipient.address);
    const status = statusOf(recipient);
    if (known && status) told.set(recipient.address, { ...known, status });
  }
  return { ...result, recipients: told, ...(espResponse !== undefined && { espResponse }) };
}

const SEVERITY: readonly DeliveryStatus[] = ['sent', 'queued', 'invalid', 'rejected', 'failed', 'unknown'];

/** The result of a message of which each recipient got a mail of its own; those of all of them, in cc and bcc, have the worst status. */
export function joinResults(job: Job, results: readonly DeliveryResult[]): DeliveryResult {
  const worst = new Map<string, RecipientStatus>();
  const ids = new Set<string>();
  for (const result of results) {
    if (typeof result.messageId === 'string') ids.add(result.messageId);
    for (const [address, told] of result.recipients) {
      const known = worst.get(address);
      if (!known || SEVERITY.indexOf(told.status) > SEVERITY.indexOf(known.status)) worst.set(address, told);
    }
  }
  const recipients = new Map<string, RecipientStatus>();
  for (const { address } of job.message.recipients) {
    const told = worst.get(address);
    if (told) recipients.set(address, told);
  }
  const { ignored, ignoredReasons } = results.find((result) => result.ignored?.length) ?? {};
  const [first = null] = ids;
  return {
    index: job.index,
    messageId: ids.size > 1 ? ids : first,
    recipients,
    error: results.find(({ error }) => error)?.error ?? null,
    espResponse: results.map(({ espResponse }) => espResponse ?? null),
    ...(ignored && { ignored }),
    ...(ignoredReasons && { ignoredReasons }),
  };
}
