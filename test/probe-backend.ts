import { type BackendOptions, EmailBackend } from '../src/backend/backend.ts';
import { deliverEach } from '../src/backend/deliver-each.ts';
import { type DeliveryContext, type DeliveryResult, type Job, sameForAll } from '../src/backend/job.ts';
import { EmailError } from '../src/model/errors.ts';
import type { Feature } from '../src/model/features.ts';
import type { EmailMessageDraft } from '../src/model/message-init.ts';
import type { DeliveryStatus, SendStatus } from '../src/model/status.ts';
import { recipientStatus } from '../src/model/status.ts';

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

  protected override deliver(jobs: AsyncIterable<Job>, context: DeliveryContext): AsyncIterable<DeliveryResult> {
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

/** Statuses by recipient. */
export function statuses(status: SendStatus | null | undefined): Record<string, DeliveryStatus> {
  return Object.fromEntries([...(status?.recipients ?? [])].map(([address, recipient]) => [address, recipient.status]));
}

/** The error a call ends with. */
export async function failure(call: Promise<unknown>): Promise<EmailError> {
  const error: unknown = await call.then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  );
  if (error instanceof EmailError) return error;
  throw error;
}

/** Answers each job by its subject. */
export function answering(
  answers: Readonly<Record<string, (job: Job) => DeliveryResult | Promise<DeliveryResult>>>,
): (jobs: AsyncIterable<Job>) => AsyncIterable<DeliveryResult> {
  return (jobs) => deliverEach(jobs, (job) => (answers[job.message.subject] ?? sent)(job), 3);
}

/** Sends a job after something else has happened. */
export function sentAfter(happen: (job: Job) => unknown): (job: Job) => DeliveryResult {
  return (job) => {
    happen(job);
    return sent(job);
  };
}

/** Refuses a job, or some of its recipients. */
export function refuse(status: DeliveryStatus, ...some: string[]): (job: Job) => DeliveryResult {
  return ({ index, message }) => ({
    index,
    messageId: null,
    recipients: new Map(
      message.recipients.map(({ address }) => [
        address,
        recipientStatus(address, some.length === 0 || some.includes(address) ? status : 'sent', { code: 550 }),
      ]),
    ),
  });
}
