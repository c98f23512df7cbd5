import type { EmailMessage } from '../message.ts';
import { randomToken } from '../util/random.ts';

/**
 * A Message-ID without brackets: 128 random bits at the domain of the sender; it tells neither host, process nor time
 * (RFC 5322, section 3.6.4).
 */
export function generateMessageId(message: EmailMessage): string {
  const { asciiAddress } = message.parsed.from;
  return `${randomToken()}@${asciiAddress.slice(asciiAddress.lastIndexOf('@') + 1)}`;
}
