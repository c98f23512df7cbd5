import { MessageError } from '../../errors.ts';
import type { DeliveryStatus, MessageResult } from '../../status.ts';

/** What became of a row: as of a recipient, or `unsent`, when it was not handed over at all. */
export type Outcome = DeliveryStatus | 'unsent';

/** Every outcome, in the order in which they are told. */
export const OUTCOMES: readonly Outcome[] = ['sent', 'queued', 'invalid', 'rejected', 'failed', 'unknown', 'unsent'];

/** Whether the row was taken, so that nothing is left to do. */
export function isSent(outcome: Outcome): boolean {
  return outcome === 'sent' || outcome === 'queued';
}

/** What became of one row, and why. */
export interface RowResult {
  readonly outcome: Outcome;
  readonly code: number | string | null;
  readonly response: string | null;
  readonly retryable: boolean;
  /** Who else of the row did not get it, and why; not there when everybody did. */
  readonly missed?: readonly string[];
}

/** What is worst for a row that is sent to several: in doubt before sent, as what anybody got is not sent again. */
const ORDER: readonly DeliveryStatus[] = ['unknown', 'sent', 'queued', 'failed', 'rejected', 'invalid'];

const RECIPIENT = /^(?:to|cc|bcc)\b/;

/** What a mail's result means for its row. */
export function rowResult({ recipients, error }: MessageResult): RowResult {
  const all = [...recipients.values()];
  const decisive = ORDER.map((status) => all.find((recipient) => recipient.status === status)).find(Boolean);
  if (decisive === undefined || error instanceof MessageError) {
    const facts = { code: error?.code ?? null, response: error?.message ?? null };
    if (error?.outcome === 'unknown') return { outcome: 'unknown', ...facts, retryable: false };
    const isInvalid = error instanceof MessageError && error.issues.every(({ path }) => RECIPIENT.test(path));
    return { outcome: isInvalid ? 'invalid' : 'failed', ...facts, retryable: error?.retryable ?? false };
  }
  const { status: outcome, code, enhancedCode, response, retryable } = decisive;
  const text = [enhancedCode, response ?? decisive.error?.message].filter((part) => part != null).join(' ');
  const missed = all.flatMap(({ address, status, code: reply, response: said }) =>
    isSent(outcome) && !isSent(status) ? [[address, status, reply, said].filter((part) => part != null).join(' ')] : [],
  );
  return { outcome, code, response: text || null, retryable, ...(missed.length > 0 && { missed }) };
}
