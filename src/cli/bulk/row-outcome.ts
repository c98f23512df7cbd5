import { MessageError } from '../../model/errors.ts';
import type { DeliveryStatus, MessageResult } from '../../model/status.ts';
import { formatCount } from '../output.ts';

/** The outcome of a row: that of a recipient, or `unsent` when it was never handed over. */
export type Outcome = DeliveryStatus | 'unsent';

/** Every outcome, in the order of reports. */
export const OUTCOMES: readonly Outcome[] = ['sent', 'queued', 'invalid', 'rejected', 'failed', 'unknown', 'unsent'];

/** How many rows had each outcome. */
export type Counts = Readonly<Record<Outcome, number>>;

/** `9,990 sent, 3 invalid, 4 unknown`: the sent always, the others when there are any. */
export function formatCounts(counts: Counts): string {
  return OUTCOMES.filter((outcome) => outcome === 'sent' || counts[outcome] > 0)
    .map((outcome) => `${formatCount(counts[outcome])} ${outcome}`)
    .join(', ');
}

/** Whether the provider accepted the row, so that nothing is left to do. */
export function isSent(outcome: Outcome): boolean {
  return outcome === 'sent' || outcome === 'queued';
}

/** The outcome of one row, and why. */
export interface RowResult {
  readonly outcome: Outcome;
  readonly code: number | string | null;
  readonly response: string | null;
  readonly retryable: boolean;
  /** The row's recipients who did not get the mail, and why; absent when everybody did. */
  readonly missed?: readonly string[];
}

/** Which outcome decides for a row with several recipients: a row that anybody got, or may have got, is not sent again. */
const ORDER: readonly DeliveryStatus[] = ['unknown', 'sent', 'queued', 'failed', 'rejected', 'invalid'];

const RECIPIENT = /^(?:to|cc|bcc)\b/;

/** The outcome of a row, from its mail's result. */
export function rowResult({ recipients, error }: Pick<MessageResult, 'recipients' | 'error'>): RowResult {
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
