import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { getConnection } from '../../../src/connection/connection.ts';
import { MailboxBackend } from '../../../src/mailbox/catch/mailbox-backend.ts';
import { type MailboxServer, startMailbox } from '../../../src/mailbox/mailbox.ts';
import type { MailboxOptions } from '../../../src/mailbox/mailbox-options.ts';
import { ConfigurationError } from '../../../src/model/errors.ts';
import { catchMail } from '../caught.ts';

let mailbox: MailboxServer;

const start = async (options: MailboxOptions = {}): Promise<MailboxServer> => {
  const server = (await startMailbox({ port: 0, smtpPort: null, ...options })) as MailboxServer; // the class behind the interface
  onTestFinished(() => server.close());
  return server;
};

beforeEach(async () => {
  mailbox = (await startMailbox({ port: 0, smtpPort: null })) as MailboxServer; // the class behind the interface
});
afterEach(() => mailbox.close());

// biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect of the JSON
const api = async (path: string, init?: RequestInit): Promise<any> => {
  const response = await fetch(mailbox.url + path, init);
  return { status: response.status, ...(await response.json()) };
};
const subjectsFor = async (query: string): Promise<string[]> =>
  (await api(`/api/messages?${new URLSearchParams({ query })}`)).messages.map(
    (mail: { subject: string }) => mail.subject,
  );

