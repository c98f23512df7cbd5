import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type ParsedMail, simpleParser } from 'mailparser';
import { createTransport, type SendMailOptions } from 'nodemailer';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { amsdalTransport, type NodemailerInfo } from '../../src/adapters/nodemailer.ts';
import { SmtpBackend } from '../../src/backends/smtp.ts';
import { MessageError, SendError } from '../../src/model/errors.ts';
import { ScriptedSmtpServer } from '../../src/testing/server/scripted-smtp-server.ts';

const BASE = { from: 'Fred Foo <fred@example.com>', to: 'bar@example.org', subject: 'Hello', text: 'Hello world?' };
const ICS = 'BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n';

let server: ScriptedSmtpServer;
let connection: SmtpBackend;
let folder = '';
beforeAll(async () => {
  server = await ScriptedSmtpServer.start({ extensions: ['DSN', 'ENHANCEDSTATUSCODES', 'PIPELINING'] });
  connection = new SmtpBackend({ host: '127.0.0.1', port: server.port });
  folder = mkdtempSync(join(tmpdir(), 'nodemailer-'));
  writeFileSync(join(folder, 'notes.txt'), 'from the file');
});
afterAll(async () => {
  await connection.close();
  await server.close();
  rmSync(folder, { recursive: true });
});
afterEach(() => server.reset());

const send = (mail: SendMailOptions, defaults?: SendMailOptions): Promise<NodemailerInfo> =>
  createTransport(amsdalTransport(connection), defaults).sendMail(mail);

/** The mail as it arrived, last. */
async function arrived(): Promise<ParsedMail> {
  return simpleParser(Buffer.from(server.messages.at(-1)?.bytes ?? []));
}

/** What a reader sees of a mail, and whom it went to, however it was encoded. */
async function seen(): Promise<object> {
  const {
    subject,
    from,
    to,
    cc,
    bcc,
    replyTo,
    date,
    messageId,
    inReplyTo,
    references,
    text,
    html,
    attachments,
    headers,
  } = await arrived();
  const lists = [to, cc, bcc].map((list) => [list ?? []].flat().map((each) => each.text));
  const { rcptTo = [], mailFrom = null } = server.messages.at(-1)?.envelope ?? {};
  const custom = [...headers].filter(
    ([name]) => /^(?:x-|list|otp-token|auto-|importance)/.test(name) && name !== 'x-msmail-priority',
  );
  return {
    ...{
      subject,
      from: from?.text,
      lists,
      replyTo: replyTo?.text,
      date: date?.getTime(),
      messageId,
      inReplyTo,
      references,
    },
    ...{ text: text?.trim(), html: html === false ? null : html.trim() },
    attachments: attachments.map(({ filename, contentType, content, cid }) => ({
      filename,
      contentType,
      content: content.toString(),
      cid,
    })),
    custom: Object.fromEntries(custom.map(([name, value]) => [name, name === 'x-priority' ? String(value)[0] : value])),
    envelope: [mailFrom, ...rcptTo.toSorted()],
  };
}

