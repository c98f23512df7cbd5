import { recipientStatus } from './delivery.ts';
import { SendError, type ServerReply } from './errors.ts';
import type { DeliveryStatus, RecipientStatus } from './status.ts';
import { isBadAddress } from './util/bad-address.ts';

/** What a refusal means for a recipient. */
export interface Refusal {
  readonly status: Extract<DeliveryStatus, 'invalid' | 'rejected' | 'failed'>;
  readonly retryable: boolean;
}

/** What a 4xx or 5xx reply to RCPT says of that recipient; 552 there means "try later" (RFC 5321, section 4.5.3.1.10). */
export function recipientRefusal(reply: Pick<ServerReply, 'code' | 'enhancedCode'>): Refusal {
  if (reply.code < 500 || reply.code === 552) return { status: 'failed', retryable: true };
  return { status: isBadAddress(reply) ? 'invalid' : 'rejected', retryable: false };
}

/** The status of a recipient whom a server refuses with this reply to RCPT. */
export function refusedRecipient(address: string, reply: ServerReply): RecipientStatus {
  const { status, retryable } = recipientRefusal(reply);
  const { code, enhancedCode, text } = reply;
  const kind = status === 'failed' ? 'temporary' : status === 'invalid' ? 'invalid-recipient' : 'rejected';
  const options = { phase: 'rcpt', reply, retryable } as const;
  const error = new SendError(kind, `${address} was refused: ${code} ${text}`, options);
  return recipientStatus(address, status, { code, enhancedCode, response: text, retryable, error });
}
