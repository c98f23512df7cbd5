import { addressKey } from '../../model/address.ts';
import { sha256 } from '../../model/idempotency-key.ts';
import type { EmailMessage } from '../../model/message.ts';
import { randomToken } from '../../util/random.ts';

/**
 * Generates a Message-ID without brackets (RFC 5322, section 3.6.4): 128 random bits at the sender's domain, which reveal
 * neither host, process nor time. With an idempotency key it is a hash of the key, that domain and the recipients, the same at
 * every try.
 */
export function generateMessageId(message: EmailMessage): string {
  const { idempotencyKey } = message;
  const { asciiAddress } = message.parsed.from;
  const domain = asciiAddress.slice(asciiAddress.lastIndexOf('@') + 1);
  if (idempotencyKey === null) return `${randomToken()}@${domain}`;
  const recipients = message.recipients.map(addressKey).toSorted();
  return `${sha256([idempotencyKey, domain.toLowerCase(), ...recipients].join('\n')).slice(0, 32)}@${domain}`;
}