describe('a mail arrives as over a transport of Nodemailer', () => {
  const mails: Record<string, () => SendMailOptions> = {
    text: () => ({}),
    'html alone': () => ({ text: '', html: '<b>Grüße</b>' }),
    'several recipients in one string, a name with a comma, a group': () => ({
      to: '"Doe, Jane" <jane@example.org>, bob@example.org, Team: ann@example.org, eve@example.org;',
      cc: ['carl@example.org', { name: 'Zoë', address: 'zoe@bücher.example' }],
      bcc: 'secret@example.org',
      replyTo: 'Desk <desk@example.com>, second@example.com',
    }),
    'recipients among the headers': () => ({
      to: '',
      headers: { To: 'bar@example.org', 'Reply-To': 'desk@example.com' },
    }),
    'an envelope of its own': () => ({
      envelope: { from: 'bounces@example.com', to: ['bar@example.org', 'more@example.org'] },
    }),
    'the null sender': () => ({ envelope: { from: '', to: 'bar@example.org' } }),
    'attachments: text, bytes, base64, a stream, a file, a data URL, nothing': () => ({
      attachments: [
        { filename: 'text.txt', content: 'grüße' },
        { filename: 'bytes.bin', content: Buffer.from([0, 1, 2, 255]) },
        { filename: 'base64.txt', content: 'aGVsbG8=', encoding: 'base64' },
        { filename: 'hex.txt', content: '68656c6c6f', encoding: 'hex' },
        { filename: 'stream.txt', content: Readable.from(['a ', 'stream']) },
        { path: join(folder, 'notes.txt') },
        { filename: 'other.txt', content: { path: join(folder, 'notes.txt') } },
        { filename: 'data.txt', path: 'data:text/plain;base64,aGVsbG8=' },
        { filename: 'empty.txt', content: '' },
        { content: 'no name', contentType: 'text/x-notes' },
      ],
    }),
    'one attachment that is in no list': () => ({ attachments: { filename: 'a.txt', content: 'alone' } as never }),
    'an inline image': () => ({
      html: '<img src="cid:logo@example.com">',
      attachments: [{ filename: 'logo.png', content: Buffer.from('png'), cid: 'logo@example.com' }],
    }),
    'a data image of the html': () => ({
      html: '<img src="cid:logo">',
      attachments: [{ path: 'data:image/png;base64,cG5n', cid: 'logo' }],
    }),
    'texts from a file, a stream and bytes': () => ({
      text: { path: join(folder, 'notes.txt') },
      html: Readable.from(['<b>stream</b>']),
      alternatives: [{ contentType: 'text/x-web-markdown', content: Buffer.from('**bytes**') }],
    }),
    'amp and watch-html': () => ({ html: '<b>html</b>', amp: '<html ⚡4email></html>', watchHtml: '<b>watch</b>' }),
    'headers as record': () => ({
      headers: { 'X-One': 'one', 'X-Number': '2', 'Auto-Submitted': 'auto-generated', 'X-Empty': '' },
    }),
    'headers as list, prepared and folded': () => ({
      headers: [
        { key: 'X-One', value: 'one' },
        { key: 'X-Two', value: { prepared: true, value: 'folded\r\n here' } },
      ],
    }),
    thread: () => ({
      messageId: '<one@example.com>',
      inReplyTo: '<zero@example.com>',
      references: ['<first@example.com>', '<zero@example.com>'],
      date: '2026-11-22T10:00:00Z',
    }),
    'thread as text, date as Date': () => ({
      messageId: 'two@example.com',
      references: '<first@example.com> <zero@example.com>',
      date: new Date('2026-11-22T10:00:00Z'),
    }),
    'priority high': () => ({ priority: 'high' }),
    'priority low': () => ({ priority: 'low' }),
    'priority normal': () => ({ priority: 'normal' }),
    list: () => ({
      list: {
        help: 'admin@example.com?subject=help',
        unsubscribe: [[{ url: 'https://example.com/u', comment: 'Bye' }, 'unsubscribe@example.com']],
        id: { url: 'list.example.com', comment: 'My list' },
      },
    }),
    'xMailer and otp': () => ({ xMailer: 'Shop 1', otp: { code: '123456', origin: 'https://shop.example' } }),
    'an empty mail': () => ({ text: undefined, subject: '' }),
  };

  test.each(Object.entries(mails))('%s', async (_, mail) => {
    const id = { messageId: '<id@example.com>', date: '2026-11-22T09:00:00Z' };
    const theirs = createTransport({ host: '127.0.0.1', port: server.port, ignoreTLS: true });
    await theirs.sendMail({ ...BASE, ...id, ...mail() });
    const expected = await seen();
    const info = await send({ ...BASE, ...id, ...mail() });
    expect(await seen()).toEqual(expected);
    expect(server.messages).toHaveLength(2);
    expect(info).toMatchObject({ rejected: [], pending: [], response: expect.stringMatching(/^250 2\.0\.0 /) });
  });

  test.each([
    ['text', ICS, 'REQUEST'],
    ['with a method', { content: ICS, method: 'request' }, 'REQUEST'],
    ['from a file', () => ({ path: join(folder, 'invite.ics') }), 'REQUEST'],
  ])('icalEvent: %s', async (_, icalEvent, method) => {
    writeFileSync(join(folder, 'invite.ics'), ICS);
    await send({ ...BASE, icalEvent: typeof icalEvent === 'function' ? icalEvent() : icalEvent });
    const raw = Buffer.from(server.messages[0]?.bytes ?? []).toString();
    expect(raw).toMatch(new RegExp(`Content-Type: text/calendar;[^\\r]*(?:\\r\\n )?[^\\r]*method=${method}`));
    const files = (await arrived()).attachments.map(({ filename, content }) => [filename, content.toString()]);
    expect(files).toContainEqual(['invite.ics', ICS]);
  });

  test('attachDataUrls: the images of the html are inline, also those in styles, which Nodemailer leaves', async () => {
    const [png, gif] = ['data:image/png;base64,cG5n', 'data:image/gif;base64,Z2lm'];
    const html = `<img src="${png}"><td background="${gif}"><p style="background:url(${gif})">`;
    await send({ ...BASE, html, attachDataUrls: true });
    const { attachments, html: shown } = await simpleParser(Buffer.from(server.messages[0]?.bytes ?? []), {
      skipImageLinks: true,
    });
    const [first, second] = attachments.map(({ cid }) => `cid:${cid}`);
    expect(shown).toBe(`<img src="${first}"><td background="${second}"><p style="background:url(${second})">`);
    expect(attachments.map(({ content, contentType, related }) => [content.toString(), contentType, related])).toEqual([
      ['png', 'image/png', true],
      ['gif', 'image/gif', true],
    ]);
    await send({ ...BASE, html });
    expect((await arrived()).html).toBe(html);
  });

  test('icalEvent: a file name of its own', async () => {
    await send({ ...BASE, icalEvent: { content: ICS, filename: 'party.ics' } });
    expect((await arrived()).attachments.map(({ filename }) => filename)).toContain('party.ics');
    expect((await arrived()).attachments.map(({ filename }) => filename)).not.toContain('invite.ics');
  });

  test('what was read is not written into the lists of the caller', async () => {
    const attachments = [
      { filename: 'text.txt', content: Buffer.from('bytes') },
      { content: 'x', filename: false as const },
    ];
    await send({ ...BASE, attachments });
    expect(attachments[0]).toEqual({ filename: 'text.txt', content: Buffer.from('bytes') });
    expect((await arrived()).attachments.map(({ filename }) => filename)).toEqual(['text.txt', undefined]);
  });

  test('DSN and REQUIRETLS go to the connection', async () => {
    const dsn = { id: 'id-1', return: 'headers', notify: ['failure', 'delay'], recipient: 'orig@example.org' };
    await send({ ...BASE, dsn });
    expect(server.commands).toContain('MAIL FROM:<fred@example.com> RET=HDRS ENVID=id-1');
    expect(server.commands).toContain('RCPT TO:<bar@example.org> NOTIFY=FAILURE,DELAY ORCPT=rfc822;orig@example.org');
    await send({ ...BASE, dsn: { ret: 'body', notify: 'never' } });
    expect(server.commands).toContain('RCPT TO:<bar@example.org> NOTIFY=NEVER');
    await expect(send({ ...BASE, requireTLSExtensionEnabled: true })).rejects.toMatchObject({
      code: 'requiretls-unavailable',
    });
  });
});

