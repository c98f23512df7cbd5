import { setTimeout as wait } from 'node:timers/promises';
import { askToCommit } from '../../backend/commit.ts';
import { deliverEachSync } from '../../backend/deliver-each-sync.ts';
import { type DeliveryResult, failedDelivery, type Job, whileReading } from '../../backend/job.ts';
import { EmailConnectionError } from '../../model/errors.ts';
import { withContentRead, withFilesRead } from '../../model/message.ts';
import { refusedRecipient } from '../../model/reply-status.ts';
import type { RecipientStatus } from '../../model/status.ts';
import { recipientStatus } from '../../model/status.ts';
import type { ResolvedMailboxOptions } from '../mailbox-options.ts';
import type { Acceptance } from './accept-mail.ts';
import { arrivalOf } from './arrival-of.ts';
import { chaosReply } from './chaos.ts';
import { ownMailbox, sharedMailbox } from './shared-mailbox.ts';

/** Waits until a mailbox runs, of this process or another one. */
export function ready(options: ResolvedMailboxOptions): Promise<void> {
  return sharedMailbox(options).ready;
}

/** Delivers a mail to the mailbox that this process or another one serves. */
export async function deliver(job: Job, options: ResolvedMailboxOptions): Promise<DeliveryResult> {
  const mailbox = sharedMailbox(options);
  const { messageId, ...arrival } = arrivalOf(await whileReading(withContentRead(job.message, job.signal), job.signal));
  const withheld = await askToCommit(job);
  if (withheld !== null) return withheld;
  const acceptance = await mailbox.accept({ ...arrival, via: 'backend' }, job.signal);
  if (acceptance.delayMs > 0) await wait(acceptance.delayMs, undefined, { ref: false });
  return resultOf(job, messageId, acceptance, mailbox.url);
}

/** Delivers mails, blocking, to the mailbox that this thread serves; null when it serves none. */
export function deliverSync(jobs: readonly Job[], options: ResolvedMailboxOptions): readonly DeliveryResult[] | null {
  const mailbox = ownMailbox(options);
  if (mailbox === null) return null;
  return deliverEachSync(jobs, (job) => {
    const { messageId, ...arrival } = arrivalOf(withFilesRead(job.message));
    const acceptance = mailbox.accept({ ...arrival, via: 'backend' });
    if (acceptance.delayMs > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, acceptance.delayMs);
    return resultOf(job, messageId, acceptance, mailbox.url);
  });
}

function resultOf(job: Job, messageId: string, { id, refused, isDropped }: Acceptance, url: string): DeliveryResult {
  if (isDropped) {
    const text = 'chaos: the mailbox cut the connection, as configured';
    return failedDelivery(job, new EmailConnectionError('closed', text, { retryable: true }));
  }
  const recipients = new Map<string, RecipientStatus>();
  for (const { address } of job.message.recipients) {
    const code = refused[address];
    recipients.set(
      address,
      code === undefined
        ? recipientStatus(address, 'sent', { messageId, response: `caught: ${url}/#${id}` })
        : refusedRecipient(address, chaosReply(code)),
    );
  }
  return { index: job.index, messageId: id === null ? null : messageId, recipients };
}
