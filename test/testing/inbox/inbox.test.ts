import { AsyncResource } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { DummyBackend } from '../../../src/backends/dummy.ts';
import { defaultConnection, setDefaultConnection } from '../../../src/connection/connection.ts';
import { sendMail, sendMailSync } from '../../../src/connection/send.ts';
import { EmailConnectionError, SendError } from '../../../src/model/errors.ts';
import type { EmailMessageInit } from '../../../src/model/message-init.ts';
import { createInbox } from '../../../src/testing/inbox/inbox.ts';
import { useInbox } from '../../../src/testing/inbox/use-inbox.ts';

function mail(to: string | readonly string[], fields: Partial<EmailMessageInit> = {}): EmailMessageInit {
  return { subject: 'Hello', body: 'Thanks.', fromEmail: 'Shop <shop@example.com>', to, ...fields };
}

async function register(address: string): Promise<void> {
  await sleep(1);
  await sendMail({
    subject: 'Welcome!',
    message: 'Thanks.',
    fromEmail: 'shop@example.com',
    recipientList: [address],
  });
}

afterEach(() => {
  vi.useRealTimers();
  setDefaultConnection(null);
});

describe('a message is composed and read back', () => {
  test('addresses, subject, bodies, headers, attachments', async () => {
    const inbox = createInbox();
    const content = Uint8Array.from({ length: 256 }, (_, index) => index);
    await inbox.sendMessages([
      mail('Jürgen Müller <juergen@example.org>', {
        cc: 'cc@example.org',
        bcc: 'bcc@example.org',
        replyTo: '"Support, Team" <help@example.com>',
        subject: 'Grüße aus Köln',
        body: 'Schöne Grüße\n.\nbis bald\n',
        htmlBody: '<p>Schöne Grüße</p>',
        headers: { 'X-Order': 'Nr. 17 für Sie' },
        attachments: [{ filename: 'Rechnung Nr. 1 – März.bin', content }],
        tags: ['welcome'],
      }),
    ]);
    const message = inbox.last;
    expect(message).toMatchObject({
      from: 'Shop <shop@example.com>',
      to: ['Jürgen Müller <juergen@example.org>'],
      cc: ['cc@example.org'],
      bcc: ['bcc@example.org'],
      replyTo: ['"Support, Team" <help@example.com>'],
      recipients: ['juergen@example.org', 'cc@example.org', 'bcc@example.org'],
      subject: 'Grüße aus Köln',
      body: 'Schöne Grüße\n.\nbis bald',
      htmlBody: '<p>Schöne Grüße</p>',
      attachments: [{ filename: 'Rechnung Nr. 1 – März.bin', mimetype: 'application/octet-stream', contentId: null }],
      sent: { tags: ['welcome'] },
    });
    expect(message?.header('x-order')).toBe('Nr. 17 für Sie');
    expect(message?.header('X-None')).toBeNull();
    expect([...(message?.attachments[0]?.content ?? [])]).toEqual([...content]);
    expect(message?.source).toContain('Subject: =?');
    expect(message?.source).not.toContain('bcc@example.org');
  });

  test('a body is the same alone and beside HTML', async () => {
    const inbox = createInbox();
    await inbox.sendMessages([mail('b@x.org'), mail('b@x.org', { htmlBody: '<p>Thanks.</p>' })]);
    expect(inbox.messages.map(({ body }) => body)).toEqual(['Thanks.', 'Thanks.']);
  });

  test('templates, streams and blocking calls are taken', async () => {
    const inbox = createInbox();
    const content = new Blob(['hello']);
    await inbox.sendMessages([
      { subject: 's', fromEmail: 'a@x.org', to: 'b@x.org', templateId: 'welcome', mergeGlobalData: { name: 'Ann' } },
      mail('b@x.org', { attachments: [{ filename: 'a.txt', content }] }),
    ]);
    const status = inbox.sendMessagesSync([mail('c@x.org')]);
    expect(status.isSuccess).toBe(true);
    expect(inbox.messages.map(({ sent }) => sent.templateId)).toEqual(['welcome', null, null]);
    expect(Buffer.from(inbox.messages[1]?.attachments[0]?.content ?? []).toString()).toBe('hello');
  });

  test('the default sender is what AMSDAL_EMAIL_FROM or an option says', async () => {
    const inbox = createInbox({ defaultFrom: 'Shop <noreply@example.com>' });
    await inbox.sendMessages([{ subject: 's', body: 'b', to: 'b@x.org' } as EmailMessageInit]);
    expect(inbox.last?.from).toBe('Shop <noreply@example.com>');
  });
});

