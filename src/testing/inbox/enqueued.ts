import type { MadeOutbox, OutboxMail } from '../../connection/outbox.ts';
import { composeMessage } from '../../mime/compose/compose.ts';
import type { EmailMessage } from '../../model/message.ts';
import { InboxMessage } from './inbox-message.ts';

/** A mail that waits in an outbox, as its recipients will get it. */
export class EnqueuedMessage extends InboxMessage {
  /** What the outbox says of it: its id, lane, `dueAt`, tries and so on. */
  readonly entry: OutboxMail;

  constructor(sent: EmailMessage, entry: OutboxMail) {
    const open = entry.recipients.filter(({ isOpen }) => isOpen).map(({ address }) => address);
    super(sent, composeMessage(sent), open);
    this.entry = entry;
  }
}

/** More than a test enqueues. */
const MOST = 10_000;

/** The mails that wait in an outbox, for a worker, their time or another try, oldest first. */
export async function enqueued(outbox: MadeOutbox): Promise<readonly EnqueuedMessage[]> {
  const entries = await outbox.list({ state: 'queued', limit: MOST });
  const found = entries.toReversed().map(async (entry) => {
    const message = await outbox.message(entry.id);
    return message === null ? [] : [new EnqueuedMessage(message, entry)];
  });
  return (await Promise.all(found)).flat();
}
