import { OutboxChange } from '../events/outbox-events.ts';
import { reasonOf } from '../util/reason.ts';
import type { MailFacts } from './facts.ts';
import type { MailState } from './store.ts';

/** Tells the listeners of OutboxChange; nobody waits for them. */
export function tellOfChange(
  { id, lane }: { readonly id: string; readonly lane: string },
  state: MailState,
  { messageId, recipients }: MailFacts,
): void {
  if (!OutboxChange.hasListeners) return;
  if (!(state === 'queued' || state === 'sent' || state === 'failed' || state === 'in-doubt')) return;
  try {
    const addresses = recipients.map(({ address }) => address);
    const told = OutboxChange.emit({ id, lane, state, messageId, recipients: addresses });
    if (told instanceof Promise) told.catch(warn);
  } catch (error) {
    warn(error);
  }
}

/** Mails in doubt wait for people: whoever reads the log hears of them. */
export function warnOfDoubt(ids: readonly string[]): void {
  const shown = ids.length > 3 ? `${ids.slice(0, 3).join(', ')} and ${ids.length - 3} more` : ids.join(', ');
  const text = `the outbox does not know whether it has sent ${shown}: look at outbox.list({ state: 'in-doubt' }), and decide with outbox.resolve`;
  process.emitWarning(text, { type: 'AmsdalMailWarning', code: 'in-doubt' });
}

function warn(error: unknown): void {
  process.emitWarning(`a listener of OutboxChange failed: ${reasonOf(error)}`, {
    type: 'AmsdalMailWarning',
    code: 'listener',
  });
}
