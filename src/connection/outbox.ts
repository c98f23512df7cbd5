import { Outbox as MadeOutbox } from '../outbox/outbox.ts';
import type { OutboxOptions } from '../outbox/outbox-options.ts';
import { openStore } from '../outbox/stores/open-store.ts';
import { getConnection } from './connection.ts';

export { OutboxChange, type OutboxChangeContext } from '../events/outbox-events.ts';
export { placesLeft, type Taken, takePlaces } from '../outbox/buckets.ts';
export {
  type OutboxStoreCase,
  type OutboxStoreSubject,
  outboxStoreContract,
} from '../outbox/contract.ts';
export type { DashboardAuth, DashboardOptions } from '../outbox/dashboard-options.ts';
export type { MailFacts, OutboxEvent, OutboxRecipient } from '../outbox/facts.ts';
export type { DeliveryEvent } from '../outbox/learn.ts';
export { type MemoryStoreOptions, memoryStore } from '../outbox/memory-store.ts';
export {
  type EnqueueOptions,
  type MadeOutboxOptions,
  Outbox as MadeOutbox,
} from '../outbox/outbox.ts';
export { OutboxBackend } from '../outbox/outbox-backend.ts';
export type { OutboxMail } from '../outbox/outbox-mail.ts';
export type { LaneChoice, LaneOptions, OutboxOptions, OutboxRetryOptions } from '../outbox/outbox-options.ts';
export type { OutboxHealth, OutboxStats } from '../outbox/outbox-stats.ts';
export type { SealKey } from '../outbox/seal.ts';
export type {
  Blob,
  BucketLeft,
  BucketRates,
  Claim,
  ClaimedMail,
  ClaimRequest,
  Count,
  Enqueued,
  Held,
  Left,
  ListQuery,
  MailState,
  Marking,
  NewMail,
  OnDoubt,
  OutboxStore,
  Pause,
  Queries,
  Recovered,
  Settlement,
  StoredMail,
} from '../outbox/store.ts';
export type { WorkOptions, WorkReport } from '../outbox/work-options.ts';

/** {@link MadeOutbox} whose store and connection may be given as text. */
export class Outbox extends MadeOutbox {
  /** @throws {ConfigurationError} `invalid-option`, `unknown-option`, `unknown-backend`, `invalid-backend`; as the stores */
  constructor(options: OutboxOptions) {
    const { store, connection } = options;
    super({
      ...options,
      store: typeof store === 'string' ? openStore(store) : store,
      connection: typeof connection === 'string' ? getConnection(connection) : connection,
    });
  }
}
