import type { DeliveryResult } from './delivery.ts';
import type { EmailError } from './errors.ts';
import type { EmailMessage } from './message.ts';

/** Stands between a backend and every message it is given, whoever gives it: calls, streams, blocking calls, wrappers. */
export interface DeliveryFilter {
  /** The message that is delivered in place of this one, or why none is. */
  outgoing(message: EmailMessage): EmailMessage | EmailError;
  /** What the sender of the first message is told of the delivery of the second. */
  returning(message: EmailMessage, delivered: DeliveryResult): DeliveryResult;
}
