import { readAddresses } from '../../mime/read/addresses.ts';
import { headerValue } from '../../mime/read/headers.ts';
import { MailContent } from '../../mime/read/mail-content.ts';

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
