import { afterEach, beforeEach, expect, test } from 'vitest';
import type { DeliveryContext, Job } from '../../src/backend/job.ts';
import { DummyBackend } from '../../src/backends/dummy.ts';
import { SmtpBackend } from '../../src/backends/smtp.ts';
import { failover, retry } from '../../src/connection/wrappers.ts';
import { SendError } from '../../src/model/errors.ts';
import { ScriptedSmtpServer } from '../../src/testing/server/scripted-smtp-server.ts';

const mails = ['ann@example.org', 'bob@example.org', 'cas@example.org'].map((to) => ({
  subject: 'Hello',
  body: 'Thanks.',
  fromEmail: 'shop@example.com',
  to,
}));

let server: ScriptedSmtpServer;

beforeEach(async () => {
  server = await ScriptedSmtpServer.start();
});
afterEach(() => server.close());

test("a server that is silent past its connection's deadline: what had not left goes on, and nothing keeps close", async () => {
  server.on('message', { delayMs: 3_600_000 });
  const smtp = new SmtpBackend({ host: server.host, port: server.port, deadlineMs: 1_000, maxConnections: 1 });
  const connection = failover([smtp, new DummyBackend()]);
  await connection.open(); // loads what delivers
  const status = await connection.sendMessages(mails);
  await connection.close();
  const told = status.results.flatMap(({ recipients }) => [...recipients.values()]);
  // The first mail to a server goes alone: the others wait for it.
  const story = server.connections.flatMap(({ transcript }) => transcript).join('\n');
  expect(
    told.map(({ status: is, via }) => `${is} via ${via}`),
    story,
  ).toEqual(['unknown via smtp', 'sent via dummy', 'sent via dummy']);
});

/** Takes nothing before it is told to, as one whose engine is still to be loaded. */
class Late extends DummyBackend {
  begin = (): void => {};
  readonly #begun = new Promise<void>((resolve) => {
    this.begin = resolve;
  });

  protected override async *deliver(jobs: AsyncIterable<Job>, context: DeliveryContext) {
    await this.#begun;
    yield* super.deliver(jobs, context);
  }
}

test('what a connection has not even taken at its deadline goes on, and the connection does not get it later', async () => {
  const late = new Late({ store: true, deadlineMs: 20 });
  const connection = failover([late, new DummyBackend()]);
  const status = await connection.sendMessages(mails);
  late.begin();
  await connection.close();
  expect([...status.recipients.values()].map(({ status: is, via }) => `${is} via ${via}`)).toEqual(
    mails.map(() => 'sent via dummy-2'),
  );
  expect(late.messages).toEqual([]);
});

test('a wrapper that waits for its next try when the time ends that the one around it gives: the mail goes on', async () => {
  const busy = new DummyBackend({ store: true });
  for (const _ of mails) busy.failNext(new SendError('temporary', 'try later', { retryable: true }));
  const connection = failover([retry(busy, { baseMs: 60_000, deadlineMs: 50 }), new DummyBackend()]);
  const status = await connection.sendMessages(mails);
  await connection.close();
  expect([...status.recipients.values()].map(({ status: is, via }) => `${is} via ${via}`)).toEqual(
    mails.map(() => 'sent via dummy'),
  );
  expect(busy.messages).toEqual([]);
});
