import { addressHeader } from '../../mime/compose/headers.ts';
import type { Mailbox } from '../../model/address.ts';
import { type EmailMessage, mailboxesOf } from '../../model/message.ts';
import type { Destination } from './requests.ts';

/** A recipient, and the list of the Destination it belongs to. */
export interface EnvelopeRecipient {
  readonly mailbox: Mailbox;
  readonly list: keyof Destination;
}

/** Recipients of one message (To, Cc and Bcc together), which cannot be raised. */
export const MAX_RECIPIENTS = 50;

/** The recipients of a message, each address once, in the order to, cc, bcc. */
export function envelopeRecipients({ recipients, parsed }: EmailMessage): readonly EnvelopeRecipient[] {
  const to = new Set(mailboxesOf(parsed.to));
  const cc = new Set(mailboxesOf(parsed.cc));
  return recipients.map((mailbox) => {
    if (to.has(mailbox)) return { mailbox, list: 'ToAddresses' };
    return { mailbox, list: cc.has(mailbox) ? 'CcAddresses' : 'BccAddresses' };
  });
}

/** The Destination of a request, its addresses in the form that `write` gives them. */
export function destinationOf(
  recipients: readonly EnvelopeRecipient[],
  write: (mailbox: Mailbox) => string,
): Destination {
  const destination: { -readonly [K in keyof Destination]?: string[] } = {};
  for (const { mailbox, list } of recipients) {
    destination[list] ??= [];
    destination[list].push(write(mailbox));
  }
  return destination;
}

/** An address as a header of SES takes it: the domain as A-labels, the name as RFC 2047 has it, on one line. */
export function headerForm(mailbox: Mailbox): string {
  if (mailbox.name === '') return mailbox.asciiAddress;
  return addressHeader('', [mailbox]).slice(2).replaceAll('\r\n ', ' ').trimEnd();
}

/** The list in pieces of up to `size`. */
export function chunksOf<T>(list: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, at) => list.slice(at * size, (at + 1) * size));
}
