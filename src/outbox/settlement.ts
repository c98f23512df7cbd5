import type { DeliveryResult } from '../backend/job.ts';
import { type MailFacts, writeFacts } from './facts.ts';
import type { ClaimedMail, MailState, Settlement } from './store.ts';

const HELD: readonly MailState[] = ['claimed', 'sending', 'in-doubt'];

/** What a worker writes down of a mail that it has. */
export function settlementOf(
  { id, fence, request }: Pick<ClaimedMail, 'id' | 'fence' | 'request'>,
  to: MailState,
  { facts, ...given }: Partial<Omit<Settlement, 'facts'>> & { readonly facts?: MailFacts } = {},
): Settlement {
  const written = facts === undefined ? null : writeFacts(facts);
  // Of a try that is given back the one before may have arrived all the same.
  const keepsRequest = to === 'queued' && request !== null;
  const change = { afterMs: 0, isTried: false, keepsRequest, dropsContent: false, ...given };
  return { id, fence, from: HELD, to, ...change, facts: written };
}

/** Whether the end of the call alone kept a mail from everybody: that is no try. */
export function isCutShort({ recipients }: DeliveryResult): boolean {
  return [...recipients.values()].every(
    ({ status, code }) => status === 'failed' && (code === 'timeout' || code === 'aborted'),
  );
}