describe('looking for messages', () => {
  test('by address, field, pattern and function', async () => {
    const inbox = createInbox();
    await inbox.sendMessages([
      mail('Ann <ann@x.org>', { subject: 'One', bcc: 'archive@x.org' }),
      mail('bob@x.org', { subject: 'Two', body: 'two words', htmlBody: '<b>two</b>' }),
    ]);
    const subjects = (address: string) => inbox.to(address).map(({ subject }) => subject);
    expect(subjects('ANN@x.org')).toEqual(['One']);
    expect(subjects('archive@x.org')).toEqual(['One']);
    expect(subjects('nobody@x.org')).toEqual([]);
    expect(inbox.find({ to: /^Ann </ })?.subject).toBe('One');
    expect(inbox.find({ body: 'words', htmlBody: /<b>/, from: 'shop@example.com' })?.subject).toBe('Two');
    expect(inbox.find({ bcc: 'archive@x.org' })?.subject).toBe('One');
    expect(inbox.find({ cc: 'archive@x.org' })).toBeNull();
    expect(inbox.find({ subject: 'Tw' })).toBeNull();
    expect(inbox.find(({ subject }) => subject.length === 3)?.subject).toBe('One');
    expect(() => inbox.find({ betreff: 'One' } as object)).toThrow('there is no field betreff');
    inbox.clear();
    expect(inbox.last).toBeNull();
  });

  test('an address that was refused got nothing, although a header names it', async () => {
    const inbox = createInbox();
    inbox.refuse('no@x.org');
    const status = await inbox.sendMessages([mail(['no@x.org', 'yes@x.org'])]);
    expect(status.recipients.get('no@x.org')).toMatchObject({ status: 'invalid', code: 550, enhancedCode: '5.1.1' });
    expect(inbox.last?.to).toEqual(['no@x.org', 'yes@x.org']);
    expect(inbox.to('no@x.org')).toEqual([]);
    expect(inbox.to('yes@x.org')).toHaveLength(1);
  });

  test('waitFor has what is there, waits for what comes, and tells what came instead', async () => {
    const inbox = createInbox();
    const coming = inbox.waitFor({ to: 'late@x.org' });
    await inbox.sendMessages([mail('early@x.org'), mail('late@x.org')]);
    expect((await coming).to).toEqual(['late@x.org']);
    expect((await inbox.waitFor({ to: 'early@x.org' })).to).toEqual(['early@x.org']);
    expect((await inbox.waitFor()).to).toEqual(['early@x.org']);
    await expect(inbox.waitFor({ subject: /reset/ }, { timeoutMs: 10 })).rejects.toThrow(
      'waited 10 ms for a message with subject /reset/; sent were:\n1. "Hello" to early@x.org\n   Thanks.\n2. "Hello" to late@x.org',
    );
  });

  test('a faked clock does not keep waitFor waiting', async () => {
    vi.useFakeTimers();
    await expect(createInbox().waitFor({}, { timeoutMs: 1 })).rejects.toThrow('nothing was sent');
  });
});

describe('when something goes wrong', () => {
  test('failNext takes errors and codes, in order', async () => {
    const inbox = createInbox();
    inbox.failNext({ code: 'timeout' });
    inbox.failNext({ code: 'uncertain' });
    inbox.failNext({ code: 'throttled', message: 'slow down' });
    inbox.failNext(new SendError('quota', 'enough for today'));
    const send = () => inbox.sendMessages([mail('b@x.org')]).catch((error: unknown) => error);
    const timeout = await send();
    expect(timeout).toBeInstanceOf(EmailConnectionError);
    expect(timeout).toMatchObject({ code: 'timeout', retryable: true, outcome: 'not-sent' });
    const uncertain = await send();
    expect(uncertain).toMatchObject({ name: 'SendError', retryable: false, outcome: 'unknown' });
    expect(uncertain).toHaveProperty('status.isUncertain', true);
    expect(await send()).toMatchObject({ name: 'SendError', code: 'throttled', message: 'slow down', retryable: true });
    expect(await send()).toMatchObject({ code: 'quota' });
    expect(inbox.messages).toEqual([]);
    expect(await send()).toHaveProperty('isSuccess', true);
  });

  test('delay lets a caller time out, and nothing arrives', async () => {
    const inbox = createInbox();
    inbox.delay(60_000);
    const sending = inbox.sendMessages([mail('b@x.org')], { signal: AbortSignal.timeout(20) });
    await expect(sending).rejects.toMatchObject({ code: 'aborted', retryable: true });
    inbox.delay(1);
    await inbox.sendMessages([mail('c@x.org')]);
    expect(inbox.messages.map(({ to }) => to)).toEqual([['c@x.org']]);
  });
});

