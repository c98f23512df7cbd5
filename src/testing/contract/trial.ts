import { AssertionError } from 'node:assert';
import assert from 'node:assert/strict';
import { clearTimeout, setTimeout } from 'node:timers';
import { MailContent } from '../../mime/read/mail-content.ts';
import { comparisonKey } from '../../model/address.ts';
import type { EmailError } from '../../model/errors.ts';
import type { EmailMessageInit } from '../../model/message-init.ts';
import type { MessageResult, RecipientStatus, SendStatus } from '../../model/status.ts';
import type { ContractAbilities, ContractSubject } from './subject.ts';

/** One rule that every backend must obey. */
export interface ContractRule {
  readonly name: string;
  /** What the test provider must be able to do. */
  readonly needs?: keyof ContractAbilities;
  /** @throws {AssertionError} when it does not hold. */
  check(trial: Trial): Promise<void>;
}

/** The outcome of one call. */
interface Outcome {
  /** Returned, or from the thrown error. */
  readonly status: SendStatus | null;
  readonly thrown: Partial<EmailError> | null;
}

/** The use of a subject in one case, with assertions. */
export class Trial {
  readonly subject: ContractSubject;

  constructor(subject: ContractSubject) {
    this.subject = subject;
  }

  /** Sends, and catches what is thrown. */
  async send(
    messages: Iterable<EmailMessageInit> | AsyncIterable<EmailMessageInit>,
    options: { readonly signal?: AbortSignal; readonly failSilently?: boolean } = {},
  ): Promise<Outcome> {
    try {
      return { status: await this.subject.backend.sendMessages(messages, options), thrown: null };
    } catch (error) {
      const thrown = error as Partial<EmailError>; // whatever a backend throws: each field is checked
      return { status: thrown.status ?? null, thrown };
    }
  }

  /** Sends, and fails when anything is thrown. */
  async deliver(...messages: readonly EmailMessageInit[]): Promise<SendStatus> {
    const { status, thrown } = await this.send(messages);
    if (thrown !== null) assert.fail(`it threw: ${describeError(thrown)}`);
    assert(status !== null, 'it returned no status');
    return status;
  }

  /** Sends a mail to this address, and checks that it arrived. */
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

  /** How many mails each address got, by {@link comparisonKey}. */
  async counts(): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    for (const { recipients } of await this.subject.received()) {
      for (const key of recipients.map(comparisonKey)) counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return counts;
  }

  /** Checks that every recipient's status is true; each recipient must be in one message only. */
  async isTrue({ status }: Pick<Outcome, 'status'>): Promise<void> {
    const counts = await this.counts();
    for (const { address, status: claim } of recipientsOf(status)) {
      const count = counts.get(comparisonKey(address)) ?? 0;
      const allowed = claim === 'sent' || claim === 'queued' ? [1] : claim === 'unknown' ? [0, 1] : [0];
      assert(allowed.includes(count), `${address} is told to be ${claim}, and got ${count} mails`);
    }
    const named = new Set(recipientsOf(status).map(({ address }) => comparisonKey(address)));
    for (const address of counts.keys()) assert(named.has(address), `${address} got a mail, and has no status`);
  }
}

/** A small mail. */
export function mail(to: string | readonly string[], changes: Partial<EmailMessageInit> = {}): EmailMessageInit {
  return { subject: 'Contract', body: 'Hello.', fromEmail: 'sender@example.com', to, ...changes };
}

/** That many mails, each to a different address. */
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

/** Describes an error in one line. */
export function describeError(error: Partial<EmailError>): string {
  return `${error.name} ${error.code ?? '(no code)'}: ${error.message}`;
}

/** Waits at most that long. @throws {AssertionError} with `message` when the time is over. */
export async function within<T>(milliseconds: number, work: Promise<T>, message: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new AssertionError({ message })), milliseconds);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
