import type { EmailMessage } from '../../model/message.ts';
import { randomToken } from '../../util/random.ts';

/**
 * Generates a Message-ID without brackets (RFC 5322, section 3.6.4): 128 random bits at the sender's domain, which reveal
 * neither host, process nor time.
 */
export function generateMessageId(message: EmailMessage): string {
  const { asciiAddress } = message.parsed.from;
  return `${randomToken()}@${asciiAddress.slice(asciiAddress.lastIndexOf('@') + 1)}`;
}
