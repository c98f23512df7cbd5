import type { Acceptance } from '../../src/mailbox/catch/accept-mail.ts';
import { arrivalOf } from '../../src/mailbox/catch/arrival-of.ts';
import type { MailboxServer } from '../../src/mailbox/mailbox.ts';
import { EmailMessage } from '../../src/model/message.ts';
import type { EmailMessageInit } from '../../src/model/message-init.ts';

/** Hands a message to a mailbox as the backend does. */
export function catchMail(mailbox: MailboxServer, init: Partial<EmailMessageInit>): Acceptance {
  const message = new EmailMessage({
    subject: 'Hello',
    body: 'Hello Bob',
    fromEmail: 'Anna <anna@example.com>',
    to: ['bob@example.com'],
    ...init,
  });
  return mailbox.accept({ ...arrivalOf(message), via: 'backend' });
}

/** Hands the source of a message to a mailbox as it is. */
export function catchSource(mailbox: MailboxServer, source: string | Uint8Array): string {
  const bytes = typeof source === 'string' ? Buffer.from(source.replaceAll(/\r?\n/g, '\r\n')) : source;
  const { id } = mailbox.accept({ bytes, envelope: { from: 'a@example.com', to: ['b@example.com'] }, via: 'api' });
  if (id === null) throw new Error('the mail was not taken');
  return id;
}