describe('the JSON API for tests in any language', () => {
  test('a mail is found with everything a test asks for', async () => {
    catchMail(mailbox, {
      subject: 'Grüße 👋',
      body: 'Confirm: https://example.com/confirm?token=1.',
      htmlBody: '<a href="https://example.com/confirm?token=1&amp;x=2">Confirm</a><img src="cid:logo">',
      cc: ['Carla <carla@example.com>'],
      bcc: ['dora@example.com'],
      tags: ['welcome'],
      metadata: { user: '7' },
      attachments: [
        { filename: 'a.txt', content: 'hello' },
        { filename: 'logo.png', content: new Uint8Array([1, 2, 3]), contentId: 'logo' },
      ],
    });
    const { messages, total, unread } = await api('/api/messages');
    expect({ total, unread }).toEqual({ total: 1, unread: 1 });
    const mail = await api(`/api/messages/${messages[0].id}`);
    expect(mail).toMatchObject({
      status: 200,
      subject: 'Grüße 👋',
      from: { name: 'Anna', address: 'anna@example.com' },
      to: [{ name: '', address: 'bob@example.com' }],
      cc: [{ name: 'Carla', address: 'carla@example.com' }],
      bcc: ['dora@example.com'],
      envelope: { from: 'anna@example.com', to: ['bob@example.com', 'carla@example.com', 'dora@example.com'] },
      tags: ['welcome'],
      metadata: { user: '7' },
      attachments: 1,
      via: 'backend',
      isComplete: true,
    });
    expect(mail.text.trim()).toBe('Confirm: https://example.com/confirm?token=1.');
    expect(mail.links).toEqual(['https://example.com/confirm?token=1&x=2', 'https://example.com/confirm?token=1']);
    expect(mail.files).toMatchObject([
      { filename: 'logo.png', contentId: 'logo', isInline: true, size: 3 },
      { filename: 'a.txt', isInline: false, size: 5 },
    ]);
    expect(mail.headers.some(({ name }: { name: string }) => name.toLowerCase() === 'bcc')).toBe(false);
    const text = await fetch(`${mailbox.url}/api/messages/${mail.id}/parts/${mail.files[1].path}?download`);
    expect(text.headers.get('content-disposition')).toContain('filename="a.txt"');
    expect(await text.text()).toBe('hello');
    const source = await (await fetch(`${mailbox.url}/api/messages/${mail.id}/source?download`)).text();
    expect(source).toContain('Message-ID:');
    const { checks } = await api(`/api/messages/${mail.id}/checks`);
    expect(checks.map(({ id }: { id: string }) => id)).toEqual(['unsubscribe-missing', 'image-alt', 'image-size']);
  });

  test('wait answers at once when the mail is there, as soon as it comes, or with 408', async () => {
    catchMail(mailbox, { subject: 'there', to: ['there@example.com'] });
    expect((await api('/api/messages/wait?to=there@example.com')).subject).toBe('there');

    const coming = api('/api/messages/wait?to=later@example.com&subject=code&timeout=15000');
    catchMail(mailbox, { subject: 'another', to: ['later@example.com'] });
    catchMail(mailbox, { subject: 'Your code', to: ['later@example.com'] });
    expect((await coming).subject).toBe('Your code');

    const never = await api('/api/messages/wait?to=never@example.com&timeout=20');
    expect(never).toMatchObject({ status: 408, error: { code: 'timeout' } });
    const since = new Date(Date.now() + 60_000).toISOString();
    expect(await api(`/api/messages/wait?since=${since}&timeout=20`)).toMatchObject({ status: 408 });
    expect(await api('/api/messages/wait?since=soon')).toMatchObject({ status: 400 });
  });

  test('wait finds a subject with quotation marks', async () => {
    catchMail(mailbox, { subject: 'Your order "Blue" -x' });
    const query = new URLSearchParams({ subject: 'order "blue" -', timeout: '1' });
    expect((await api(`/api/messages/wait?${query}`)).subject).toBe('Your order "Blue" -x');
  });

  test('a whole address in to= and from= means that one only', async () => {
    catchMail(mailbox, { subject: 'Ann', to: ['Ann@x.org'], fromEmail: 'shop@example.com' });
    catchMail(mailbox, {
      subject: 'Joann',
      to: ['joann@x.org'],
      bcc: ['ann+tag@x.org'],
      fromEmail: 'e-shop@example.com',
    });
    const subjectOf = async (query: string): Promise<string> =>
      (await api(`/api/messages/wait?timeout=1&${query}`)).subject;
    expect(await subjectOf('to=ann@x.org')).toBe('Ann');
    expect(await subjectOf('from=Shop@example.com')).toBe('Ann');
    expect(await subjectOf('to=ann+tag@x.org')).toBe('Joann');
    expect(await subjectOf('to=ann%2Btag@x.org')).toBe('Joann');
    expect(await subjectOf('to=ann')).toBe('Joann');
    expect(await subjectOf('to=@x.org')).toBe('Joann');
    expect(await subjectOf('to=ann@')).toBe('Joann');
    expect(await subjectOf('to=Ann%20%3Cann@x.org%3E')).toBe('Ann');
    expect(await api('/api/messages?to=ann@x.or')).toMatchObject({ total: 0 });
  });

  test.each([
    ['from:anna', ['two', 'one']],
    ['from:carl', ['three']],
    ['to:bob', ['two', 'one']],
    ['to:hidden@example.com', ['two']],
    ['subject:"on"', ['one']],
    ['has:attachment', ['three']],
    ['-has:attachment tag:shop', ['one']],
    ['is:unread', ['three', 'two', 'one']],
    ['needle', ['two']],
    ['https://example.com/x', ['one']],
    ['from:anna -one', ['two']],
    ['nothing fits', []],
    ['', ['three', 'two', 'one']],
  ])('the search %s', async (query, subjects) => {
    catchMail(mailbox, { subject: 'one', tags: ['shop'], body: 'see https://example.com/x' });
    catchMail(mailbox, { subject: 'two', bcc: ['hidden@example.com'], body: 'a Needle in it' });
    catchMail(mailbox, {
      subject: 'three',
      fromEmail: 'Carl <carl@example.com>',
      to: ['eva@example.com'],
      attachments: [{ filename: 'a.txt', content: 'x' }],
    });
    expect(await subjectsFor(query)).toEqual(subjects);
  });

  test('pages of the list follow each other', async () => {
    for (let index = 0; index < 5; index += 1) catchMail(mailbox, { subject: `mail ${index}` });
    const first = await api('/api/messages?limit=2');
    const second = await api(`/api/messages?limit=2&before=${first.messages[1].id}`);
    expect([...first.messages, ...second.messages].map(({ subject }) => subject)).toEqual([
      'mail 4',
      'mail 3',
      'mail 2',
      'mail 1',
    ]);
    expect(second.total).toBe(5);
  });

  test('mails are marked read, deleted one by one, by search and all', async () => {
    for (const subject of ['one', 'two', 'three']) catchMail(mailbox, { subject });
    const [newest] = (await api('/api/messages')).messages;
    const isRead = JSON.stringify({ isRead: true });
    const headers = { 'content-type': 'application/json' };
    expect(await api(`/api/messages/${newest.id}/read`, { method: 'PUT', headers, body: isRead })).toMatchObject({
      status: 200,
    });
    expect((await api('/api/messages')).unread).toBe(2);
    expect(await api(`/api/messages/${newest.id}`, { method: 'DELETE' })).toEqual({ status: 200, removed: 1 });
    expect(await api(`/api/messages/${newest.id}`)).toMatchObject({ status: 404 });
    expect(await api('/api/messages?query=one', { method: 'DELETE' })).toEqual({ status: 200, removed: 1 });
    expect(await subjectsFor('')).toEqual(['two']);
    expect(await api('/api/messages', { method: 'DELETE' })).toEqual({ status: 200, removed: 1 });
  });

  test.each([
    ['/api/messages?limit=x', 'GET', undefined, 400],
    ['/api/messages/nope', 'GET', undefined, 404],
    ['/api/messages/nope', 'DELETE', undefined, 404],
    ['/api/nope', 'GET', undefined, 404],
    ['/page/../../../package.json', 'GET', undefined, 404],
    ['/api/chaos', 'PUT', '{"refuse":101}', 400],
    ['/api/chaos', 'PUT', '{"explode":1}', 400],
    ['/api/chaos', 'PUT', 'no json', 400],
    ['/api/messages', 'POST', '{}', 400],
    ['/api/messages', 'POST', '{"source":"eA==","envelope":{"from":"a","to":"b"}}', 400],
  ])('%s %s %s is answered with %d', async (path, method, body, status) => {
    const headers = { 'content-type': 'application/json' };
    const answer = await api(path, { method, headers, ...(body === undefined ? {} : { body }) });
    expect(answer).toMatchObject({ status, error: { message: expect.any(String) } });
  });
});

