import { isAscii } from 'node:buffer';
import { type EmailError, MessageError, SendError } from '../../model/errors.ts';
import type { Content, Delivery, Envelope } from '../queue/delivery.ts';
import type { Capabilities } from './capabilities.ts';
import { mail, originalRecipient, parameter, rcpt, xtext } from './commands.ts';

/** Refuses what the server does not offer. @throws {SendError} naming the extension. */
export function checkExtensions(envelope: Envelope, capabilities: Capabilities, isVerified: boolean): void {
  // What REQUIRETLS needs of the session: RFC 8689, section 4.2.1.
  if (envelope.requireTls && !(isVerified && capabilities.requireTls)) throw unavailable('requiretls', 'REQUIRETLS');
  if (envelope.smtpUtf8 && !capabilities.smtpUtf8) throw unavailable('smtputf8', 'SMTPUTF8');
  if (!capabilities.dsn && asksForDsn(envelope)) throw unavailable('dsn', 'DSN');
}

function asksForDsn({ ret, envid, recipients }: Envelope): boolean {
  return (ret ?? envid) !== undefined || recipients.some(({ notify, orcpt }) => (notify ?? orcpt) !== undefined);
}

/** The MAIL line. @throws {EmailError} when the server cannot take the message as it is. */
export function mailLine(delivery: Delivery, content: Content, capabilities: Capabilities): string {
  const { sender } = delivery.submission.envelope;
  return mail(sender, mailParameters(delivery, content, capabilities));
}

function mailParameters(delivery: Delivery, content: Content, capabilities: Capabilities): string {
  const { envelope } = delivery.submission;
  const size = content instanceof Uint8Array ? content.length : content.size;
  let parameters = '';
  if (capabilities.size && size !== null) {
    if (capabilities.maxSize > 0 && size > capabilities.maxSize) throw tooLarge(size, capabilities.maxSize);
    parameters += ` SIZE=${size}`;
  }
  const isEightBit = content instanceof Uint8Array ? !isAscii(content) : capabilities.eightBitMime;
  if (isEightBit && !capabilities.eightBitMime) throw unavailable('eight-bit', '8BITMIME');
  if (isEightBit) parameters += ' BODY=8BITMIME';
  if (envelope.smtpUtf8) parameters += ' SMTPUTF8';
  if (envelope.requireTls) parameters += ' REQUIRETLS';
  if (envelope.ret) parameters += parameter('RET', envelope.ret);
  if (envelope.envid !== undefined) parameters += parameter('ENVID', xtext(envelope.envid));
  return parameters;
}

/** The RCPT line of the recipient at this place of the envelope. */
export function rcptLine(delivery: Delivery, index: number): string {
  const recipient = delivery.submission.envelope.recipients[index];
  if (!recipient) throw new MessageError([{ path: 'to', code: 'required', message: 'a recipient is missing' }]);
  const { address, notify, orcpt } = recipient;
  if (notify === undefined && orcpt === undefined) return rcpt(address, '');
  return rcpt(
    address,
    (notify === undefined ? '' : parameter('NOTIFY', notify)) +
      (orcpt === undefined ? '' : parameter('ORCPT', originalRecipient(orcpt))),
  );
}

function tooLarge(size: number, limit: number): EmailError {
  return new SendError('too-large', `the message has ${size} octets, the server takes ${limit}: make it smaller`, {
    phase: 'mail',
  });
}

function unavailable(feature: 'requiretls' | 'smtputf8' | 'dsn' | 'eight-bit', keyword: string): EmailError {
  return new SendError(`${feature}-unavailable`, `the message needs ${keyword}, which the server does not offer`, {
    phase: 'mail',
  });
}
