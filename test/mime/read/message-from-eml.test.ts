import { describe, expect, test } from 'vitest';
import { composeMessage } from '../../../src/mime/compose/compose.ts';
import { MessageError } from '../../../src/model/errors.ts';
import { EmailMessage } from '../../../src/model/message.ts';
import { cpuTimeOf } from '../../cpu-time.ts';
import { fc } from '../../properties.ts';
import { CORPUS, FIXED } from '../corpus.ts';
import { readWithMailparser } from '../read-mail.ts';

const eml = (...lines: string[]) => lines.join('\r\n');

describe('EmailMessage.fromEml', () => {
  test('reads a mail from the wild', async () => {
    const message = await EmailMessage.fromEml(
      eml(
        'Return-Path: <bounce@example.com>',
        'Received: from mx by mx; Mon, 1 Jan 2024 00:00:00 +0100',
        'DKIM-Signature: v=1; a=rsa-sha256; b=x',
        'From: =?iso-8859-1?Q?J=F6rg?= <joerg@example.com>',
        'To: Team: a@example.org, "B, C" <b@example.org>;',
        'Cc: undisclosed-recipients:;',
        'Subject: =?utf-8?B?R3LDvMOfZQ==?=',
        'Date: Mon, 1 Jan 2024 00:00:00 +0100',
        'Message-ID: <1@example.com>',
        'References: <a@example.com> <b@example.com>',
        'X-Note: =?utf-8?q?caf=C3=A9?=',
        'X-Note: again',
        'Content-Type: text/plain; charset=iso-8859-1',
        'Content-Transfer-Encoding: quoted-printable',
        '',
        'Gr=FC=DFe',
        '',
      ),
    );
    expect(message).toMatchObject({
      fromEmail: 'Jörg <joerg@example.com>',
      to: ['Team: a@example.org, "B, C" <b@example.org>;'],
      cc: [],
      subject: 'Grüße',
      body: 'Grüße\n',
      date: new Date('2023-12-31T23:00:00Z'),
      messageId: '1@example.com',
      references: ['a@example.com', 'b@example.com'],
      headers: { 'X-Note': 'café' },
    });
  });

  test('what cannot be sent is a MessageError', async () => {
    await expect(EmailMessage.fromEml('Subject: x\r\n\r\nx')).rejects.toThrow(MessageError);
    await expect(EmailMessage.fromEml(new Uint8Array())).rejects.toThrow(MessageError);
    for (const eml of [null, 7, { from: 'a@example.com' }])
      await expect(EmailMessage.fromEml(eml as never)).rejects.toMatchObject({
        issues: [{ path: 'eml', code: 'type' }],
      });
  });

  test('a mail that cannot be read to its end is refused, for what is missing would be missing unseen', async () => {
    const levels = Array.from({ length: 60 }, (_, level) => [
      `Content-Type: multipart/mixed; boundary=b${level}`,
      '',
      `--b${level}`,
    ]).flat();
    const reading = EmailMessage.fromEml(eml('From: j@example.com', 'To: b@example.org', ...levels, '', 'deep'));
    await expect(reading).rejects.toMatchObject({ issues: [{ path: 'eml', code: 'type' }] });
  });

  test('a mail to ten thousand people names them all', async () => {
    const people = Array.from({ length: 10_000 }, (_, at) => `Person ${at} <person.${at}@example.org>`);
    const message = await EmailMessage.fromEml(eml('From: j@example.com', `To: ${people.join(',\r\n ')}`, '', 'x'));
    expect(message.to).toEqual(people);
  });

  const received = (...headers: string[]) =>
    EmailMessage.fromEml(eml('From: j@example.com', 'To: b@example.org', ...headers, '', 'x'));

  test.each([
    // What a lenient reader takes for an address of somebody else.
    ['To: u@good.example(x)evil.example', 'to[0]'],
    ['To: u@good.example (x) .evil.example', 'to[0]'],
    ['To: <a@good.example> b@evil.example', 'to[0]'],
    ['To: a@good.example <b@evil.example>', 'to[0]'],
    ['To: a@good.example <a@good.example> b@evil.example', 'to[0]'],
    ['To: a@good.example <a@good.example>.evil.example', 'to[0]'],
    ['To: a@x.example, <b@evil.example', 'to[1]'],
    ['To: =?utf-8?q?b=40evil.example?=', 'to[0]'],
    ['To: <=?utf-8?q?b=40evil.example?=>', 'to[0]'],
    ['To: a@=?utf-8?q?evil.example?=', 'to[0]'],
    ['To: b@evil.exa\r\n mple', 'to[0]'],
    ['To: a@good.example (see\r\nTo: b@evil.example', 'to[0]'],
    ['To: a@good.example; b@evil.example', 'to[0]'],
    ['To: (x)a@good.example', 'to[0]'],
    ['To: "a@good.example', 'to[0]'],
    ['To: a@good.example\r\nCc: g: b@x.example, <c@x.example> d@evil.example;', 'cc[0]'],
    ['To: a@good.example\r\nBcc: b@x.example,c@good.example(x)evil.example', 'bcc[1]'],
    ['To: a@good.example\r\nReply-To: c@good.example(x)evil.example', 'replyTo[0]'],
  ])('%j is refused, not repaired', async (headers, path) => {
    const reading = EmailMessage.fromEml(eml('From: j@example.com', headers, '', 'x'));
    await expect(reading).rejects.toMatchObject({ issues: [{ path, code: 'address' }] });
  });

  test.each([
    ['From: a@x.example, b@y.example'],
    ['From: a@x.example\r\nFrom: b@y.example'],
    ['From: "a\r\nFrom: b" <c@y.example>'],
    ['From: a@x.example(x)evil.example'],
  ])('of the senders in %j none is chosen', async (headers) => {
    const reading = EmailMessage.fromEml(eml(headers, 'To: b@example.org', '', 'x'));
    await expect(reading).rejects.toMatchObject({ issues: [{ path: 'fromEmail', code: 'address' }] });
  });

  test.each<[string, readonly string[]]>([
    ['"john doe"@example.org, "a@b"@example.org', ['"john doe"@example.org', '"a@b"@example.org']],
    ['"a\\"b,c"@example.org', ['"a\\"b,c"@example.org']],
    ['bob@[192.0.2.1], bob@[IPv6:2001:db8::1]', ['bob@[192.0.2.1]', 'bob@[IPv6:2001:db8::1]']],
    ['=?utf-8?q?b=2C_c=40evil.example?= <a@example.org>', ['"b, c@evil.example" <a@example.org>']],
    ['=?utf-8?q?J=C3=B6?=\r\n\t=?utf-8?q?rg=09X?= <a@example.org>', ['Jörg X <a@example.org>']],
    ['"B, (C)" <a@example.org>,, d@example.org,', ['"B, (C)" <a@example.org>', 'd@example.org']],
    ['root@example.org (Cron (the) \\) Daemon), d@example.org', ['root@example.org', 'd@example.org']],
    [
      '=?utf-8?q?T=C3=A9am?=: =?utf-8?q?B=C3=B6?= <a@example.org>, d@example.org;',
      ['Téam: Bö <a@example.org>, d@example.org;'],
    ],
    ['a@example.org <a@example.org>', ['a@example.org']],
    ['undisclosed: ;, a@example.org\r\nTo: d@example.org', ['a@example.org', 'd@example.org']],
  ])('the recipients %j are read as they are meant', async (to, read) => {
    const message = await EmailMessage.fromEml(eml('From: j@example.com', `To: ${to}`, '', 'x'));
    expect(message.to).toEqual(read);
  });

  test('a local part that readers decode into another address is none', async () => {
    const reading = EmailMessage.fromEml(
      eml('From: j@example.com', 'To: "=?utf-8?q?b=40evil.example?="@example.org', ''),
    );
    await expect(reading).rejects.toMatchObject({ issues: [{ path: 'to[0]', code: 'address' }] });
  });

  test('a hundred thousand brackets, quotes and comments cost no more than so many letters', async () => {
    for (const unit of ['(', '"', '[', ':', ',', '(\\', 'a(b)', '\\', '<', ' ', '( '])
      await expect(received(`Cc: ${unit.repeat(100_000)}`).then(String, String)).resolves.toMatch(/./);
  });

  test('what a field or header cannot hold is cleaned or left out, and the mail is read', async () => {
    const message = await received(
      'Subject: folded',
      '\twith =?utf-8?q?a=09tab?=',
      'Message-ID: <odd(id)@example.com>',
      'In-Reply-To: <größe@example.com>',
      'References: <a@example.com> <b@o,dd> <c..d@exa"mple.com> <e@example.com>',
      'List-Unsubscribe: <https://example.com/u>,',
      '  <mailto:u@example.com>',
      'List-Id: =?utf-8?q?N=C3=A9ws?= <news.example.com>',
      'List-Post: <https://example.com/ü>',
      'Disposition-Notification-To: a@example.com, b@example.com',
      'Return-Receipt-To: =?utf-8?q?a=2C_b?= <a@example.com>',
      'Errors-To: =?utf-8?q?a=40example.com?=',
      `X-${'N'.repeat(80)}: x`,
      'X-Ärger: x',
      'X-Note: a',
      '\tb',
      'Date: Mon, 1 Jan 1900 00:00:00 +0000',
    );
    expect(message).toMatchObject({
      subject: 'folded with a tab',
      messageId: null,
      inReplyTo: null,
      references: ['a@example.com', 'b@o,dd', 'c..d@exa"mple.com', 'e@example.com'],
      date: null,
    });
    expect(message.headers).toEqual({
      'List-Unsubscribe': '<https://example.com/u>, <mailto:u@example.com>',
      'List-Id': '=?utf-8?q?N=C3=A9ws?= <news.example.com>',
      'Return-Receipt-To': '"a, b" <a@example.com>',
      'X-Note': 'a b',
    });
    expect(Buffer.from(composeMessage(message, FIXED)).toString()).toContain('Subject: folded with a tab\r\n');
  });

  test('a file is kept when its media type or id cannot be written', async () => {
    const message = await EmailMessage.fromEml(
      eml(
        ...['From: j@example.com', 'To: b@example.org', 'Content-Type: multipart/mixed; boundary=b', '', '--b'],
        ...['Content-Type: p d f', 'Content-ID: <image one@x>'],
        ...['Content-Disposition: attachment; filename="=?utf-8?q?a=09b?=.pdf"', '', 'x', '--b--', ''],
      ),
    );
    expect(message.attachments).toMatchObject([{ filename: 'a b.pdf', mimetype: 'application/pdf', contentId: null }]);
  });

  test('of the control characters in a text, NUL becomes a space', async () => {
    const message = await EmailMessage.fromEml(
      eml(
        ...['From: j@example.com', 'To: b@example.org', 'Content-Type: multipart/alternative; boundary=b', '', '--b'],
        ...['', 'page one\f\0', 'end', '--b', 'Content-Type: text/html', '', '<p>\u001b[2J</p>', '--b--', ''],
      ),
    );
    expect(message).toMatchObject({ body: 'page one\f \nend', htmlBody: '<p>\u001b[2J</p>' });
  });

  const resendable = CORPUS.filter(([name]) => !/group-empty|only-bcc/.test(name));
  test.each(resendable)('%s says the same when it is sent again', async (_, init) => {
    const mail = composeMessage(new EmailMessage(init), FIXED);
    const again = composeMessage(await EmailMessage.fromEml(mail), FIXED);
    expect(await readWithMailparser(again)).toEqual(await readWithMailparser(mail));
  });

  test('the contents of files and bodies are as they were, however often a mail is read and sent again', async () => {
    const files = [
      [
        'c.ics',
        'text/calendar; method=REQUEST; charset=utf-8',
        'BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n',
      ],
      ['bin.ics', 'application/ics', Buffer.from([0xff, 0xfe, 13, 10, 0x80])],
      ['m.eml', 'message/rfc822', 'From: a@b.co\r\n\r\nx\r\n'],
      ['l.csv', 'text/csv; charset=iso-8859-1', Buffer.from([0xe9, 0x0a])],
    ] as const;
    const sent = new EmailMessage({
      ...{ subject: 's', body: 'b', htmlBody: '<p>★★★★★★★★</p>\n', fromEmail: 'j@example.com', to: 'b@example.org' },
      attachments: files.map(([filename, mimetype, content]) => ({ filename, mimetype, content })),
    });
    let message = sent;
    for (let times = 0; times < 3; times++) message = await EmailMessage.fromEml(composeMessage(message));
    expect(message).toMatchObject({ body: sent.body, htmlBody: sent.htmlBody });
    for (const [index, [filename, mimetype, content]] of files.entries()) {
      const file = message.attachments[index];
      expect(file).toMatchObject({ filename, mimetype });
      expect(Buffer.from(file?.content as Uint8Array).toString('latin1')).toBe(Buffer.from(content).toString('latin1'));
    }
  });

  test('reads a header of many thousand characters in time', async () => {
    const mail = eml('From: j@example.com', 'To: b@example.org', `References: <${'@'.repeat(200_000)}`, '', 'x');
    const time = await cpuTimeOf(async () => expect((await EmailMessage.fromEml(mail)).references).toEqual([]));
    expect(time).toBeLessThan(2_000);
  });

  test('white space beyond ASCII belongs to an address', async () => {
    const message = await EmailMessage.fromEml(
      eml('From: j@example.com', 'To: b@example.org,\t\u00a0x@example.org', '', 'x'),
    );
    expect(message.to).toEqual(['b@example.org', '\u00a0x@example.org']);
  });

  test('an encoded-word with raw characters in it', async () => {
    const message = await EmailMessage.fromEml(
      eml('From: j@example.com', 'To: b@example.org', 'Subject: =?UTF-8?Q?Grüße_€_Ċx?=', '', 'x'),
    );
    expect(message.subject).toBe('Grüße € Ċx');
  });
});

