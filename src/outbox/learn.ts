import { comparisonKey } from '../model/address.ts';
import { type MailFacts, type OutboxRecipient, withEvent } from './facts.ts';
import { endOf } from './judge.ts';
import type { MailState, StoredMail } from './store.ts';

/** What a provider tells of a recipient of a mail that it took, as by a webhook. */
export interface DeliveryEvent {
  /** What became of it. `queued` and `deferred` say that the provider has it, as `delivered` and what follows that does. */
  readonly type:
    | 'queued'
    | 'sent'
    | 'rejected'
    | 'failed'
    | 'bounced'
    | 'deferred'
    | 'delivered'
    | 'autoresponded'
    | 'opened'
    | 'clicked'
    | 'complained'
    | 'unsubscribed'
    | 'subscribed'
    | 'unknown';
  /** The mail's Message-ID, with its angle brackets or without; null when it is not told. */
  readonly messageId: string | null;
  /** An address; null when it is not told, which is enough of a mail to one. */
  readonly recipient: string | null;
  /** Why, in words; null or left out when it is not told. */
  readonly reason?: string | null;
}

/** What becomes of a mail. */
export interface Change {
  readonly to: MailState;
  readonly facts: MailFacts;
}

/** Who did not get it. */
const LOST: Readonly<Partial<Record<DeliveryEvent['type'], 'failed' | 'rejected'>>> = {
  bounced: 'failed',
  failed: 'failed',
  rejected: 'rejected',
};

/** What is known of a mail in doubt after an event; null when that says nothing of it. */
export function afterEvent(facts: MailFacts, { type, recipient, reason = null }: DeliveryEvent): Change | null {
  if (type === 'unknown') return null;
  const key = recipient === null ? null : comparisonKey(recipient);
  const isMeant = ({ address }: OutboxRecipient) =>
    key === null ? facts.recipients.length === 1 : comparisonKey(address) === key;
  if (!facts.recipients.some((each) => isMeant(each) && isInDoubt(each))) return null;
  const status = LOST[type] ?? (type === 'queued' || type === 'deferred' ? 'queued' : 'sent');
  const recipients = facts.recipients.map((each): OutboxRecipient => {
    return isMeant(each) && isInDoubt(each) ? { ...each, status, isOpen: false, response: reason } : each;
  });
  const text = [type, recipient, reason].filter((each) => each !== null).join(' ');
  const to = recipients.some(isInDoubt) ? 'in-doubt' : endOf(recipients);
  return { to, facts: withEvent(facts, 'learned', text, recipients) };
}

/** What of that is written down: whoever has the mail, or is to ask again, will know more, unless there is no more to be known. */
export function learnedOf({ state, request, tries }: StoredMail, told: Change | null): Change | null {
  if (state === 'in-doubt') return told;
  if (told?.to === 'in-doubt' || (state === 'queued' && request === null)) return null;
  // What became of a try before says nothing against the one under way.
  return state === 'sending' && tries > 0 && told?.to === 'failed' ? null : told;
}

/** Of a mail whose worker died, nothing is known of those that it was still for. */
export function isInDoubt({ status, isOpen }: OutboxRecipient): boolean {
  return status === 'unknown' || isOpen;
}
