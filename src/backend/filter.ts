import type { EmailError } from '../model/errors.ts';
import type { EmailMessage } from '../model/message.ts';
import type { DeliveryResult } from './job.ts';

/** Stands between a backend and every message it is given, whoever gives it: calls, streams, blocking calls, wrappers. */
export interface DeliveryFilter {
  /** The message that is delivered in place of this one, or why none is. */
  outgoing(message: EmailMessage): EmailMessage | EmailError;
  /** What the sender of the first message is told of the delivery of the second. */
  returning(message: EmailMessage, delivered: DeliveryResult): DeliveryResult;
}
