import { setTimeout as wait } from 'node:timers/promises';
import { deliverEachSync } from '../deliver-each.ts';
import { type DeliveryResult, failedDelivery, type Job, recipientStatus, whileReading } from '../delivery.ts';
import { EmailConnectionError, SendError } from '../errors.ts';
import { withFilesRead } from '../message.ts';
import type { RecipientStatus } from '../status.ts';
import type { Acceptance } from './accept-mail.ts';
import { arrivalOf } from './arrival-of.ts';
import type { ResolvedMailboxOptions } from './mailbox-options.ts';
import { ownMailbox, sharedMailbox } from './shared-mailbox.ts';

/** Settles when it is clear which mailbox takes the mails. */
export function ready(options: ResolvedMailboxOptions): Promise<void> {
  return sharedMailbox(options).ready;
}

/** Hands one mail to the mailbox that this process or another one serves. */
export async function deliver(job: Job, options: ResolvedMailboxOptions): Promise<DeliveryResult> {
  const mailbox = sharedMailbox(options);
  const { messageId, ...arrival } = arrivalOf(await whileReading(job.message.materialize(), job.signal));
  const acceptance = await mailbox.accept({ ...arrival, via: 'backend' }, job.signal);
  if (acceptance.delayMs > 0) await wait(acceptance.delayMs, undefined, { ref: false });
  return resultOf(job, messageId, acceptance, mailbox.url);
}

/** Hands mails to the mailbox that this thread serves while it waits; null when it serves none. */
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
    const error = new EmailConnectionError('closed', 'chaos: the mailbox cut the connection, as it was told', {
      retryable: true,
    });
    return failedDelivery(job, error);
  }
  const recipients = new Map<string, RecipientStatus>();
  for (const { address } of job.message.recipients) {
    const code = refused[address];
    recipients.set(
      address,
      code === undefined
        ? recipientStatus(address, 'sent', { messageId, response: `caught: ${url}/#${id}` })
        : refusedStatus(address, code),
    );
  }
  return { index: job.index, messageId: id === null ? null : messageId, recipients };
}

function refusedStatus(address: string, code: 450 | 550): RecipientStatus {
  const text = 'chaos: the mailbox refused the recipient, as it was told';
  const isTemporary = code === 450;
  const reply = { code, enhancedCode: isTemporary ? '4.7.1' : '5.7.1', text };
  const error = new SendError(isTemporary ? 'temporary' : 'rejected', `${address}: ${code} ${text}`, {
    phase: 'rcpt',
    reply,
    retryable: isTemporary,
  });
  return recipientStatus(address, isTemporary ? 'failed' : 'rejected', {
    code,
    enhancedCode: reply.enhancedCode,
    response: text,
    retryable: isTemporary,
    error,
  });
}
