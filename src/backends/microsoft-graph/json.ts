import { bytesOf, headersOf, mediaTypeOf, nameOf, peopleOf, unlessEmpty } from '../../http/payload.ts';
import type { Mailbox } from '../../model/address.ts';
import type { Attachment } from '../../model/attachment.ts';
import { MessageError } from '../../model/errors.ts';
import { type EmailMessage, mailboxesOf } from '../../model/message.ts';

/** A file of a mail. */
export interface File {
  readonly name: string;
  readonly contentType: string;
  readonly isInline: boolean;
  readonly contentId: string | undefined;
  readonly bytes: Buffer;
}

/** What Graph is told of an attachment. @param index its place among all of the mail */
export function fileOf(attachment: Attachment, index: number): File {
  const { contentId } = attachment;
  return {
    name: nameOf(attachment, index),
    contentType: mediaTypeOf(attachment),
    isInline: contentId !== null,
    contentId: contentId ?? undefined,
    bytes: bytesOf(attachment),
  };
}

/** A file as it goes in one request (https://learn.microsoft.com/graph/api/resources/fileattachment). */
export function attachmentOf({ bytes, ...facts }: File): object {
  return { '@odata.type': '#microsoft.graph.fileAttachment', ...facts, contentBytes: bytes.toString('base64') };
}

/**
 * A mail in Graph's own words (https://learn.microsoft.com/graph/api/resources/message), which tell less of it than a mail does.
 *
 * @throws {MessageError} `unsupported-feature` for what they cannot tell
 */
export function jsonOf(message: EmailMessage): object {
  refuseWhatIsLost(message);
  const { subject, body, htmlBody, priority, parsed } = message;
  const { to, cc, bcc } = peopleOf(message);
  const headers = Object.entries(headersOf(message.with({ priority: null }))).map(([name, value]) => ({ name, value }));
  return {
    subject,
    body: htmlBody === null ? { contentType: 'text', content: body } : { contentType: 'html', content: htmlBody },
    from: person(parsed.from),
    toRecipients: to.map(person),
    ccRecipients: unlessEmpty(cc.map(person)),
    bccRecipients: unlessEmpty(bcc.map(person)),
    replyTo: unlessEmpty(mailboxesOf(parsed.replyTo).map(person)),
    importance: priority ?? undefined,
    internetMessageHeaders: unlessEmpty(headers),
    attachments: unlessEmpty(message.attachments.map((attachment, index) => attachmentOf(fileOf(attachment, index)))),
  };
}

/** There is one body, Exchange makes the other of it; headers of one's own begin with `x-`. */
function refuseWhatIsLost(message: EmailMessage): void {
  const { body, htmlBody, alternatives, messageId, date, inReplyTo, references, listUnsubscribe, headers } = message;
  const paths = [
    ...(htmlBody !== null && body !== '' ? ['body'] : []),
    ...(alternatives.length > 0 ? ['alternatives'] : []),
    ...(messageId !== null ? ['messageId'] : []),
    ...(date !== null ? ['date'] : []),
    ...(inReplyTo !== null ? ['inReplyTo'] : []),
    ...(references.length > 0 ? ['references'] : []),
    ...(listUnsubscribe !== null ? ['listUnsubscribe'] : []),
    ...Object.keys(headers).flatMap((name) => (/^x-/i.test(name) ? [] : [`headers.${name}`])),
  ];
  if (paths.length === 0) return;
  const text = 'microsoft-graph can say it only of a mail that is kept in Sent Items: leave it out, or saveToSentItems';
  const issues = paths.map((path) => ({ path, code: 'unsupported' as const, message: text }));
  throw new MessageError(issues, { code: 'unsupported-feature' });
}

function person({ name, asciiAddress }: Mailbox): object {
  return { emailAddress: { address: asciiAddress, name: name || undefined } };
}
