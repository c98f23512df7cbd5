import { hasNonAsciiLocalPart } from '../../model/features.ts';
import { type EmailMessage, reversePath } from '../../model/message.ts';
import type { Envelope, EnvelopeRecipient } from '../../smtp/queue/delivery.ts';

/** The envelope of a message: sender, recipients, and the parameters of MAIL and RCPT. */
export function envelopeOf(message: EmailMessage): Envelope {
  const { dsn, recipients } = message;
  const envelope: Envelope = {
    sender: reversePath(message),
    recipients: recipients.map(({ asciiAddress }) => ({ address: asciiAddress })),
    smtpUtf8: hasNonAsciiLocalPart(message),
    requireTls: message.requireTls,
  };
  if (dsn === null) return envelope;
  const parameters = recipientParameters(dsn);
  return {
    ...envelope,
    recipients: envelope.recipients.map((recipient) => ({ ...recipient, ...parameters })),
    ...(dsn.ret && { ret: dsn.ret === 'full' ? 'FULL' : 'HDRS' }),
    ...(dsn.envid !== undefined && { envid: dsn.envid }),
  };
}

function recipientParameters({ notify, orcpt }: NonNullable<EmailMessage['dsn']>): Omit<EnvelopeRecipient, 'address'> {
  return {
    ...(notify !== undefined && { notify: (typeof notify === 'string' ? [notify] : notify).join(',').toUpperCase() }),
    ...(orcpt !== undefined && { orcpt }),
  };
}
