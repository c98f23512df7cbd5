import { type Job, whileReading } from '../backend/job.ts';
import { generateMessageId } from '../mime/compose/message-id.ts';
import { comparisonKey, formatAddress, type Group, type Mailbox } from '../model/address.ts';
import type { AttachmentContent } from '../model/attachment.ts';
import { deriveKey } from '../model/idempotency-key.ts';
import { type EmailMessage, mailboxesOf, withContentRead, withIdAndDate } from '../model/message.ts';
import type { RecipientStatus } from '../model/status.ts';

/** The job with what must be the same in every try: Message-ID, Date and content. A promise when content must be read first. */
export function sameInEveryTry(job: Job): Job | Promise<Job> {
  const fixed = sameInEveryBlockingTry(job);
  const { message, signal } = fixed;
  if (!message.attachments.some(({ content }) => isReadOnce(content))) return fixed;
  return whileReading(withContentRead(message, signal), signal).then((read) => ({ ...fixed, message: read }));
}

/** {@link sameInEveryTry} of a blocking call, which sends no streams. */
export function sameInEveryBlockingTry(job: Job): Job {
  const { message } = job;
  const { messageId, date, mergeData } = message;
  if (date !== null && (messageId !== null || mergeData !== null)) return job;
  // With merge data each recipient's mail gets an id of its own.
  if (mergeData !== null) return { ...job, message: message.with({ date: new Date() }) };
  return { ...job, message: withIdAndDate(message, messageId ?? generateMessageId(message), date ?? new Date()) };
}

function isReadOnce(content: AttachmentContent): boolean {
  return !(
    typeof content === 'string' ||
    typeof content === 'function' ||
    content instanceof Uint8Array ||
    'arrayBuffer' in content
  );
}

/**
 * The message for some of its recipients. The others are not shown either, as most providers send to whom they show. When nobody
 * is left in `to`, those of `cc` come there, or the only one of `bcc`, as some providers need one.
 */
export function messageFor(message: EmailMessage, left: readonly RecipientStatus[]): EmailMessage {
  if (left.length === message.recipients.length) return message;
  const addresses = new Set(left.map(({ address }) => address));
  const keep = (list: readonly (Mailbox | Group)[]) =>
    mailboxesOf(list)
      .filter(({ address }) => addresses.has(address))
      .map(formatAddress);
  const { parsed, mergeData, idempotencyKey } = message;
  const lists = shown({ to: keep(parsed.to), cc: keep(parsed.cc), bcc: keep(parsed.bcc) });
  const keys = new Set([...addresses].map(comparisonKey));
  return message.with({
    ...lists,
    ...(mergeData && {
      mergeData: Object.fromEntries(Object.entries(mergeData).filter(([address]) => keys.has(comparisonKey(address)))),
    }),
    // It is another request: under the same key a provider would refuse it.
    ...(idempotencyKey && { idempotencyKey: deriveKey(idempotencyKey, [...keys].toSorted().join()) }),
  });
}

interface Lists {
  readonly to: readonly string[];
  readonly cc: readonly string[];
  readonly bcc: readonly string[];
}

function shown({ to, cc, bcc }: Lists): Lists {
  if (to.length > 0) return { to, cc, bcc };
  if (cc.length > 0) return { to: cc, cc: [], bcc };
  return bcc.length === 1 ? { to: bcc, cc, bcc: [] } : { to, cc, bcc };
}
