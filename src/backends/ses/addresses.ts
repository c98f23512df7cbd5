import { addressKey, type Mailbox } from '../../address.ts';
import { type EmailMessage, mailboxesOf } from '../../message.ts';
import { addressHeader } from '../../mime/headers.ts';
import type { Destination } from './requests.ts';

/** A recipient, and the list of the Destination it belongs to. */
export interface Addressee {
  readonly mailbox: Mailbox;
  readonly list: keyof Destination;
}

/** Recipients of one message (To, Cc and Bcc together), which cannot be raised. */
export const MAX_RECIPIENTS = 50;

/** The recipients of a message, each address once, in the order to, cc, bcc. */
export function addresseesOf(message: EmailMessage): readonly Addressee[] {
  const { parsed } = message;
  if (parsed.cc.length === 0 && parsed.bcc.length === 0)
    return message.recipients.map((mailbox) => ({ mailbox, list: 'ToAddresses' }));
  const unique = new Map<string, Addressee>();
  const add = (list: keyof Destination, mailboxes: readonly Mailbox[]) => {
    for (const mailbox of mailboxes) {
      const key = addressKey(mailbox);
      if (!unique.has(key)) unique.set(key, { mailbox, list });
    }
  };
  add('ToAddresses', mailboxesOf(parsed.to));
  add('CcAddresses', mailboxesOf(parsed.cc));
  add('BccAddresses', mailboxesOf(parsed.bcc));
  return [...unique.values()];
}

/** The envelope: bare addresses, as for a raw message, or such as stand in the headers that SES makes. */
export function destinationOf(addressees: readonly Addressee[], write: (mailbox: Mailbox) => string): Destination {
  const destination: { -readonly [K in keyof Destination]?: string[] } = {};
  for (const { mailbox, list } of addressees) {
    destination[list] ??= [];
    destination[list].push(write(mailbox));
  }
  return destination;
}

/** An address as SES takes it: the domain as A-labels, the name as RFC 2047 has it, on one line. */
export function headerForm(mailbox: Mailbox): string {
  if (mailbox.name === '') return mailbox.asciiAddress;
  return addressHeader('', [mailbox]).slice(2).replaceAll('\r\n ', ' ').trimEnd();
}

/** The list in pieces of up to `size`. */
export function chunksOf<T>(list: readonly T[], size: number): readonly (readonly T[])[] {
  if (list.length <= size) return [list];
  return Array.from({ length: Math.ceil(list.length / size) }, (_, at) => list.slice(at * size, (at + 1) * size));
}
