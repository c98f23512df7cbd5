import { type BackendOptions, EmailBackend } from '../backend/backend.ts';
import type { DeliveryResult, Job } from '../backend/job.ts';
import { Part } from '../backend/part.ts';
import type { Feature } from '../model/features.ts';

/** What stands before an outbox. */
export interface EntranceOptions extends BackendOptions {
  readonly connection: EmailBackend;
}

/**
 * Where messages are checked, and listeners hear of them, before an outbox writes them down: as in every backend. It can do what
 * the connection can, and send later and once.
 */
export class Entrance extends EmailBackend {
  override readonly name = 'outbox';
  protected override readonly features: ReadonlySet<Feature>;
  readonly #write: (jobs: AsyncIterable<Job>) => AsyncIterable<DeliveryResult>;

  constructor(options: EntranceOptions, write: (jobs: AsyncIterable<Job>) => AsyncIterable<DeliveryResult>) {
    super(entranceOptions(options));
    this.features = outboxFeatures(options.connection);
    this.#write = write;
  }

  protected override deliver(jobs: AsyncIterable<Job>): AsyncIterable<DeliveryResult> {
    return this.#write(jobs);
  }
}

/** What every backend's options say, the sender of the connection where there is no other. */
export function entranceOptions({
  connection,
  defaultFrom,
  onUnsupported,
  deadlineMs,
}: EntranceOptions): BackendOptions {
  const from = defaultFrom ?? new Part(connection).facts.options.defaultFrom;
  return {
    ...(from !== undefined && { defaultFrom: from }),
    ...(onUnsupported !== undefined && { onUnsupported }),
    ...(deadlineMs !== undefined && { deadlineMs }),
  };
}

/** What an outbox can do over a connection. */
export function outboxFeatures(connection: EmailBackend): ReadonlySet<Feature> {
  return new Set<Feature>([...new Part(connection).facts.features, 'sendAt', 'idempotencyKey']);
}
