import { EmailBackend } from '../../../src/backend/backend.ts';
import { type DeliveryResult, failedDelivery, type Job } from '../../../src/backend/job.ts';
import { composeMessage } from '../../../src/mime/compose/compose.ts';
import { generateMessageId } from '../../../src/mime/compose/message-id.ts';
import { SendError } from '../../../src/model/errors.ts';
import { ALL_FEATURES, type Feature } from '../../../src/model/features.ts';
import { type RecipientStatus, recipientStatus } from '../../../src/model/status.ts';
import type { ContractDelivery, ContractSubject } from '../../../src/testing/contract/subject.ts';

/** A copy of the dummy backend that keeps what a provider would see; each fault below changes one step of it. */
class DummyCopy extends EmailBackend implements ContractSubject {
  readonly name: string = 'copy';
  protected readonly features: ReadonlySet<Feature> = ALL_FEATURES;
  readonly backend: this = this;
  readonly deliveries: ContractDelivery[] = [];
  readonly refused = new Set<string>();
  isBroken = false;

  received(): readonly ContractDelivery[] {
    return this.deliveries;
  }

  refuse(address: string): void {
    this.refused.add(address);
  }

  breakDown(): void {
    this.isBroken = true;
  }

  protected override deliverOne(job: Job): DeliveryResult {
    if (this.isBroken) return this.fail(job);
    const { index, message } = job;
    const messageId = message.messageId ?? generateMessageId(message);
    const recipients = new Map<string, RecipientStatus>();
    for (const { address } of message.recipients) {
      const status = this.statusOf(address, messageId);
      if (status !== null) recipients.set(address, status);
    }
    const reached = this.reached(job).filter((address) => !this.refused.has(address));
    if (reached.length > 0) this.hand(job, { recipients: reached, source: this.compose(job) });
    return { index, messageId: reached.length > 0 ? messageId : null, recipients };
  }

  protected statusOf(address: string, messageId: string): RecipientStatus | null {
    if (!this.refused.has(address)) return recipientStatus(address, 'sent', { messageId });
    return recipientStatus(address, 'rejected', { code: 550, error: new SendError('rejected', `${address}: 550`) });
  }

  protected reached({ message }: Job): readonly string[] {
    return message.recipients.map(({ address }) => address);
  }

  protected compose({ message }: Job): Uint8Array {
    return composeMessage(message);
  }

  protected hand(_: Job, delivery: ContractDelivery): void {
    this.deliveries.push(delivery);
  }

  protected fail(job: Job): DeliveryResult {
    return failedDelivery(job, new SendError('closed', 'the provider broke off', { retryable: true }));
  }
}

/** Nothing is wrong with it. */
export const sound = (): ContractSubject => new DummyCopy();

class BccInHeaders extends DummyCopy {
  protected override compose(job: Job): Uint8Array {
    const source = super.compose(job);
    const { bcc } = job.message;
    return bcc.length === 0 ? source : Buffer.concat([Buffer.from(`Bcc: ${bcc.join(', ')}\r\n`), source]);
  }
}

class LostCc extends DummyCopy {
  protected override reached({ message: { cc, recipients } }: Job): readonly string[] {
    return recipients.map(({ address }) => address).filter((address) => !cc.includes(address));
  }
}

class WrongStatus extends DummyCopy {
  protected override statusOf(address: string, messageId: string): RecipientStatus {
    return recipientStatus(address, 'sent', { messageId });
  }
}

class SwallowedError extends DummyCopy {
  protected override fail({ index, message }: Job): DeliveryResult {
    const recipients = message.recipients.map(({ address }) => [address, recipientStatus(address, 'sent')] as const);
    return { index, messageId: 'none@example.com', recipients: new Map(recipients) };
  }
}

class DoubleSend extends DummyCopy {
  protected override hand(job: Job, delivery: ContractDelivery): void {
    super.hand(job, delivery);
    super.hand(job, delivery);
  }
}

class MangledBytes extends DummyCopy {
  protected override compose(job: Job): Uint8Array {
    const attachments = job.message.attachments.map((attachment) => ({
      ...attachment,
      content:
        attachment.content instanceof Uint8Array
          ? Buffer.from(Buffer.from(attachment.content).toString())
          : attachment.content,
    }));
    return composeMessage(job.message.with({ attachments }));
  }
}

class MixedUpAnswers extends DummyCopy {
  protected override async *deliver(jobs: AsyncIterable<Job>): AsyncGenerator<DeliveryResult, void, undefined> {
    const taken: Job[] = [];
    for await (const job of jobs) taken.push(job);
    const answers = taken.map((job) => this.deliverOne(job));
    for (const [at, answer] of answers.entries()) {
      yield { ...answer, index: taken[answers.length - 1 - at]?.index ?? 0 };
    }
  }
}

class ForgottenRecipient extends DummyCopy {
  protected override statusOf(address: string, messageId: string): RecipientStatus | null {
    return this.refused.has(address) ? null : super.statusOf(address, messageId);
  }
}

class SentAndFailed extends DummyCopy {
  protected override fail(job: Job): DeliveryResult {
    this.hand(job, { recipients: this.reached(job), source: this.compose(job) });
    return super.fail(job);
  }
}

class OneFaultEndsAll extends DummyCopy {
  protected override deliver(jobs: AsyncIterable<Job>): AsyncIterable<DeliveryResult> {
    const deliverOne = (job: Job) => this.deliverOne(job);
    const isRefused = (job: Job) => this.reached(job).some((address) => this.refused.has(address));
    return (async function* () {
      for await (const job of jobs) {
        if (isRefused(job)) throw new SendError('rejected', 'refused');
        yield deliverOne(job);
      }
    })();
  }
}

class DeadAfterClose extends DummyCopy {
  protected override disconnect(): Promise<void> {
    this.isBroken = true;
    return Promise.resolve();
  }
}

class DroppedFeature extends DummyCopy {
  protected override deliverOne(job: Job): DeliveryResult {
    return { ...super.deliverOne(job), ignored: job.message.tags.length > 0 ? ['tags'] : [] };
  }
}

/** What is wrong, and one of the rules that must notice. */
export const FAULTS: readonly (readonly [name: string, make: () => ContractSubject, rule: string])[] = [
  ['Bcc in the headers', () => new BccInHeaders(), 'bcc is in no header'],
  ['Cc lost', () => new LostCc(), 'to, cc and bcc all get the mail'],
  ['a refused recipient told to be sent', () => new WrongStatus(), 'one refused recipient'],
  ['an error swallowed', () => new SwallowedError(), 'the provider fails: it throws'],
  ['every mail sent twice', () => new DoubleSend(), 'none is sent twice'],
  ['bytes taken for text', () => new MangledBytes(), 'attachments arrive byte for byte'],
  ['answers of one message given for another', () => new MixedUpAnswers(), 'in the order given'],
  ['a recipient without a status', () => new ForgottenRecipient(), 'all recipients refused'],
  ['told to have failed, and sent', () => new SentAndFailed(), 'the provider fails: it throws'],
  ['one refusal ends the whole call', () => new OneFaultEndsAll(), 'one message refused'],
  ['dead after close', () => new DeadAfterClose(), 'closed, it sends again'],
  ['a declared feature dropped', () => new DroppedFeature(), 'what it declares it carries'],
];
