import type { DeliveryResult } from '../backend/job.ts';
import { type MailFacts, writeFacts } from './facts.ts';
import type { Held, MailState, Settlement } from './store.ts';

const HELD: readonly MailState[] = ['claimed', 'sending', 'in-doubt'];

/** What a worker writes down of a mail that it has. */
export function settlementOf(
  { id, fence }: Held,
  to: MailState,
  { facts, ...given }: { facts?: MailFacts; afterMs?: number; isTried?: boolean; dropsContent?: boolean } = {},
): Settlement {
  const written = facts === undefined ? null : writeFacts(facts);
  return { id, fence, from: HELD, to, afterMs: 0, isTried: false, dropsContent: false, ...given, facts: written };
}

/** Whether the end of the call alone kept a mail from everybody: that is no try. */
export function isCutShort({ recipients }: DeliveryResult): boolean {
  return [...recipients.values()].every(
    ({ status, code }) => status === 'failed' && (code === 'timeout' || code === 'aborted'),
  );
}