describe('what a mail of ours cannot say is refused, and nothing is sent', () => {
  test.each<[string, SendMailOptions, string]>([
    ['raw', { raw: 'Subject: x\r\n\r\ny' }, 'raw'],
    ['auth', { auth: { user: 'a', pass: 'b' } }, 'auth'],
    ['ses', { ses: { ConfigurationSetName: 'x' } }, 'ses'],
    ['dkim', { dkim: { domainName: 'a.example', keySelector: 's', privateKey: 'k' } }, 'dkim'],
    ['another sender', { sender: 'other@example.com' }, 'sender'],
    ['several From', { from: 'a@example.com, b@example.com' }, 'from'],
    ['a header twice', { headers: { 'X-A': ['1', '2'] } }, 'headers.X-A'],
    ['headers of a part', { attachments: [{ content: 'x', headers: { 'X-A': '1' } }] }, 'attachments[0].headers'],
    ['a raw part', { alternatives: [{ raw: 'x' }] }, 'alternatives[0].raw'],
    [
      'a name of an alternative',
      { alternatives: [{ content: 'x', filename: 'a.txt', contentType: 'text/plain' }] },
      'alternatives[0].filename',
    ],
    [
      'inline without cid',
      { attachments: [{ content: 'x', contentDisposition: 'inline' }] },
      'attachments[0].contentDisposition',
    ],
    ['an envelope without a recipient', { envelope: { from: 'a@example.com', to: 'x@example.org' } }, 'envelope.to'],
  ])('%s', async (_, mail, path) => {
    const error: unknown = await send({ ...BASE, ...mail }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(MessageError);
    expect(error).toMatchObject({ code: 'unsupported-feature', issues: [{ path, code: 'unsupported' }] });
    expect(server.commands).toEqual([]);
  });

  test.each<[string, SendMailOptions, string]>([
    ['a recipient that is none', { to: 'bar@example.org, nonsense' }, 'to[1]'],
    ['a date that is none', { date: 'tomorrow' }, 'date'],
    ['a Message-ID that is none', { messageId: 'none' }, 'messageId'],
    [
      'bytes that are no text',
      {
        html: Buffer.from([0xff, 0xfe]) as never,
        alternatives: [{ content: Buffer.from([0xff]), contentType: 'text/x-a' }],
      },
      'alternatives[0]',
    ],
    ['a file name with folders', { attachments: [{ filename: 'a/b.txt', content: 'x' }] }, 'attachments[0].filename'],
    [
      'a method that is not the calendar’s',
      { icalEvent: { content: ICS, method: 'CANCEL' } },
      'alternatives[0].mimetype',
    ],
    ['an unknown DSN', { dsn: { notify: 'sometimes' } }, 'dsn.notify'],
  ])('%s', async (_, mail, path) => {
    const error: unknown = await send({ ...BASE, ...mail }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'invalid-message', issues: [expect.objectContaining({ path })] });
    expect(server.messages).toEqual([]);
  });

  test('signing and stream plugins of the transporter', async () => {
    const signing = createTransport(amsdalTransport(connection));
    Object.assign(signing, { dkim: {} });
    await expect(signing.sendMail(BASE)).rejects.toMatchObject({ issues: [{ path: 'dkim' }] });
    const plugged = createTransport(amsdalTransport(connection));
    plugged.use('stream', (_mail, done) => done());
    await expect(plugged.sendMail(BASE)).rejects.toMatchObject({ issues: [{ path: 'use' }] });
    const compiled = createTransport(amsdalTransport(connection));
    compiled.use('compile', (mail, done) => {
      mail.data.subject = 'By a plugin';
      done();
    });
    await compiled.sendMail(BASE);
    expect((await arrived()).subject).toBe('By a plugin');
  });
});