/** Any text that a mail carries unchanged: without lone surrogates, and with one kind of line end. */
const line = fc.string({ unit: 'grapheme' }).map((text) => text.replace(/\p{C}/gu, '').trim());
const text = fc.array(line).map((lines) => lines.join('\n'));
const file = fc.record({
  filename: line.map((name) => `${name.replace(/[/\\]/g, '')}.bin`),
  mimetype: fc.constantFrom(
    ...['application/pdf', 'text/plain', 'text/html; charset=iso-8859-1', 'text/csv; charset=utf-8; header=present'],
    ...['application/json; profile="a b;\\"c\\""', 'image/png', 'text/calendar; method=REPLY; charset=utf-8'],
  ),
  content: fc.uint8Array({ maxLength: 100 }),
  contentId: fc.option(fc.uuid()),
});
const mail = fc.record({
  subject: line,
  fromEmail: line.map((name) => ({ name, address: 'jane@example.com' })),
  to: fc.array(
    line.map((name) => ({ name, address: 'bob@example.org' })),
    { minLength: 1, maxLength: 3 },
  ),
  cc: fc.subarray(['Cc <cc@example.org>', '"john doe"@example.org', 'Team: a@example.org, b@example.org;']),
  replyTo: fc.subarray(['Büro <buero@example.com>', 'help@example.com']),
  body: text,
  htmlBody: fc.option(text.map((html) => `<p>${html}</p>`)),
  alternatives: fc.subarray([
    { mimetype: 'text/x-amp-html', content: '<html ⚡4email>\n' },
    { mimetype: 'text/markdown; variant=GFM', content: '*é*' },
  ]),
  attachments: fc.array(file, { maxLength: 3 }),
  headers: fc.dictionary(fc.stringMatching(/^X-[A-Z]{1,8}$/), line, { maxKeys: 3 }),
  date: fc.option(fc.integer({ min: 0, max: 4e9 }).map((seconds) => new Date(seconds * 1000))),
  messageId: fc.uuid().map((id) => `${id}@example.com`),
  inReplyTo: fc.option(fc.uuid().map((id) => `${id}@example.org`)),
  references: fc.array(
    fc.uuid().map((id) => `${id}@example.org`),
    { maxLength: 3 },
  ),
});

