import { expect, test } from 'vitest';
import { EmailBackend } from '../../src/backend/backend.ts';
import { type DeliveryResult, failedDelivery, type Job, sameForAll } from '../../src/backend/job.ts';
import { DummyBackend } from '../../src/backends/dummy.ts';
import { failover, mirror, retry } from '../../src/connection/wrappers.ts';
import { EmailConnectionError } from '../../src/model/errors.ts';
import type { Feature } from '../../src/model/features.ts';
import type { WrapperStats } from '../../src/wrappers/wrapper-backend.ts';

const MAIL = { subject: 'Hi', body: 'Text', fromEmail: 'shop@example.com', to: 'ann@example.org' };
const REFUSED = new EmailConnectionError('refused', 'connection refused', { retryable: true });

/** Answers when it is told to. */
class Held extends EmailBackend {
  readonly name = 'held';
  protected override readonly features: ReadonlySet<Feature> = new Set();
  protected override readonly concurrency = 10;
  readonly #taken: (() => void)[] = [];
  #release = () => {};
  readonly #released = new Promise<void>((resolve) => {
    this.#release = resolve;
  });
  #count = 0;

  protected override async deliverOne(job: Job): Promise<DeliveryResult> {
    this.#count++;
    for (const resolve of this.#taken.splice(0)) resolve();
    await this.#released;
    return { index: job.index, messageId: null, recipients: sameForAll(job.message, 'sent') };
  }

  async taken(count: number): Promise<void> {
    while (this.#count < count) await new Promise<void>((resolve) => this.#taken.push(resolve));
  }

  release(): void {
    this.#release();
  }
}

function pendingOf({ connections }: WrapperStats): Record<string, number> {
  return Object.fromEntries(Object.entries(connections).map(([name, { pending }]) => [name, pending]));
}

test('the connection that has a mail counts it as pending until it answers', async () => {
  const held = new Held();
  class Refusing extends DummyBackend {
    protected override deliverNow(job: Job): DeliveryResult {
      return failedDelivery(job, REFUSED);
    }
  }
  const connection = failover([new Refusing(), retry(held), new DummyBackend()]);
  const sending = connection.sendMessages([MAIL, MAIL, MAIL]);
  await held.taken(3);
  expect(connection.stats().pending).toBe(3);
  expect(pendingOf(connection.stats())).toEqual({ dummy: 0, retry: 3, 'dummy-2': 0 });
  expect(held.stats().pending).toBe(3);
  held.release();
  expect((await sending).isSuccess).toBe(true);
  expect(pendingOf(connection.stats())).toEqual({ dummy: 0, retry: 0, 'dummy-2': 0 });
  expect(held.stats()).toMatchObject({ pending: 0, recipients: { sent: 3 } });
});

test('a copy that is under way counts as pending where it goes', async () => {
  const held = new Held();
  const connection = mirror(new DummyBackend(), held);
  await connection.sendMessages([MAIL]);
  await held.taken(1);
  expect(pendingOf(connection.stats())).toEqual({ dummy: 0, held: 1 });
  held.release();
  await connection.close();
  expect(pendingOf(connection.stats())).toEqual({ dummy: 0, held: 0 });
});

test('what nobody waits for any more is not pending', async () => {
  const held = new Held();
  const connection = failover([held, new DummyBackend()]);
  const results = connection.stream([MAIL, MAIL]);
  const first = results.next();
  await held.taken(1);
  const left = results.return?.();
  held.release();
  await Promise.all([first, left]);
  await connection.close();
  expect(pendingOf(connection.stats())).toEqual({ held: 0, dummy: 0 });
});
