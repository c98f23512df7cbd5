import { createTransport } from 'nodemailer';
import { describe, expect, onTestFinished, test } from 'vitest';
import { getConnection } from '../../../src/connection/connection.ts';
import { type MailboxServer, startMailbox } from '../../../src/mailbox/mailbox.ts';
import type { MailboxOptions } from '../../../src/mailbox/mailbox-options.ts';
import { redirect } from '../../../src/wrappers/redirect.ts';

const start = async (options: MailboxOptions = {}): Promise<MailboxServer> => {
  const mailbox = (await startMailbox({ port: 0, smtpPort: 0, ...options })) as MailboxServer; // the class behind the interface
  onTestFinished(() => mailbox.close());
  return mailbox;
};

// biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect of the JSON
const newest = async (mailbox: MailboxServer): Promise<any> => (await fetch(`${mailbox.url}/api/messages/wait`)).json();

describe('Nodemailer delivers', () => {
  test.each([
    ['without anything', {}, { tls: false }],
    ['with a user', { auth: { user: 'anna', pass: 'any' }, ignoreTLS: true }, { tls: false, user: 'anna' }],
    ['with STARTTLS', { requireTLS: true, tls: { rejectUnauthorized: false } }, { tls: true }],
  ])('%s', async (_, options, facts) => {
    const mailbox = await start();
    const transport = createTransport({
      host: '127.0.0.1',
      port: mailbox.smtp?.port ?? 0,
      ignoreTLS: !('requireTLS' in options),
      ...options,
    });
    onTestFinished(() => transport.close());
    await transport.sendMail({
      from: 'Jürgen <j@example.com>',
      to: 'bob@example.com',
      bcc: 'hidden@example.com',
      subject: 'Grüße',
      text: '.\nlone dot',
      attachments: [{ filename: 'ä.bin', content: Buffer.from([0, 255]) }],
      dsn: { id: 'x1', return: 'headers', notify: 'success', recipient: 'bob@example.com' },
    });
    const mail = await newest(mailbox);
    expect(mail).toMatchObject({
      subject: 'Grüße',
      from: { name: 'Jürgen' },
      via: 'smtp',
      bcc: ['hidden@example.com'],
      facts: { ...facts, RET: 'HDRS', ENVID: 'x1' },
      files: [{ filename: 'ä.bin', size: 2 }],
    });
    expect(mail.text.trim()).toBe('.\nlone dot');
  });
});

test('our own smtp backend delivers a hundred mails', async () => {
  const mailbox = await start();
  const connection = getConnection('smtp', { host: '127.0.0.1', port: mailbox.smtp?.port ?? 0 });
  const mails = Array.from({ length: 100 }, (_, index) => ({
    subject: `mail ${index}`,
    body: 'x',
    fromEmail: 'a@example.com',
    to: [`b${index}@example.com`],
  }));
  expect((await connection.sendMessages(mails)).isSuccess).toBe(true);
  await connection.close();
  const { total } = await (await fetch(`${mailbox.url}/api/messages`)).json();
  expect(total).toBe(100);
});

describe('chaos', () => {
  const send = async (chaos: MailboxOptions['chaos']) => {
    const mailbox = await start({ chaos: chaos ?? {} });
    const connection = getConnection('smtp', { host: '127.0.0.1', port: mailbox.smtp?.port ?? 0 });
    onTestFinished(() => connection.close());
    const status = await connection.sendMessages(
      [{ subject: 'x', body: 'x', fromEmail: 'a@example.com', to: ['b@example.com'] }],
      { failSilently: true },
    );
    return status.recipients.get('b@example.com');
  };

  test('refuses for good', async () => {
    expect(await send({ refuse: 100 })).toMatchObject({ status: 'rejected', code: 550, retryable: false });
  });
  test('refuses for now', async () => {
    expect(await send({ refuse: 100, refuseCode: 450 })).toMatchObject({
      status: 'failed',
      code: 450,
      retryable: true,
    });
  });
  test('cuts the connection', async () => {
    // What was pipelined behind the recipient may have been taken, for all the client knows.
    expect((await send({ drop: 100 }))?.status).toBeOneOf(['failed', 'unknown']);
  });
  test('answers late', async () => {
    const started = performance.now();
    expect(await send({ delay: 100, delayMs: 120 })).toMatchObject({ status: 'sent' });
    expect(performance.now() - started).toBeGreaterThan(110);
  });
});