describe('useInbox', () => {
  test('200 tests at once, the same address, each sees its own mail', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 200 }, async (_, number) => {
        if (number % 2 === 0) await sleep(number % 7);
        await using inbox = useInbox();
        for (let sent = 0; sent <= number % 3; sent++) {
          await register('jane@example.org');
          await sendMail({
            subject: `Mail ${sent} of test ${number}`,
            message: 'Hi',
            fromEmail: 'shop@example.com',
            recipientList: ['jane@example.org'],
          });
        }
        setTimeout(() => void register('late@example.org'), number % 5);
        await inbox.waitFor({ to: 'late@example.org' }, { timeoutMs: 50_000 });
        return inbox.to('jane@example.org').map(({ subject }) => subject);
      }),
    );
    for (const [number, subjects] of outcomes.entries()) {
      const own = Array.from({ length: (number % 3) + 1 }, (_, sent) => ['Welcome!', `Mail ${sent} of test ${number}`]);
      expect(subjects).toEqual(own.flat());
    }
  });

  test('more at once than a connection takes stay apart, too', async () => {
    const counts = await Promise.all(
      Array.from({ length: 20 }, async (_, number) => {
        await using inbox = useInbox();
        inbox.delay(1);
        await Promise.all(Array.from({ length: 20 }, (__, index) => register(`test${number}-${index}@example.org`)));
        return inbox.messages.filter(({ recipients }) => recipients[0]?.startsWith(`test${number}-`)).length;
      }),
    );
    expect(counts).toEqual(Array.from({ length: 20 }, () => 20));
  });

  test('mail from outside every test goes to the latest inbox', async () => {
    const outside = new AsyncResource('worker');
    await using first = useInbox();
    await using second = useInbox();
    await outside.runInAsyncScope(() => register('b@x.org'));
    expect([first.messages.length, second.messages.length]).toEqual([0, 1]);
    await second.close();
    await register('c@x.org');
    expect(first.to('c@x.org')).toHaveLength(1);
  });

  test('an inbox whose test sends to that of an earlier test says so, until that one is closed', async () => {
    const earlier = useInbox();
    const flow = new AsyncResource('runner');
    await using own = useInbox();
    const look = () => flow.runInAsyncScope(() => own.last);
    expect(look).toThrow('call useInbox() in the test itself, or let afterEach close the inbox');
    await earlier.close();
    expect(look()).toBeNull();
    await flow.runInAsyncScope(() => register('b@x.org'));
    expect(look()?.to).toEqual(['b@x.org']);
  });

  test('blocking calls arrive, and closing gives the connection back', async () => {
    const before = new DummyBackend({ store: true });
    setDefaultConnection(before);
    const inbox = useInbox();
    sendMailSync({ subject: 's', message: 'b', fromEmail: 'a@x.org', recipientList: ['b@x.org'] });
    expect(inbox.messages).toHaveLength(1);
    await inbox.close();
    expect(defaultConnection()).toBe(before);
  });
});

test('a match that throws fails the one who waits, not the mail', async () => {
  const inbox = createInbox();
  const waiting = inbox.waitFor((mail) => (mail.htmlBody as string).includes('x')); // the mail has none
  const mail = { subject: 's', message: 'b', fromEmail: 'a@example.com', recipientList: ['b@example.org'] };
  const [waited, status] = await Promise.allSettled([waiting, sendMail({ connection: inbox, ...mail })]);
  expect(waited).toMatchObject({ status: 'rejected', reason: expect.any(TypeError) });
  expect(status).toMatchObject({ status: 'fulfilled', value: { isSuccess: true } });
});