describe('what is kept', () => {
  test.each([
    ['so many mails', { maxMessages: 3 }],
    ['so many bytes', { maxBytes: 1200 }],
  ])('%s, then the oldest give way', async (_, limits) => {
    mailbox = await start(limits);
    for (let index = 0; index < 6; index += 1) catchMail(mailbox, { subject: `mail ${index}` });
    const kept = await subjectsFor('');
    expect(kept.length).toBeLessThan(6);
    expect(kept[0]).toBe('mail 5');
  });

  test('a folder keeps them for the next start, with what is not in them', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mailbox-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const first = await start({ folder });
    catchMail(first, { subject: 'kept', tags: ['t'], bcc: ['hidden@example.com'] });
    catchMail(first, { subject: 'deleted' });
    mailbox = first;
    await api('/api/messages?query=deleted', { method: 'DELETE' });
    expect(readdirSync(folder).map((name) => name.replace(/.*\./, ''))).toEqual(['eml', 'json']);
    await first.close();
    mailbox = await start({ folder });
    const { messages } = await api('/api/messages');
    expect(messages).toMatchObject([{ subject: 'kept', tags: ['t'], bcc: ['hidden@example.com'] }]);
  });

  test.each([
    [{ port: -1 }, /port/],
    [{ smtpPort: 70_000 }, /smtpPort/],
    [{ maxMessages: 0 }, /maxMessages/],
    [{ chaos: { refuse: 900 } }, /chaos: refuse is a percentage/],
  ])('%j is refused', async (options, message) => {
    await expect(startMailbox({ smtpPort: null, port: 0, ...options })).rejects.toThrow(message);
  });

  test('a mail that is too large is refused, whichever way it comes', async () => {
    mailbox = await start({ maxSize: 1000 });
    expect(() => catchMail(mailbox, { body: 'x'.repeat(1000) })).toThrow(
      expect.objectContaining({ name: 'SendError', code: 'too-large', outcome: 'not-sent' }),
    );
    const connection = getConnection(MailboxBackend, { port: Number(new URL(mailbox.url).port) });
    const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    onTestFinished(() => said.mockRestore());
    for (const size of [1000, 2_000_000]) {
      const message = { subject: 'x', body: 'x'.repeat(size), fromEmail: 'a@example.com', to: ['b@example.com'] };
      await expect(connection.sendMessages([message])).rejects.toMatchObject({
        code: 'too-large',
        outcome: 'not-sent',
      });
    }
    expect(await api('/api/messages')).toMatchObject({ total: 0 });
  });

  test('a port that is taken is told with what to do', async () => {
    const port = Number(new URL(mailbox.url).port);
    await expect(startMailbox({ port, smtpPort: null })).rejects.toThrow(/port \d+ is taken.*choose another port/);
  });
});

test('a damaged file in the folder is named, and the others are there', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mailbox-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const first = await start({ folder });
  catchMail(first, { subject: 'damaged' });
  const [json = ''] = readdirSync(folder).filter((name) => name.endsWith('.json'));
  catchMail(first, { subject: 'whole' });
  await first.close();
  writeFileSync(join(folder, json), '{"envelope":{"from":"","to":[]}}');
  const warning = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  onTestFinished(() => warning.mockRestore());

  const second = await start({ folder });
  const { messages } = await (await fetch(`${second.url}/api/messages`)).json();
  expect(messages).toMatchObject([{ subject: 'whole' }, { subject: 'damaged' }]);
  expect(warning).toHaveBeenCalledExactlyOnceWith(expect.stringContaining(join(folder, json)), {
    code: 'AMSDAL_MAIL_MAILBOX',
  });
});

describe('what it cannot start with is told in a line', () => {
  test('a folder that is a file', async () => {
    const wrong = { port: 0, smtpPort: null, folder: import.meta.filename };
    const error = await startMailbox(wrong).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(String(error)).toMatch(/mailbox: the folder .* cannot be used: .*$/);
  });

  test('a key that is none', async () => {
    const tls = { key: 'x', cert: 'x' };
    const starting = startMailbox({ port: 0, smtpPort: 0, tls });
    await expect(starting).rejects.toThrow(ConfigurationError);
    await expect(starting).rejects.toThrow(/key and certificate of tls cannot be used/);
  });
});