/** What can be compared; a mail of one part ends with a line end, whether its text did or not. */
function said(message: EmailMessage) {
  const { subject, fromEmail, to, cc, replyTo, body, htmlBody, date, messageId, inReplyTo, references } = message;
  return {
    ...{ subject, fromEmail, to, cc, replyTo, messageId, inReplyTo, references, headers: message.headers },
    body: body.replace(/\n$/, ''),
    htmlBody: htmlBody?.replace(/\n$/, ''),
    date: date?.toISOString(),
    alternatives: message.alternatives.map((form) => ({ ...form })),
    // What the HTML shows stands beside it, before the files.
    attachments: message.attachments
      .map((each) => ({ ...each, content: Buffer.from(each.content as Uint8Array).toString('hex') }))
      .sort((a, b) => (htmlBody === null ? 0 : Number(b.contentId !== null) - Number(a.contentId !== null))),
  };
}

test.each([0, 1])('a body in another form than plain text and HTML is read as that, with %d files', async (files) => {
  const markdown = { mimetype: 'text/markdown; variant=GFM', content: '*é*' };
  const message = new EmailMessage({
    subject: 'Hi',
    fromEmail: 'jane@example.com',
    to: 'bob@example.org',
    body: '',
    alternatives: [markdown],
    attachments: Array.from({ length: files }, () => ({ filename: 'a.bin', content: new Uint8Array(3) })),
  });
  const read = await EmailMessage.fromEml(composeMessage(message));
  expect(read.alternatives).toEqual([markdown]);
  expect([read.body, read.attachments.map(({ filename }) => filename)]).toEqual(['', Array(files).fill('a.bin')]);
});

test('what is composed is read as it was', async () => {
  const property = fc.asyncProperty(mail, async (init) => {
    const message = new EmailMessage({ ...init, date: init.date ?? new Date(0) });
    expect(said(await EmailMessage.fromEml(composeMessage(message)))).toEqual(said(message));
  });
  await fc.assert(property, { numRuns: 300 });
});
