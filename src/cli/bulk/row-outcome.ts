import { MessageError } from '../../errors.ts';
import type { DeliveryStatus, MessageResult } from '../../status.ts';

/** What became of a row: as of a recipient, or `unsent`, when it was not handed over at all. */
export type Outcome = DeliveryStatus | 'unsent';

/** Every outcome, in the order in which they are told. */
export const OUTCOMES: readonly Outcome[] = ['sent', 'queued', 'invalid', 'rejected', 'failed', 'unknown', 'unsent'];

/** What became of one row, and why. */
export interface RowResult {
  readonly outcome: Outcome;
  readonly code: number | string | null;
  readonly response: string | null;
  readonly retryable: boolean;
}

/** What is worst for a row that is sent to several: in doubt before sent, as what anybody got is not sent again. */
const ORDER: readonly DeliveryStatus[] = ['unknown', 'sent', 'queued', 'failed', 'rejected', 'invalid'];

/** What a mail's result means for its row. */
export function rowResult({ recipients, error }: MessageResult): RowResult {
  const all = [...recipients.values()];
  const decisive = ORDER.map((status) => all.find((recipient) => recipient.status === status)).find(Boolean);
  if (decisive === undefined || error instanceof MessageError) {
    const outcome = error instanceof MessageError ? 'invalid' : error?.outcome === 'unknown' ? 'unknown' : 'failed';
    return {
      outcome,
      code: error?.code ?? null,
      response: error?.message ?? null,
      retryable: error?.retryable ?? false,
    };
  }
  const { status: outcome, code, enhancedCode, response, retryable } = decisive;
  const text = [enhancedCode, response ?? decisive.error?.message].filter((part) => part != null).join(' ');
  return { outcome, code, response: text || null, retryable };
}
