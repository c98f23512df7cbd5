import { type EmailError, SendError } from '../../model/errors.ts';
import type { Feature } from '../../model/features.ts';
import type { EmailMessage } from '../../model/message.ts';
import { isDelivered, type MessageResult, type RecipientStatus, recipientStatus } from '../../model/status.ts';
import { type DeliveryResult, failedDelivery, toEmailError } from '../job.ts';
import { refusal } from './conclusion.ts';
import type { Prepared, Readable, Refused } from './read-input.ts';

const NONE: readonly never[] = /* @__PURE__ */ Object.freeze([]);

/** Joins what the backend says of a message with what preparation found. */
export function settle(prepared: Prepared, delivered: DeliveryResult): MessageResult {
  return resultOf(prepared, prepared.ignored, prepared.passed.length === 0 ? delivered : restored(prepared, delivered));
}

/** What became of the outgoing message, in terms of the one that its sender knows. */
function restored(prepared: Prepared, delivered: DeliveryResult): DeliveryResult {
  try {
    return prepared.passed.reduceRight((told, { filter, message }) => filter.returning(message, told), delivered);
  } catch (cause) {
    const text = 'the backend answered with what cannot be read';
    return failedDelivery(prepared, new SendError('uncertain', text, { outcome: 'unknown', cause }));
  }
}

function resultOf(
  { index, message, invalid }: Omit<Readable, 'kind'>,
  missing: readonly Feature[],
  delivered: DeliveryResult,
): MessageResult {
  const ignored = delivered.ignored?.length ? [...new Set([...missing, ...delivered.ignored])] : missing;
  const recipients =
    invalid.length === 0 && isComplete(message, delivered.recipients)
      ? delivered.recipients
      : completed(message, delivered.recipients, invalid);
  return {
    index,
    messageId: delivered.messageId,
    recipients,
    error: someDelivered(recipients) ? null : delivered.error ? toEmailError(delivered.error) : refusal(recipients),
    ignored,
    ...(delivered.ignoredReasons && { ignoredReasons: delivered.ignoredReasons }),
    espResponse: delivered.espResponse ?? null,
  };
}

/** The result of a message that was taken and not answered; `cause` is what ended the call, if anything did. */
export function unanswered(prepared: Prepared, cause: unknown): MessageResult {
  const error =
    cause === undefined
      ? new SendError('uncertain', 'the backend ended without telling whether the mail was sent', {
          outcome: 'unknown',
        })
      : toEmailError(cause);
  return settleFailed(prepared, error);
}

/** The result of a message that `error` ended for everybody it was to go to. */
export function settleFailed(read: Readable | Prepared, error: EmailError): MessageResult {
  if (read.kind === 'readable') return resultOf(read, NONE, failedDelivery(read, error));
  return settle(read, failedDelivery({ index: read.index, message: read.outgoing }, error));
}

/** The result of an input that was never taken, because the call had ended by then. */
export function notTaken(read: Readable | Prepared | Refused, error: EmailError): MessageResult {
  return read.kind === 'refused' ? read.result : settleFailed(read, error);
}

function someDelivered(recipients: ReadonlyMap<string, RecipientStatus>): boolean {
  for (const recipient of recipients.values()) if (isDelivered(recipient)) return true;
  return false;
}

function isComplete(message: EmailMessage, delivered: ReadonlyMap<string, RecipientStatus>): boolean {
  const { recipients } = message;
  return delivered.size === recipients.length && recipients.every(({ address }) => delivered.has(address));
}

/** Every recipient of the message in its order, and none else. */
function completed(
  message: EmailMessage,
  delivered: ReadonlyMap<string, RecipientStatus>,
  invalid: readonly RecipientStatus[],
): ReadonlyMap<string, RecipientStatus> {
  const recipients = new Map<string, RecipientStatus>();
  for (const { address } of message.recipients)
    recipients.set(address, delivered.get(address) ?? missingAnswer(address));
  for (const recipient of invalid) recipients.set(recipient.address, recipient);
  return recipients;
}

function missingAnswer(address: string): RecipientStatus {
  const text = 'the backend did not tell what happened to this recipient';
  const error = new SendError('uncertain', text, { outcome: 'unknown' });
  return recipientStatus(address, 'unknown', { code: error.code, error });
}
