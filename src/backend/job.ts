import { EmailError, SendError } from '../model/errors.ts';
import type { Feature, IgnoredReasons } from '../model/features.ts';
import type { EmailMessage } from '../model/message.ts';
import { type DeliveryStatus, type RecipientFacts, type RecipientStatus, recipientStatus } from '../model/status.ts';
import { DeadlinePassed } from '../util/deadline.ts';
import { reasonOf } from '../util/reason.ts';
import { unlessAborted } from '../util/unless-aborted.ts';

/** One message to deliver: it is validated, its features are checked, the hooks have seen it. */
export interface Job {
  /** The message's place in the call, from 0; the result carries it back. */
  readonly index: number;
  /** What is to be sent. */
  readonly message: EmailMessage;
  /** Aborts with the call this job belongs to: its caller's signal did, or its deadline has passed. */
  readonly signal: AbortSignal | undefined;
  /** Whoever gives the job tries again itself: a `retry` of the backend's own does not count. */
  readonly isTriedOnce?: true;
  /** The idempotency key of a request for this message alone, where that has none of its own. */
  readonly key?: string;
  /**
   * Asks whoever gives the job whether it may still be sent, just before what could deliver it leaves; they write it down
   * meanwhile. False, or a rejection: it is not sent, and answered with {@link withheld}. It is asked once at most, whatever
   * number of tries there is. Jobs of ordinary calls have none.
   *
   * @param request names the request that is about to leave, where asking the very same again cannot send the mail twice: its
   *   provider remembers the idempotency key, for {@link EmailBackend.idempotencyMs}
   */
  readonly beforeCommit?: (request?: string) => Promise<boolean>;
}

/** What concerns a whole call. */
export interface DeliveryContext {
  /** Aborts with the whole call: its caller's signal did, or its deadline has passed. */
  readonly signal: AbortSignal | undefined;
}

/** What a backend says of one job. */
export interface DeliveryResult {
  /** The job's. */
  readonly index: number;
  /** The provider's id, several when it took several calls, null when it gave none. */
  readonly messageId: string | ReadonlySet<string> | null;
  /** One entry for every recipient of the message; one that is missing counts as unknown. */
  readonly recipients: ReadonlyMap<string, RecipientStatus>;
  /** Why nothing was sent; may be left out when the recipients' own errors tell. */
  readonly error?: EmailError | null;
  /** The provider's raw answer, for debugging; never a secret. */
  readonly espResponse?: unknown;
  /** Features of this message that turned out not to be possible, such as those an older SDK lacks. */
  readonly ignored?: readonly Feature[];
  /** Why, and what would help, for those of `ignored` where the backend itself does not tell. */
  readonly ignoredReasons?: IgnoredReasons;
}

/** The same status and facts for every recipient of a message. */
export function sameForAll(
  message: EmailMessage,
  status: DeliveryStatus,
  facts?: RecipientFacts,
): Map<string, RecipientStatus> {
  const recipients = new Map<string, RecipientStatus>();
  for (const { address } of message.recipients) recipients.set(address, recipientStatus(address, status, facts));
  return recipients;
}

/** What a recipient's status says of the error that kept the mail from them. */
export function factsOfFailure(error: EmailError): RecipientFacts {
  return {
    code: error.reply?.code ?? error.code,
    enhancedCode: error.reply?.enhancedCode ?? null,
    response: error.reply?.text ?? null,
    retryable: error.retryable,
    error,
  };
}

/** The result of a job that `error` ended for all its recipients: `failed`, or `unknown` when the error's outcome is. */
export function failedDelivery(
  job: Pick<Job, 'index' | 'message'>,
  error: EmailError,
  status?: DeliveryStatus,
): DeliveryResult {
  const fallback = error.outcome === 'unknown' ? 'unknown' : 'failed';
  const recipients = sameForAll(job.message, status ?? fallback, factsOfFailure(error));
  return { index: job.index, messageId: null, recipients, error };
}

/** The error of a message that {@link Job.beforeCommit} did not let go; `cause` is what that threw. */
export function withheldError(cause?: unknown): SendError {
  const text = 'whoever gave this message withheld it before it was sent';
  const reason = cause === undefined ? '' : `: ${reasonOf(cause)}`;
  return new SendError('aborted', `${text}${reason}`, { phase: 'queue', retryable: true, cause });
}

/** The result of a job that {@link Job.beforeCommit} did not let go: certainly not sent. */
export function withheld(job: Pick<Job, 'index' | 'message'>, cause?: unknown): DeliveryResult {
  return failedDelivery(job, withheldError(cause));
}

/** What a backend threw, as one of our errors; of an error we do not know, the outcome is unknown too. */
export function toEmailError(error: unknown): EmailError {
  if (error instanceof EmailError) return error;
  const reason = reasonOf(error);
  if (error instanceof DeadlinePassed) return unansweredInTime(error);
  return new SendError('uncertain', `the backend failed without telling whether the mail was sent: ${reason}`, {
    outcome: 'unknown',
    cause: error,
  });
}

/** A content that cannot be read is the message's own fault, and nothing was sent. */
export function unreadableContent(cause: unknown): EmailError {
  const error = toEmailError(cause);
  if (error.outcome === 'not-sent') return error;
  const reason = reasonOf(cause);
  return new SendError('source', `an attachment could not be read: ${reason}`, { phase: 'content', cause });
}

/** What ended a call that was ended early, as its errors say it. */
export function stopCode(signal: AbortSignal | undefined): 'aborted' | 'timeout' {
  return signal?.reason instanceof DeadlinePassed ? 'timeout' : 'aborted';
}

/** The error of a message whose call was ended early, before `what`: it is not sent. */
export function endedBefore(what: string, signal: AbortSignal | undefined): SendError {
  const code = stopCode(signal);
  const text = `the call was ${code === 'timeout' ? 'past its deadline' : 'aborted'} before ${what}`;
  return new SendError(code, text, { phase: 'queue', retryable: true, cause: signal?.reason });
}

/**
 * Waits for what reads a message's content, but no longer than its call lasts: a stream may give nothing for ever.
 *
 * @throws {EmailError} which says that nothing was sent.
 */
export async function whileReading<T>(reading: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  try {
    return await unlessAborted(reading, signal);
  } catch (cause) {
    throw signal?.aborted ? endedBefore('its content was read', signal) : unreadableContent(cause);
  }
}

/** The error of a message that was handed over when the deadline passed. */
export function unansweredInTime(cause: unknown): SendError {
  const reason = reasonOf(cause);
  const text = `it is not known whether the mail was sent when the deadline of the call passed: ${reason}`;
  return new SendError('timeout', text, { outcome: 'unknown', cause });
}

/** Why a message that the backend never took was not sent: `thrown` ended the call, or the signal did, or the backend just stopped. */
export function reasonToStop(thrown: unknown, signal: AbortSignal | undefined): EmailError {
  if (thrown instanceof EmailError && thrown.outcome === 'not-sent') return thrown;
  if (signal?.aborted) return endedBefore('this message was taken', signal);
  const text = 'the backend ended before it took this message';
  return new SendError('aborted', text, { phase: 'queue', retryable: true, cause: thrown });
}