describe('release', () => {
  test('sends a caught mail on, to an allowed address and nobody else', async () => {
    const outside = await start();
    const connection = getConnection('smtp', { host: '127.0.0.1', port: outside.smtp?.port ?? 0 });
    onTestFinished(() => connection.close());
    const mailbox = await start({ release: { to: ['me@example.com', '*@test.example'], connection } });
    const transport = createTransport({ host: '127.0.0.1', port: mailbox.smtp?.port ?? 0, ignoreTLS: true });
    onTestFinished(() => transport.close());
    await transport.sendMail({
      from: 'Shop <shop@example.com>',
      to: 'customer@example.com',
      subject: 'Grüße',
      text: 'text',
      html: '<img src="cid:logo">',
      attachments: [{ filename: 'logo.png', content: Buffer.from([1, 2, 3]), cid: 'logo' }],
      headers: { 'X-Campaign': 'Frühling', 'List-Unsubscribe': '<https://example.com/u/1>' },
    });
    const { id } = await newest(mailbox);
    const release = async (to: string) =>
      (
        await fetch(`${mailbox.url}/api/messages/${id}/release`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ to }),
        })
      ).json();
    for (const to of ['customer@example.com', 'x@sub.test.example', 'me@example.com, you@example.com'])
      expect(await release(to)).toMatchObject({ isSent: false });
    expect(await release('me@example.com')).toMatchObject({ isSent: true, status: { isSuccess: true } });
    expect(await release('qa@test.example')).toMatchObject({ isSent: true });
    const { messages } = await (await fetch(`${outside.url}/api/messages`)).json();
    expect(messages.map(({ envelope }: { envelope: object }) => envelope)).toEqual([
      { from: 'shop@example.com', to: ['qa@test.example'] },
      { from: 'shop@example.com', to: ['me@example.com'] },
    ]);
    expect(await newest(outside)).toMatchObject({
      subject: 'Grüße',
      files: [{ contentId: 'logo', isInline: true, size: 3 }],
    });
    const arrived = await newest(outside);
    const source = await (await fetch(`${outside.url}/api/messages/${arrived.id}/source`)).text();
    expect(source).toContain('\r\nX-Campaign: =?UTF-8?');
    expect(source).toContain('\r\nList-Unsubscribe: <https://example.com/u/1>\r\n');
    expect(source.match(/^(?:message-id|to|date|mime-version):/gim)).toHaveLength(4);
  });

  test('sends on what the mail says, and repairs no address', async () => {
    const outside = await start();
    const connection = getConnection('smtp', { host: '127.0.0.1', port: outside.smtp?.port ?? 0 });
    onTestFinished(() => connection.close());
    const mailbox = await start({ release: { to: ['me@example.com'], connection } });
    const post = async (path: string, body: object) => {
      const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
      return (await fetch(`${mailbox.url}/api/messages${path}`, init)).json();
    };
    const release = async (...lines: string[]) => {
      const source = Buffer.from(lines.join('\r\n')).toString('base64');
      const { id } = await post('', { source, envelope: { from: '', to: ['b@example.com'] } });
      return post(`/${id}/release`, { to: 'me@example.com' });
    };
    for (const header of ['From: a@good.example(x)evil.example', 'From: a@x.example\r\nFrom: b@y.example'])
      expect(await release(header, '', 'x')).toMatchObject({ isSent: false });
    expect(await release('From: a@x.example', 'Reply-To: a@good.example(x)evil.example', '', 'x')).toMatchObject({
      isSent: false,
    });
    const mail = ['From: =?utf-8?q?A=09B?= <a@x.example> (x)', 'Subject: folded', '\tline', '', 'page\fend', ''];
    expect(await release(...mail)).toMatchObject({ isSent: true });
    expect(await newest(outside)).toMatchObject({ subject: 'folded line', text: expect.stringContaining('page\fend') });
  });

  test('says why a mail was not sent on', async () => {
    const connection = redirect(getConnection('dummy'), { allow: ['nobody@example.com'] });
    const mailbox = await start({ release: { to: ['me@example.com'], connection } });
    const { id } = await (
      await fetch(`${mailbox.url}/api/messages`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          source: Buffer.from('From: a@example.com\r\n\r\nx').toString('base64'),
          envelope: { from: '', to: ['b@example.com'] },
        }),
      })
    ).json();
    const answer = await fetch(`${mailbox.url}/api/messages/${id}/release`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"to":"me@example.com"}',
    });
    expect(await answer.json()).toMatchObject({
      isSent: false,
      message: expect.stringContaining('holds back'),
      status: { isSuccess: false },
    });
  });

  test('is refused when the mailbox was started without', async () => {
    const mailbox = await start();
    const headers = { 'content-type': 'application/json' };
    const transport = createTransport({ host: '127.0.0.1', port: mailbox.smtp?.port ?? 0, ignoreTLS: true });
    onTestFinished(() => transport.close());
    await transport.sendMail({ from: 'a@example.com', to: 'b@example.com', text: 'x' });
    const { id } = await newest(mailbox);
    const answer = await fetch(`${mailbox.url}/api/messages/${id}/release`, {
      method: 'POST',
      headers,
      body: '{"to":"b@example.com"}',
    });
    expect(answer.status).toBe(403);
  });
});
