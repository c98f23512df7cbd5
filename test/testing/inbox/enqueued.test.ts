import { afterEach, describe, expect, test, vi } from 'vitest';
import { getConnection, setDefaultConnection } from '../../../src/connection/connection.ts';
import { memoryStore, Outbox } from '../../../src/connection/outbox.ts';
import { sendMail } from '../../../src/connection/send.ts';
import { links } from '../../../src/testing/codes.ts';
import { enqueued } from '../../../src/testing/inbox/enqueued.ts';
import { expectMail } from '../../../src/testing/inbox/expect-mail.ts';
import { createInbox } from '../../../src/testing/inbox/inbox.ts';
import { mailMatchers } from '../../../src/testing/vitest.ts';

expect.extend(mailMatchers);

const HOUR = 3_600_000;
const WELCOME = {
  subject: 'Welcome!',
  body: 'Confirm: https://shop.example/confirm?t=1',
  fromEmail: 'Shop <shop@example.com>',
  to: 'Jane <jane@example.org>',
};

/** What a product's test has: an outbox in memory, before an inbox, with a clock that it moves. */
function setUp() {
  let now = Date.UTC(2026, 11, 1, 9);
  const inbox = createInbox();
  const outbox = new Outbox({ store: memoryStore({ now: () => now }), connection: inbox });
  const advance = (ms: number) => {
    now += ms;
  };
  return { inbox, outbox, advance, at: (ms: number) => new Date(now + ms) };
}

afterEach(() => {
  vi.useRealTimers();
});

describe('a product’s test of an outbox', () => {
  test('what is enqueued and what is sent are seen apart', async () => {
    const { inbox, outbox } = setUp();
    await outbox.enqueue(WELCOME, { idempotencyKey: 'welcome-7' });
    await expect(outbox).toHaveEnqueued({ to: 'jane@example.org', lane: 'transactional', idempotencyKey: 'welcome-7' });
    expect(inbox).toHaveSentNothing();
    const [waiting] = await enqueued(outbox);
    expect(waiting).toHaveLink(/confirm/);
    expect(waiting?.entry).toMatchObject({ state: 'queued', tries: 0 });

    await outbox.flush();
    expect(inbox).toHaveSent({ to: 'jane@example.org', subject: 'Welcome!' });
    await expect(outbox).not.toHaveEnqueued();
    expect(inbox.last?.header('message-id')).toBe(waiting?.header('message-id'));
    expect(inbox.messages.flatMap(links)).toEqual(['https://shop.example/confirm?t=1']);
  });

  test('time passes when the test says so: sendAt', async () => {
    const { inbox, outbox, advance, at } = setUp();
    const sendAt = at(72 * HOUR);
    await outbox.enqueue({ ...WELCOME, subject: 'Still there?' }, { sendAt, lane: 'bulk' });
    await expect(outbox).toHaveEnqueued({ sendAt, lane: /^bulk$/ });
    await expect(outbox).not.toHaveEnqueued({ sendAt: at(HOUR) });
    await outbox.flush();
    expect(inbox).toHaveSentNothing();
    advance(72 * HOUR);
    await outbox.flush();
    expect(inbox).toHaveSentTimes(1);
  });

  test('time passes when the test says so: another try', async () => {
    const { inbox, outbox, advance } = setUp();
    inbox.failNext({ code: 'temporary' });
    await outbox.enqueue(WELCOME);
    expect(await outbox.flush()).toMatchObject({ sent: 0, retried: 1 });
    await expect(outbox).toHaveEnqueued((message) => message.entry.tries === 1);
    advance(HOUR);
    expect(await outbox.flush()).toMatchObject({ sent: 1 });
    expect(inbox).toHaveSentTimes(1);
  });

  test('those who have got it are no recipients of what waits', async () => {
    const { inbox, outbox } = setUp();
    inbox.refuse('bob@example.org', 450);
    await outbox.enqueue({ ...WELCOME, to: ['jane@example.org', 'bob@example.org'] });
    await outbox.flush();
    await expect(outbox).toHaveEnqueued({ to: 'bob@example.org' });
    await expect(outbox).not.toHaveEnqueued({ to: 'jane@example.org' });
  });

  test.each(['Date', 'all timers'])('the runner’s own clock will do, too: fake %s', async (what) => {
    const inbox = createInbox();
    const outbox = new Outbox({ store: memoryStore(), connection: inbox });
    vi.useFakeTimers(what === 'Date' ? { toFake: ['Date'] } : {});
    await outbox.enqueue(WELCOME, { sendAt: new Date(Date.now() + HOUR) });
    await outbox.flush();
    expect(inbox).toHaveSentNothing();
    vi.setSystemTime(Date.now() + HOUR);
    await outbox.flush();
    expect(inbox).toHaveSentTimes(1);
  });

  test('code that knows only sendMail: its default connection is the outbox', async () => {
    const inbox = createInbox();
    const connection = getConnection('outbox', { store: memoryStore(), connection: inbox });
    const restore = setDefaultConnection(connection);
    const outbox = await connection.outbox();
    const { subject, body: message, fromEmail, to } = WELCOME;
    const status = await sendMail({ subject, message, fromEmail, recipientList: [to] });
    expect(status.recipients.get('jane@example.org')?.status).toBe('queued');
    await expect(outbox).toHaveEnqueued({ to: 'jane@example.org' });
    await outbox.flush();
    expect(inbox).toHaveSentTimes(1);
    restore();
  });
});

describe('toHaveEnqueued', () => {
  const failureOf = (assertion: Promise<unknown>): Promise<string> =>
    assertion.then(
      () => expect.fail('it passed'),
      (error: Error) => error.message,
    );

  test('tells what waits instead', async () => {
    const { outbox } = setUp();
    expect(await failureOf(expectMail(outbox).toHaveEnqueued({ to: 'bob@example.org' }))).toBe(
      'expected to have enqueued a message with to "bob@example.org"; nothing was enqueued',
    );
    await outbox.enqueue(WELCOME);
    const told = await failureOf(expect(outbox).toHaveEnqueued({ lane: 'bulk' }));
    expect(told).toContain('expected to have enqueued a message with lane "bulk"; enqueued was:');
    expect(told).toContain('1. "Welcome!" to jane@example.org, lane "transactional", due 2026-12-01T09:00:00.000Z');
    expect(await failureOf(expectMail(outbox).not.toHaveEnqueued())).toContain('expected not to have enqueued');
    await expectMail(outbox).toHaveEnqueued({ subject: 'Welcome!' });
  });

  test.each([
    [/Welcome/, 'a match is fields or a function'],
    [null, 'a match is fields or a function'],
    [{ lane: 7 }, 'lane is a text or a pattern, not 7'],
    [{ sendAt: '2026' }, 'sendAt is a Date, not "2026"'],
    [{ recipient: 'x' }, 'there is no field recipient'],
  ])('a mistake in a match is no failure that not hides: %s', async (match, message) => {
    const { outbox } = setUp();
    await expect(expectMail(outbox).not.toHaveEnqueued(match as object)).rejects.toThrow(message);
  });

  test('an inbox is no outbox, and the connection is not the outbox either', async () => {
    const connection = getConnection('outbox', { store: memoryStore(), connection: 'dummy' });
    for (const other of [createInbox(), connection, null]) {
      await expect(expectMail(other as Outbox | null).not.toHaveEnqueued()).rejects.toThrow('expected an outbox');
    }
  });
});
