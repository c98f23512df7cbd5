import { describe, expect, test } from 'vitest';
import { deliverEach } from '../../src/backend/deliver-each.ts';
import { type DeliveryResult, type Job, sameForAll } from '../../src/backend/job.ts';
import { DummyBackend } from '../../src/backends/dummy.ts';
import { sendMail } from '../../src/connection/send.ts';
import { AfterSend, BeforeSend } from '../../src/events/mail-events.ts';
import type { EmailError } from '../../src/model/errors.ts';
import { recipientStatus } from '../../src/model/status.ts';
import { type RedirectOptions, redirect } from '../../src/wrappers/redirect.ts';

const TO = 'staging@example.net';
const mail = {
  subject: 'Hello',
  message: 'Text',
  fromEmail: 'shop@example.com',
  recipientList: ['Ann <ann@customer.org>', 'bob@example.com'],
};

const guarded = (options: RedirectOptions) => redirect(new DummyBackend({ store: true }), options);

describe('the status speaks of the original recipients', () => {
  test('they have what became of the mail to the redirect address', async () => {
    const connection = guarded({ to: TO });
    const sent = await sendMail({ ...mail, connection });
    expect([...sent.recipients.keys()]).toEqual(['ann@customer.org', 'bob@example.com']);
    expect(sent.isSuccess).toBe(true);
    connection.refuse(TO, 550, '5.1.1');
    const refused = await sendMail({ ...mail, connection, failSilently: true });
    expect(refused.recipients.get('ann@customer.org')).toMatchObject({
      status: 'invalid',
      address: 'ann@customer.org',
    });
  });

  test('the allowed ones their own, those held back that they were', async () => {
    const connection = guarded({ allow: ['example.com'] });
    const status = await sendMail({ ...mail, connection });
    expect(status.recipients.get('bob@example.com')).toMatchObject({ status: 'sent' });
    expect(status.recipients.get('ann@customer.org')).toMatchObject({ status: 'failed', code: 'cancelled' });
  });

  test('in streams and blocking calls, too', async () => {
    const connection = guarded({ to: TO, allow: ['allowed.example'] });
    const drafts = ['a@customer.org', 'b@allowed.example', 'c@customer.org'].map((address) => ({
      subject: 's',
      body: 'b',
      fromEmail: 'shop@example.com',
      to: address,
    }));
    const streamed: string[] = [];
    for await (const { recipients } of connection.stream(drafts)) streamed.push(...recipients.keys());
    expect(streamed.toSorted()).toEqual(['a@customer.org', 'b@allowed.example', 'c@customer.org']);
    const status = connection.sendMessagesSync(drafts);
    expect([...status.recipients.keys()]).toEqual(['a@customer.org', 'b@allowed.example', 'c@customer.org']);
    expect(connection.messages.map(({ to }) => to[0])).toEqual([
      TO,
      'b@allowed.example',
      TO,
      TO,
      'b@allowed.example',
      TO,
    ]);
    const heldBack = guarded({ allow: ['allowed.example'] }).sendMessagesSync(drafts);
    expect([...heldBack.recipients.values()].map(({ status: each }) => each)).toEqual(['failed', 'sent', 'failed']);
  });

  test('what is held back is told at once, and no more is read than is taken', async () => {
    const connection = guarded({ allow: ['allowed.example'] });
    let read = 0;
    let isClosed = false;
    async function* endless() {
      try {
        for (;;) yield { subject: 's', body: 'b', fromEmail: 'a@example.com', to: `${read++}@customer.org` };
      } finally {
        isClosed = true;
      }
    }
    const told: string[] = [];
    for await (const { recipients } of connection.stream(endless())) {
      told.push(...recipients.keys());
      expect(read).toBeLessThan(told.length + 5);
      if (told.length === 20) break;
    }
    expect(told).toEqual(Array.from({ length: 20 }, (_, index) => `${index}@customer.org`));
    expect(isClosed).toBe(true);
  });

  test('a stream can be left while its source is silent', async () => {
    class Parallel extends DummyBackend {
      protected override deliver(jobs: AsyncIterable<Job>): AsyncIterable<DeliveryResult> {
        const send = async ({ index, message }: Job) => ({
          index,
          messageId: null,
          recipients: sameForAll(message, 'sent'),
        });
        return deliverEach(jobs, send, 2);
      }
    }
    async function* silent() {
      yield { subject: 's', body: 'b', fromEmail: 'a@example.com', to: 'b@allowed.example' };
      await new Promise(() => {});
    }
    const seen: string[] = [];
    for await (const { recipients } of redirect(new Parallel(), { allow: ['allowed.example'] }).stream(silent())) {
      seen.push(...recipients.keys());
      break;
    }
    expect(seen).toEqual(['b@allowed.example']);
  });

  test('what was held back stays so when the backend fails after it', async () => {
    class Failing extends DummyBackend {
      protected override async *deliver(jobs: AsyncIterable<Job>): AsyncGenerator<DeliveryResult> {
        for await (const _ of jobs) throw new Error('out of order');
        yield* [];
      }
    }
    const connection = redirect(new Failing(), { allow: ['allowed.example'] });
    const drafts = ['a@customer.org', 'b@allowed.example'].map((to) => ({
      subject: 's',
      body: 'b',
      fromEmail: 'a@example.com',
      to,
    }));
    const results: (string | undefined)[] = [];
    for await (const { recipients } of connection.stream(drafts)) results.push([...recipients.values()][0]?.status);
    expect(results).toEqual(['failed', 'unknown']);
  });

  test('who was held back is not in doubt when the backend fails with the rest of the mail', async () => {
    class Failing extends DummyBackend {
      protected override async *deliver(jobs: AsyncIterable<Job>): AsyncGenerator<DeliveryResult> {
        for await (const _ of jobs) throw new Error('out of order');
        yield* [];
      }
    }
    const connection = redirect(new Failing(), { allow: ['example.com'] });
    const error = await sendMail({ ...mail, connection }).catch((thrown: unknown) => thrown);
    const statuses = [...((error as EmailError).status?.recipients.values() ?? [])];
    expect(statuses.map(({ address, status }) => [address, status])).toEqual([
      ['ann@customer.org', 'failed'],
      ['bob@example.com', 'unknown'],
    ]);
  });

  test('listeners see the mail as it was meant, and change it before the guard', async () => {
    const seen: unknown[] = [];
    const stop = [
      BeforeSend.subscribe(({ message, ...context }, next) =>
        next({ ...context, message: message.with({ cc: ['boss@customer.org'] }) }),
      ),
      AfterSend.subscribe((context, next) => {
        seen.push(context.message.to, [...context.result.recipients.keys()]);
        return next(context);
      }),
    ];
    const connection = guarded({ to: TO });
    await sendMail({ ...mail, recipientList: 'ann@customer.org', connection });
    for (const each of stop) each();
    expect(connection.messages[0]).toMatchObject({ to: [TO], cc: [] });
    expect(seen).toEqual([['ann@customer.org'], ['ann@customer.org', 'boss@customer.org']]);
  });

  test('what a backend answers of nobody known counts as unknown', async () => {
    class Garbling extends DummyBackend {
      protected override deliver(jobs: AsyncIterable<Job>): AsyncIterable<DeliveryResult> {
        return deliverEach(jobs, ({ index }) => ({
          index,
          messageId: null,
          recipients: new Map([['?', recipientStatus('?', 'sent')]]),
        }));
      }
    }
    const connection = redirect(new Garbling(), { to: TO });
    await expect(sendMail({ ...mail, connection })).rejects.toMatchObject({ outcome: 'unknown' });
  });
});
