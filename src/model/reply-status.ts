import { SendError, type ServerReply } from './errors.ts';
import { type DeliveryStatus, type RecipientStatus, recipientStatus } from './status.ts';

/** What a refusal means for a recipient. */
export interface Refusal {
  readonly status: Extract<DeliveryStatus, 'invalid' | 'rejected' | 'failed'>;
  readonly retryable: boolean;
}

// RFC 3463, section 3.2: bad mailbox, bad system, bad syntax, moved without forwarding address, null MX (RFC 7505).
const BAD_ADDRESS: ReadonlySet<string> = new Set(['5.1.1', '5.1.2', '5.1.3', '5.1.6', '5.1.10']);

/** Whether a 5xx reply to RCPT says that the address itself is wrong, not the sender. */
export function isBadAddress({ code, enhancedCode }: Pick<ServerReply, 'code' | 'enhancedCode'>): boolean {
  return code === 553 || (enhancedCode !== null && BAD_ADDRESS.has(enhancedCode));
}

/** What a 4xx or 5xx reply to RCPT means for that recipient; 552 means "try later" there (RFC 5321, section 4.5.3.1.10). */
export function recipientRefusal(reply: Pick<ServerReply, 'code' | 'enhancedCode'>): Refusal {
  if (reply.code < 500 || reply.code === 552) return { status: 'failed', retryable: true };
  return { status: isBadAddress(reply) ? 'invalid' : 'rejected', retryable: false };
}

/** The status of a recipient that a server refused with this reply to RCPT. */
export function refusedRecipient(address: string, reply: ServerReply): RecipientStatus {
  const { status, retryable } = recipientRefusal(reply);
  const { code, enhancedCode, text } = reply;
  const kind = status === 'failed' ? 'temporary' : status === 'invalid' ? 'invalid-recipient' : 'rejected';
  const options = { phase: 'rcpt', reply, retryable } as const;
  const error = new SendError(kind, `${address} was refused: ${code} ${text}`, options);
  return recipientStatus(address, status, { code, enhancedCode, response: text, retryable, error });
}
