import { type MailFacts, readFacts } from './facts.ts';
import type { LaneChoice } from './outbox-options.ts';
import type { MailState, OnDoubt, StoredMail } from './store.ts';

/** A mail of an outbox. */
export interface OutboxMail extends MailFacts {
  /** 26 letters and digits; later ones sort behind earlier ones. */
  readonly id: string;
  /** No other mail has it; null for none. */
  readonly idempotencyKey: string | null;
  /** The name of its lane. */
  readonly lane: string;
  /** Of two in a lane the higher goes first. */
  readonly priority: number;
  /** As in {@link LaneChoice}; null for none. */
  readonly orderKey: string | null;
  /** As in {@link LaneChoice}. */
  readonly onDoubt: OnDoubt;
  /** Where it is. */
  readonly state: MailState;
  /** When it is tried next, as long as it is queued. */
  readonly dueAt: Date;
  /** How often it was tried. */
  readonly tries: number;
  /** When it was written down. */
  readonly createdAt: Date;
  /** When it came into its state. */
  readonly changedAt: Date;
}

/** What was stored, as it is shown. */
export function outboxMail({
  facts,
  dueAt,
  createdAt,
  changedAt,
  key,
  fence: _,
  request: __,
  ...rest
}: StoredMail): OutboxMail {
  const dates = { dueAt: new Date(dueAt), createdAt: new Date(createdAt), changedAt: new Date(changedAt) };
  return { ...rest, ...readFacts(facts), ...dates, idempotencyKey: key };
}
