import type { DeliveryResult } from '../../backend/job.ts';
import type { EmailError, ServerReply } from '../../model/errors.ts';
import type { EmailMessage } from '../../model/message.ts';
import { type DeliveryStatus, type RecipientStatus, recipientStatus } from '../../model/status.ts';
import type { RecipientOutcome } from '../../smtp/queue/delivery.ts';

/**
 * The outcomes as a result; `messageId` is null if the message was certainly not delivered to anyone. `espResponse` is the
 * reply that decided: the first that accepted the message for a recipient, or else the first refusal.
 */
export function resultOf(
  index: number,
  message: EmailMessage,
  messageId: string,
  outcomes: ReadonlyMap<number, RecipientOutcome>,
): DeliveryResult {
  const recipients = new Map<string, RecipientStatus>();
  let mayBeSent = false;
  let decisive: ServerReply | null = null;
  for (const [place, { address }] of message.recipients.entries()) {
    const outcome = outcomes.get(place);
    if (!outcome) continue;
    const { reply, error } = outcome;
    if (reply !== null && (decisive === null || (error === null && decisive.code >= 400))) decisive = reply;
    const status = statusOf(outcome);
    const mayBeDelivered = error === null || status === 'unknown';
    mayBeSent ||= mayBeDelivered;
    recipients.set(
      address,
      recipientStatus(address, status, {
        messageId: mayBeDelivered ? messageId : null,
        code: reply?.code ?? error?.code ?? null,
        enhancedCode: reply?.enhancedCode ?? null,
        response: reply?.text ?? null,
        retryable: error?.retryable ?? false,
        error,
      }),
    );
  }
  return { index, messageId: mayBeSent ? messageId : null, recipients, espResponse: decisive };
}

function statusOf({ reply, error }: RecipientOutcome): DeliveryStatus {
  if (error === null) return 'sent';
  if (error.outcome === 'unknown') return 'unknown';
  if (error.code === 'invalid-recipient') return 'invalid';
  return isRefusedForGood(error) && reply !== null && reply.code >= 500 ? 'rejected' : 'failed';
}

/** A login the server refused says nothing about the message. */
function isRefusedForGood(error: EmailError): boolean {
  return error.code === 'rejected' || error.code === 'too-large';
}
