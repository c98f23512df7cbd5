import type { EmailMessage } from '../model/message.ts';
import { recipientStatus } from '../model/status.ts';
import { messageFor } from '../wrappers/message-for.ts';
import type { MailFacts } from './facts.ts';
import type { ClaimedMail } from './store.ts';

/** A mail that a worker has. */
export interface OpenMail {
  readonly index: number;
  readonly claimed: ClaimedMail;
  readonly facts: MailFacts;
  /** What is left of it to send. */
  readonly message: EmailMessage;
  /** The idempotency key of a request of its own; null where the connection has no use for one. */
  readonly key: string | null;
  /** When it was claimed, by `performance.now()`. */
  readonly since: number;
  /** Whether the connection has it. */
  isGiven: boolean;
  /** Why it may not leave; null when it may. */
  withheld: Withheld | null;
  /** Until when its request may be asked again, by the clock of this process; 0 where it may not. */
  repeatUntil: number;
}

/** A mail that may not leave: somebody else has it, or the store did not say. */
export interface Withheld {
  /** It may have been sent before, and that cannot be asked. */
  readonly isInDoubt: boolean;
}

/** What a worker has just claimed. */
interface Opened extends Pick<OpenMail, 'index' | 'claimed' | 'facts'> {
  /** As it was kept. */
  readonly message: EmailMessage;
  /** Before it was claimed, by the clock of this process. */
  readonly claimedAt: number;
  /** Whether the provider remembers idempotency keys. */
  readonly hasKeys: boolean;
}

export function openMail({ index, claimed, facts, message, claimedAt, hasKeys }: Opened): OpenMail {
  const left = facts.recipients.filter(({ isOpen }) => isOpen).map(({ address }) => recipientStatus(address, 'queued'));
  const whole = messageFor(message, left);
  const { request, repeatMs, id } = claimed;
  const needsKey = hasKeys && message.mergeData === null && message.idempotencyKey === null;
  const keyed = needsKey ? messageFor(message.with({ idempotencyKey: id }), left) : whole;
  return {
    index,
    claimed,
    facts,
    since: performance.now(),
    isGiven: false,
    withheld: null,
    message: request === null ? whole : keyed, // what is asked again is asked alone
    key: needsKey ? keyed.idempotencyKey : null,
    repeatUntil: request === null ? 0 : claimedAt + repeatMs,
  };
}
