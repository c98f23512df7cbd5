import { generateMessageId } from '../mime/compose/message-id.ts';
import { type EmailMessage, withContentRead, withFilesRead } from '../model/message.ts';
import { EmailBackend } from './backend.ts';
import { askToCommit } from './commit.ts';
import { deliverEachSync } from './deliver-each-sync.ts';
import { type DeliveryResult, type Job, whileReading } from './job.ts';

/**
 * A backend that delivers without waiting, such as one that prints mails or keeps them. `deliverNow` serves ordinary and
 * blocking calls alike, so that the latter need no worker thread.
 */
export abstract class LocalBackend extends EmailBackend {
  /** Whether attachments are read into memory before `deliverNow`; default true. Blocking calls read files only. */
  protected readonly readsContent: boolean = true;
  protected override readonly awaitsCommit = true;

  /**
   * Delivers one message; what it throws is that message's failure.
   *
   * @param messageId the message's own, or else a new one.
   */
  protected abstract deliverNow(job: Job, messageId: string): DeliveryResult;

  protected override deliverOne(job: Job): DeliveryResult | Promise<DeliveryResult> {
    if (job.beforeCommit !== undefined) return this.#askAndDeliver(job);
    return this.readsContent ? this.#readAndDeliver(job) : this.#deliver(job, job.message);
  }

  protected override deliverSync(jobs: readonly Job[]): readonly DeliveryResult[] {
    return deliverEachSync(jobs, (job) =>
      this.#deliver(job, this.readsContent ? withFilesRead(job.message) : job.message),
    );
  }

  async #askAndDeliver(job: Job): Promise<DeliveryResult> {
    const message = this.readsContent
      ? await whileReading(withContentRead(job.message, job.signal), job.signal)
      : job.message;
    return (await askToCommit(job)) ?? this.#deliver(job, message);
  }

  async #readAndDeliver(job: Job): Promise<DeliveryResult> {
    return this.#deliver(job, await whileReading(withContentRead(job.message, job.signal), job.signal));
  }

  #deliver({ index, signal }: Job, message: EmailMessage): DeliveryResult {
    return this.deliverNow({ index, message, signal }, message.messageId ?? generateMessageId(message));
  }
}