describe('files and URLs are read by Nodemailer, as it is allowed to', () => {
  test('a URL is loaded, unless disableUrlAccess says no', async () => {
    let loaded = 0;
    const web = createServer((_request, response) => {
      loaded++;
      response.end('from the web');
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => web.once('listening', resolve));
    const href = `http://127.0.0.1:${(web.address() as AddressInfo).port}/report.txt`;
    await send({ ...BASE, attachments: [{ href }, { path: href }] });
    const files = (await arrived()).attachments.map(({ filename, content }) => [filename, content.toString()]);
    expect(files).toEqual([
      ['report.txt', 'from the web'],
      ['report.txt', 'from the web'],
    ]);
    for (const mail of [
      { attachments: [{ href }] },
      { html: { path: href } },
      { icalEvent: { content: { href } as never } },
    ]) {
      const refusing = send({ ...BASE, ...mail }, { disableUrlAccess: true });
      await expect(refusing).rejects.toMatchObject({
        code: 'unsupported-feature',
        message: expect.stringContaining('disableUrlAccess'),
      });
    }
    expect(loaded).toBe(2);
    await new Promise((resolve) => web.close(resolve));
  });

  test('a file, unless disableFileAccess says no', async () => {
    const path = join(folder, 'notes.txt');
    const refusing = send({ ...BASE, attachments: [{ path }], text: { path } }, { disableFileAccess: true });
    await expect(refusing).rejects.toMatchObject({ issues: [{ path: 'text' }, { path: 'attachments[0]' }] });
    const data = { path: 'data:text/plain,hello', filename: 'data.txt' };
    await send({ ...BASE, attachments: [data] }, { disableFileAccess: true, disableUrlAccess: true });
    expect((await arrived()).attachments[0]?.content.toString()).toBe('hello');
  });

  test('one that is not there', async () => {
    const error: unknown = await send({ ...BASE, attachments: [{ path: join(folder, 'gone.txt') }] }).catch(
      (thrown) => thrown,
    );
    expect(error).toBeInstanceOf(SendError);
    expect(error).toMatchObject({ code: 'source', outcome: 'not-sent' });
    expect(server.commands).toEqual([]);
  });
});
