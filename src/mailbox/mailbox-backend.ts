import { setTimeout as wait } from 'node:timers/promises';
import { BACKEND_OPTIONS, type BackendOptions, EmailBackend } from '../backend.ts';
import { deliverEach, deliverEachSync } from '../deliver-each.ts';
import { type DeliveryResult, failedDelivery, type Job, recipientStatus, whileReading } from '../delivery.ts';
import { EmailConnectionError, SendError } from '../errors.ts';
import { ALL_FEATURES, type Feature } from '../features.ts';
import { withFilesRead } from '../message.ts';
import type { AnyOptionTable, OptionTable } from '../options.ts';
import { isProduction } from '../settings.ts';
import type { RecipientStatus } from '../status.ts';
import type { Acceptance } from './accept-mail.ts';
import { arrivalOf } from './arrival-of.ts';
import { type ResolvedMailboxOptions, resolveMailboxOptions } from './mailbox-options.ts';
import { ownMailbox, sharedMailbox } from './shared-mailbox.ts';

/** Options of {@link MailboxBackend}; each as in {@link MailboxOptions}. */
export interface MailboxBackendOptions extends BackendOptions {
  /** Where the page is; default 127.0.0.1. */
  readonly host?: string;
  /** The port of the page; default 8025. */
  readonly port?: number;
  /** The port that takes mail by SMTP; default 1025. */
  readonly smtpPort?: number;
  /** Where mails are kept over a restart; default: in memory. */
  readonly folder?: string;
  /** Lets it run where NODE_ENV is `production`; default false. */
  readonly allowProduction?: boolean;
}

const CONCURRENCY = 8;

/**
 * Catches every mail instead of sending it and shows it in a page, by default at http://127.0.0.1:8025.
 *
 * The page is served by this process, as long as it lives, unless a mailbox is running there already: then that one
 * gets the mails.
 */
export class MailboxBackend extends EmailBackend {
  /** The options it takes, for `getConnection`, URLs and the environment. */
  static readonly optionTable: AnyOptionTable = {
    ...BACKEND_OPTIONS,
    host: { type: 'string' },
    port: { type: 'integer', min: 0, max: 65_535 },
    smtpPort: { type: 'integer', min: 0, max: 65_535 },
    folder: { type: 'string' },
    allowProduction: { type: 'boolean' },
  } satisfies OptionTable<MailboxBackendOptions>;

  readonly name = 'mailbox';
  protected readonly features: ReadonlySet<Feature> = ALL_FEATURES;
  readonly #options: ResolvedMailboxOptions;

  /** @throws {ConfigurationError} `invalid-option` for a wrong option, and in production without `allowProduction`. */
  constructor(options: MailboxBackendOptions = {}) {
    const { defaultFrom: _, onUnsupported: __, deadlineMs: ___, ...own } = options;
    super(options);
    this.#options = resolveMailboxOptions(own, isProduction());
  }

  protected override connect(): Promise<void> {
    return sharedMailbox(this.#options).ready;
  }

  protected deliver(jobs: AsyncIterable<Job>): AsyncIterable<DeliveryResult> {
    return deliverEach(jobs, (job) => this.#deliverOne(job), CONCURRENCY);
  }

  protected override deliverSync(jobs: readonly Job[]): readonly DeliveryResult[] {
    const mailbox = ownMailbox(this.#options);
    // Not here, or not yet: whether it can be had at all shows only in a thread that does not wait.
    if (mailbox === null) return super.deliverSync(jobs);
    return deliverEachSync(jobs, (job) => {
      const { messageId, ...arrival } = arrivalOf(withFilesRead(job.message));
      const acceptance = mailbox.accept({ ...arrival, via: 'backend' });
      if (acceptance.delayMs > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, acceptance.delayMs);
      return resultOf(job, messageId, acceptance, mailbox.url);
    });
  }

  async #deliverOne(job: Job): Promise<DeliveryResult> {
    const mailbox = sharedMailbox(this.#options);
    const { messageId, ...arrival } = arrivalOf(await whileReading(job.message.materialize(), job.signal));
    const acceptance = await mailbox.accept({ ...arrival, via: 'backend' }, job.signal);
    if (acceptance.delayMs > 0) await wait(acceptance.delayMs, undefined, { ref: false });
    return resultOf(job, messageId, acceptance, mailbox.url);
  }
}

function resultOf(job: Job, messageId: string, { id, refused, isDropped }: Acceptance, url: string): DeliveryResult {
  if (isDropped) {
    const error = new EmailConnectionError('closed', 'chaos: the mailbox cut the connection, as it was told', {
      retryable: true,
    });
    return failedDelivery(job, error);
  }
  const recipients = new Map<string, RecipientStatus>();
  for (const { address } of job.message.recipients) {
    const code = refused[address];
    recipients.set(
      address,
      code === undefined
        ? recipientStatus(address, 'sent', { messageId, response: `caught: ${url}/#${id}` })
        : refusedStatus(address, code),
    );
  }
  return { index: job.index, messageId: id === null ? null : messageId, recipients };
}

function refusedStatus(address: string, code: 450 | 550): RecipientStatus {
  const text = 'chaos: the mailbox refused the recipient, as it was told';
  const isTemporary = code === 450;
  const reply = { code, enhancedCode: isTemporary ? '4.7.1' : '5.7.1', text };
  const error = new SendError(isTemporary ? 'temporary' : 'rejected', `${address}: ${code} ${text}`, {
    phase: 'rcpt',
    reply,
    retryable: isTemporary,
  });
  return recipientStatus(address, isTemporary ? 'failed' : 'rejected', {
    code,
    enhancedCode: reply.enhancedCode,
    response: text,
    retryable: isTemporary,
    error,
  });
}
