import type { Job } from '../backend/job.ts';
import { addressKey, type Mailbox } from '../model/address.ts';
import { deriveKey } from '../model/idempotency-key.ts';
import type { EmailMessage } from '../model/message.ts';
import { asText, dataFor, hasVariables, peopleOf } from './payload.ts';

/** One mail for each of `to`, which sees its own variables and no other recipient; cc and bcc get a copy of each. */
export async function* mailForEach(job: Job): AsyncGenerator<Job, void, undefined> {
  const { message } = job;
  const { to } = peopleOf(message);
  if (to.length === 0) yield { ...job, index: 0, message: message.with({ mergeData: null }) };
  for (const [index, recipient] of to.entries())
    yield { ...job, index, message: mailFor(message, recipient, to.length === 1) };
}

function mailFor(message: EmailMessage, recipient: Mailbox, isOnly: boolean): EmailMessage {
  const { idempotencyKey, messageId } = message;
  return message.with({
    to:
      asText(recipient) === recipient.address
        ? recipient.address
        : { name: recipient.name, address: recipient.address },
    mergeData: null,
    // Who has none of the variables that others have gets empty ones: the texts are made of them all the same.
    mergeGlobalData: hasVariables(message) ? { ...dataFor(message, recipient) } : null,
    // Two mails must not have one id.
    messageId: isOnly ? messageId : null,
    ...(idempotencyKey !== null && { idempotencyKey: deriveKey(idempotencyKey, addressKey(recipient)) }),
  });
}
