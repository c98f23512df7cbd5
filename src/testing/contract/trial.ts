import assert from 'node:assert/strict';
import { comparisonKey } from '../../address.ts';
import type { EmailError } from '../../errors.ts';
import type { EmailMessageInit } from '../../message-init.ts';
import { MailContent } from '../../mime/mail-content.ts';
import type { MessageResult, RecipientStatus, SendStatus } from '../../status.ts';
import type { ContractSubject } from './subject.ts';

/** What became of one call. */
export interface Outcome {
  /** Returned, or of the error that was thrown. */
  readonly status: SendStatus | null;
  readonly thrown: Partial<EmailError> | null;
}

/** How a subject is used in one case, and what can be said of it. */
export class Trial {
  readonly subject: ContractSubject;

  constructor(subject: ContractSubject) {
    this.subject = subject;
  }

  /** Sends, and keeps what is thrown. */
  async send(
    messages: Iterable<EmailMessageInit> | AsyncIterable<EmailMessageInit>,
    options: { readonly signal?: AbortSignal; readonly failSilently?: boolean } = {},
  ): Promise<Outcome> {
    try {
      return { status: await this.subject.backend.sendMessages(messages, options), thrown: null };
    } catch (error) {
      const thrown = error as Partial<EmailError>; // whatever a backend throws: each field is looked at
      return { status: thrown.status ?? null, thrown };
    }
  }

  /** Sends what must arrive. */
  async deliver(...messages: readonly EmailMessageInit[]): Promise<SendStatus> {
    const { status, thrown } = await this.send(messages);
    if (thrown !== null) assert.fail(`it threw: ${told(thrown)}`);
    assert(status !== null, 'it returned no status');
    return status;
  }

  /** Sends a mail to this address, and looks whether it arrived. */
  async reaches(address: string): Promise<void> {
    await this.deliver(mail(address));
    assert.equal((await this.counts()).get(address), 1, `${address} got no mail`);
  }

  /** The one mail that arrived. */
  async only(): Promise<MailContent> {
    const [delivery, ...more] = await this.subject.received();
    assert(
      delivery !== undefined && more.length === 0,
      `one mail was to arrive, not ${delivery ? more.length + 1 : 0}`,
    );
    return new MailContent(delivery.source);
  }

  async nothingArrived(): Promise<void> {
    assert.deepEqual([...(await this.counts())], [], 'nothing was to arrive');
  }

  /** How many mails each address got. */
  async counts(): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    for (const { recipients } of await this.subject.received()) {
      for (const address of recipients) counts.set(key(address), (counts.get(key(address)) ?? 0) + 1);
    }
    return counts;
  }

  /** Everything that is said of a recipient is true: each must be in one message only. */
  async isTrue({ status }: Pick<Outcome, 'status'>): Promise<void> {
    const counts = await this.counts();
    for (const { address, status: claim } of recipientsOf(status)) {
      const count = counts.get(key(address)) ?? 0;
      const allowed = claim === 'sent' || claim === 'queued' ? [1] : claim === 'unknown' ? [0, 1] : [0];
      assert(allowed.includes(count), `${address} is told to be ${claim}, and got ${count} mails`);
    }
    const named = new Set(recipientsOf(status).map(({ address }) => key(address)));
    for (const address of counts.keys()) assert(named.has(address), `${address} got a mail, and has no status`);
  }
}

/** A small mail. */
export function mail(to: string | readonly string[], changes: Partial<EmailMessageInit> = {}): EmailMessageInit {
  return { subject: 'Contract', body: 'Hello.', fromEmail: 'sender@example.com', to, ...changes };
}

/** As many mails, each to somebody else. */
export function mails(count: number): EmailMessageInit[] {
  return Array.from({ length: count }, (_, index) => mail(`user${index}@example.org`, { subject: `Mail ${index}` }));
}

/** Every status of every message. */
export function recipientsOf(status: SendStatus | null): readonly RecipientStatus[] {
  return (status?.results ?? []).flatMap(({ recipients }) => [...recipients.values()]);
}

/** The result of a message. */
export function resultAt(status: SendStatus | null, index: number): MessageResult {
  const result = status?.results[index];
  assert(result, `message ${index} has no result`);
  assert.equal(result.index, index, `result ${index} is that of message ${result.index}`);
  return result;
}

/** Under what an address is counted. */
export function key(address: string): string {
  return comparisonKey(address);
}

/** An error in a line. */
export function told(error: Partial<EmailError>): string {
  return `${error.name} ${error.code ?? '(no code)'}: ${error.message}`;
}
