import type { DeliveryResult } from '../backend/job.ts';
import { type MailFacts, writeFacts } from './facts.ts';
import type { ClaimedMail, MailState, Settlement } from './store.ts';

const HELD: readonly MailState[] = ['claimed', 'sending', 'in-doubt'];

/** What a worker writes down of a mail that it has. */
export function settlementOf(
  { id, fence, request }: Pick<ClaimedMail, 'id' | 'fence' | 'request'>,
  to: MailState,
  {
    facts,
    afterMs = 0,
    isTried = false,
    // Of a try that is given back the one before may have arrived all the same.
    keepsRequest = to === 'queued' && request !== null,
    dropsContent = false,
  }: Partial<Pick<Settlement, 'afterMs' | 'isTried' | 'keepsRequest' | 'dropsContent'>> & {
    readonly facts?: MailFacts;
  } = {},
): Settlement {
  const written = facts === undefined ? null : writeFacts(facts);
  return { id, fence, from: HELD, to, afterMs, isTried, facts: written, keepsRequest, dropsContent };
}

/** Whether the end of the call alone kept a mail from everybody: that is no try. */
export function isCutShort({ recipients }: DeliveryResult): boolean {
  return [...recipients.values()].every(
    ({ status, code }) => status === 'failed' && (code === 'timeout' || code === 'aborted'),
  );
}
