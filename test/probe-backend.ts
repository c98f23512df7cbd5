import { type BackendOptions, EmailBackend } from '../src/backend.ts';
import { type DeliveryContext, type DeliveryResult, type Job, sameForAll } from '../src/delivery.ts';
import type { Feature } from '../src/features.ts';
import type { EmailMessageDraft } from '../src/message-init.ts';

type Deliver = (jobs: AsyncIterable<Job>, context: DeliveryContext) => AsyncIterable<DeliveryResult>;

/** A backend whose way of delivering a test decides; it counts what is asked of it. */
export class ProbeBackend extends EmailBackend {
  readonly name = 'probe';
  protected readonly features: ReadonlySet<Feature>;
  protected override readonly maxActiveCalls: number;
  readonly #deliver: Deliver;
  /** What happened, in order: `connect`, `disconnect`, and whatever a test adds. */
  readonly log: string[] = [];

  constructor(
    deliver: Deliver = sendAll,
    options: BackendOptions & { readonly features?: readonly Feature[]; readonly maxActiveCalls?: number } = {},
  ) {
    super(options);
    this.#deliver = deliver;
    this.features = new Set(options.features ?? []);
    this.maxActiveCalls = options.maxActiveCalls ?? 128;
  }

  protected deliver(jobs: AsyncIterable<Job>, context: DeliveryContext): AsyncIterable<DeliveryResult> {
    return this.#deliver(jobs, context);
  }

  protected override async connect(): Promise<void> {
    this.log.push('connect');
  }

  protected override async disconnect(): Promise<void> {
    this.log.push('disconnect');
  }
}

/** The result of a job that was sent to everybody. */
export function sent({ index, message }: Job): DeliveryResult {
  return { index, messageId: `${message.subject}@x.org`, recipients: sameForAll(message, 'sent') };
}

/** Delivers every job as it comes. */
export async function* sendAll(jobs: AsyncIterable<Job>): AsyncGenerator<DeliveryResult> {
  for await (const job of jobs) yield sent(job);
}

/** A message by its subject; more fields at will. */
export function draft(subject: string, fields: Partial<EmailMessageDraft> = {}): EmailMessageDraft {
  return { subject, body: 'text', fromEmail: 'a@x.org', to: `${subject}@x.org`, ...fields };
}

/** Something that a test lets happen. */
export class Signal {
  readonly promise: Promise<void>;
  #resolve: () => void = () => {};

  constructor() {
    this.promise = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  give(): void {
    this.#resolve();
  }
}
