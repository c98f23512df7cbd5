import type { DeliveryResult } from '../backend/job.ts';
import { mailEvents } from '../events/mail-contexts.ts';
import type { EmailMessage } from '../model/message.ts';
import type { RecipientStatus } from '../model/status.ts';
import { reasonOf } from '../util/reason.ts';

/** Tells the listeners of Attempt what became of a try; nobody waits for them. */
export function tellOfTry(backend: string, via: string, message: EmailMessage, answer: DeliveryResult): void {
  const { Attempt } = mailEvents;
  if (!Attempt?.hasListeners) return;
  const recipients = new Map<string, RecipientStatus>();
  for (const [address, status] of answer.recipients) recipients.set(address, Object.freeze({ ...status }));
  try {
    const told = Attempt.emit({ backend, via, message, recipients });
    if (told instanceof Promise) told.catch(warn);
  } catch (error) {
    warn(error);
  }
}

function warn(error: unknown): void {
  process.emitWarning(`a listener of Attempt failed: ${reasonOf(error)}`, {
    type: 'AmsdalMailWarning',
    code: 'listener',
  });
}
