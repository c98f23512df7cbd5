import { type DeliveryResult, recipientStatus } from '../../delivery.ts';
import type { EmailError } from '../../errors.ts';
import { hasNonAsciiLocalPart } from '../../features.ts';
import type { EmailMessage } from '../../message.ts';
import type { Envelope, EnvelopeRecipient, RecipientOutcome } from '../../smtp/delivery.ts';
import type { DeliveryStatus, RecipientStatus } from '../../status.ts';

/** Who the server is told the message is from and for. */
export function envelopeOf(message: EmailMessage): Envelope {
  const { from, envelopeSender } = message.parsed;
  const { dsn, recipients } = message;
  const sender = message.envelopeSender === '' ? '' : (envelopeSender ?? from).asciiAddress;
  const parameters = dsn === null ? null : recipientParameters(dsn);
  return {
    sender,
    recipients: recipients.map(({ asciiAddress }) => ({ address: asciiAddress, ...parameters })),
    ...(hasNonAsciiLocalPart(message) && { smtpUtf8: true }),
    ...(message.requireTls && { requireTls: true }),
    ...(dsn?.ret && { ret: dsn.ret === 'full' ? 'FULL' : 'HDRS' }),
    ...(dsn?.envid !== undefined && { envid: dsn.envid }),
  };
}

function recipientParameters({ notify, orcpt }: NonNullable<EmailMessage['dsn']>): Omit<EnvelopeRecipient, 'address'> {
  return {
    ...(notify !== undefined && { notify: (typeof notify === 'string' ? [notify] : notify).join(',').toUpperCase() }),
    ...(orcpt !== undefined && { orcpt }),
  };
}

/** The outcomes as a result; `messageId` is told unless the message certainly went nowhere. */
export function resultOf(
  index: number,
  message: EmailMessage,
  messageId: string,
  outcomes: readonly RecipientOutcome[],
): DeliveryResult {
  const recipients = new Map<string, RecipientStatus>();
  let mayBeSent = false;
  for (const [place, { address }] of message.recipients.entries()) {
    const outcome = outcomes[place];
    if (!outcome) continue;
    const { reply, error } = outcome;
    const status = statusOf(outcome);
    const isGone = error === null || status === 'unknown';
    mayBeSent ||= isGone;
    recipients.set(
      address,
      recipientStatus(address, status, {
        messageId: isGone ? messageId : null,
        code: reply?.code ?? error?.code ?? null,
        enhancedCode: reply?.enhancedCode ?? null,
        response: reply?.text ?? null,
        retryable: error?.retryable ?? false,
        error,
      }),
    );
  }
  return { index, messageId: mayBeSent ? messageId : null, recipients };
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
