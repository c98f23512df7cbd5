import { readAddresses } from '../../mime/read/addresses.ts';
import { headerValue } from '../../mime/read/headers.ts';
import { MailContent } from '../../mime/read/mail-content.ts';
import { checkAddress } from './people.ts';
import { type RawMail, Refused } from './vendor.ts';

/** The address in the header From of a mail's source; '' when there is none. */
export function senderOf(source: Uint8Array): string {
  const header = headerValue(new MailContent(source).tree.root.headers, 'from') ?? '';
  return readAddresses(header)[0]?.address ?? '';
}

/** The addresses in the headers To, Cc and Bcc of a mail's source. */
export function recipientsOf(source: Uint8Array): readonly string[] {
  const { headers } = new MailContent(source).tree.root;
  return ['to', 'cc', 'bcc'].flatMap((name) =>
    readAddresses(headerValue(headers, name) ?? '').map(({ address }) => address),
  );
}

/**
 * A mail to whom its own headers name, without Bcc, which is taken out before it goes.
 *
 * @throws {Refused} when they name nobody, or what is no address
 */
export function rawMail(source: Buffer): RawMail {
  const recipients = recipientsOf(source);
  if (recipients.length === 0) throw new Refused({ kind: 'address', field: 'To', message: 'must name a recipient' });
  for (const address of recipients) checkAddress('To', address);
  return { source: withoutBcc(source), from: senderOf(source), recipients };
}

function withoutBcc(source: Buffer): Buffer {
  // Each line of the head with its own end.
  const ends = ['\r\n\r\n', '\n\n'].map((end) => source.indexOf(end) + end.length / 2).filter((at) => at > 2);
  const end = ends.length === 0 ? source.length : Math.min(...ends);
  const head = source.toString('latin1', 0, end);
  const kept = head.replaceAll(/^bcc[ \t]*:[^\n]*(?:\n[ \t][^\n]*)*\n?/gim, '');
  return kept.length === head.length ? source : Buffer.concat([Buffer.from(kept, 'latin1'), source.subarray(end)]);
}
