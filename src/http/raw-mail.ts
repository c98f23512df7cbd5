import { composeMessage } from '../mime/compose/compose.ts';
import { addressHeader } from '../mime/compose/headers.ts';
import type { EmailMessage } from '../model/message.ts';
import { peopleOf } from './payload.ts';

/** A mail as it would go to any server, in ASCII, for providers that take it so. */
export function rawMail(message: EmailMessage): Buffer {
  const { buffer, byteOffset, byteLength } = composeMessage(message);
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** A mail for providers that read who gets it from its headers: they take Bcc out before they send it. */
export function rawMailWithBcc(message: EmailMessage): Buffer {
  const { bcc } = peopleOf(message);
  const mail = rawMail(message);
  return bcc.length === 0 ? mail : Buffer.concat([Buffer.from(addressHeader('Bcc', bcc), 'latin1'), mail]);
}
