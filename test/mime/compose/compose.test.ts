import { describe, expect, test } from 'vitest';
import { composeMessage } from '../../../src/mime/compose/compose.ts';
import type { ComposeOptions } from '../../../src/mime/compose/composition.ts';
import { headerText } from '../../../src/mime/read/headers.ts';
import { MailContent } from '../../../src/mime/read/mail-content.ts';
import { ConfigurationError, MessageError } from '../../../src/model/errors.ts';
import { EmailMessage } from '../../../src/model/message.ts';
import type { EmailMessageInit } from '../../../src/model/message-init.ts';
import { fc } from '../../properties.ts';
import { lintMail } from '../lint-mail.ts';

const FIXED = { date: new Date(0), messageId: 'id@example.com', boundary: 'b' };

function compose(init: Partial<EmailMessageInit>, options: ComposeOptions = FIXED): string {
  const message = new EmailMessage({
    subject: 'Hi',
    body: 'Hello',
    fromEmail: 'a@example.com',
    to: 'b@example.org',
    ...init,
  });
  return Buffer.from(composeMessage(message, options)).toString('latin1');
}

/** The tree of media types, as `mixed(plain, pdf)`. */
function tree(mail: string): string {
  const types = [...mail.matchAll(/^Content-Type: ([\w/.+-]+)|^--=_(\d)_b(--)?/gm)];
  let text = '';
  for (const [, type, , end] of types) {
    if (type?.startsWith('multipart/')) text += `${type.slice(10)}(`;
    else if (type) text += `${type} `;
    else if (end) text = `${text.trimEnd()}) `;
  }
  return text.trim();
}

const field = (mail: string, name: string) =>
  new RegExp(`^${name}: (.*(?:\\r\\n[ \\t].*)*)`, 'im').exec(mail)?.[1]?.replace(/\r\n/g, '');
const HTML = { htmlBody: '<p>x</p>' };
const PDF = { filename: 'a.pdf', content: 'x' };
const LOGO = { filename: 'logo.png', content: 'x', contentId: 'logo' };
const AMP = { mimetype: 'text/x-amp-html', content: '<html amp4email>' };
const INVITE = { mimetype: 'text/calendar', content: 'BEGIN:VCALENDAR\nMETHOD:REQUEST\nEND:VCALENDAR\n' };

describe('the tree of parts', () => {
  test.each<[Partial<EmailMessageInit>, string]>([
    [{}, 'text/plain'],
    [{ body: '', ...HTML }, 'text/html'],
    [HTML, 'alternative(text/plain text/html)'],
    [{ attachments: [PDF] }, 'mixed(text/plain application/pdf)'],
    [{ ...HTML, attachments: [LOGO] }, 'alternative(text/plain related(text/html image/png))'],
    [
      { ...HTML, attachments: [PDF, LOGO] },
      'mixed(alternative(text/plain related(text/html image/png)) application/pdf)',
    ],
    [{ attachments: [LOGO] }, 'mixed(text/plain image/png)'],
    [{ ...HTML, alternatives: [AMP] }, 'alternative(text/plain text/x-amp-html text/html)'],
    [
      { ...HTML, alternatives: [INVITE, AMP] },
      'mixed(alternative(text/plain text/x-amp-html text/html text/calendar) application/ics)',
    ],
    [
      { alternatives: [INVITE], attachments: [{ filename: 'own.ics', content: 'x' }] },
      'mixed(alternative(text/plain text/calendar) text/calendar)',
    ],
  ])('%j', (init, expected) => {
    expect(tree(compose(init))).toBe(expected);
  });
  test('a calendar carries the method of its content', () => {
    expect(compose({ alternatives: [INVITE] })).toContain(
      'Content-Type: text/calendar; charset=utf-8; method=REQUEST\r\n',
    );
  });
});

describe('headers', () => {
  test('a plain mail is one part', () => {
    expect(compose({})).toBe(
      [
        'From: a@example.com',
        'To: b@example.org',
        'Subject: Hi',
        'Date: Thu, 01 Jan 1970 00:00:00 +0000',
        'Message-ID: <id@example.com>',
        'MIME-Version: 1.0',
        'Content-Type: text/plain; charset=utf-8',
        'Content-Transfer-Encoding: 7bit',
        '',
        'Hello',
        '',
      ].join('\r\n'),
    );
  });
  test('what the message says of itself wins over the options', () => {
    const mail = compose({ date: new Date(86_400_000), messageId: '<own@example.com>' });
    expect(field(mail, 'Date')).toBe('Fri, 02 Jan 1970 00:00:00 +0000');
    expect(field(mail, 'Message-ID')).toBe('<own@example.com>');
  });
  test('without options: now, and a Message-ID at the domain of the sender that tells nothing', () => {
    const mail = compose({ fromEmail: 'a@bücher.example' }, {});
    expect(field(mail, 'Message-ID')).toMatch(/^<[0-9a-f]{32}@xn--bcher-kva\.example>$/);
    expect(Math.abs(Date.parse(field(mail, 'Date') ?? '') - Date.now())).toBeLessThan(60_000);
    expect(field(mail, 'Message-ID')).not.toBe(field(compose({}, {}), 'Message-ID'));
  });
  test('random boundaries differ from mail to mail', () => {
    const boundary = () => /boundary="([^"]+)"/.exec(compose(HTML, {}))?.[1];
    expect(boundary()).toMatch(/^=_1_[0-9a-f]{32}$/);
    expect(boundary()).not.toBe(boundary());
  });
  test('Bcc is nowhere, tags and metadata only when asked for', () => {
    const init = { bcc: 'hidden@example.org', tags: ['a', 'ü'], metadata: { order: '17' } };
    expect(compose(init)).not.toMatch(/hidden|X-Tag|X-Metadata/i);
    const mail = compose(init, { ...FIXED, tagHeaders: true });
    expect(mail).toContain('X-Tag: a\r\nX-Tag: =?UTF-8?B?w7w=?=\r\nX-Metadata: {"order": "17"}\r\n');
  });
  test('metadata is JSON that any reader of headers gives back', () => {
    const entry = fc.array(
      fc.oneof(
        fc.string({ unit: 'grapheme' }),
        fc.constantFrom(
          '=',
          '?',
          '=?utf-8?q?x?=',
          ' ',
          '  ',
          '"',
          '\\',
          ':',
          ',',
          'ü',
          '😀',
          '\ud800',
          'x'.repeat(1200),
        ),
      ),
      { maxLength: 4 },
    );
    const word = entry.map((pieces) => pieces.join('').replace(/\p{Cc}/gu, ''));
    fc.assert(
      fc.property(fc.dictionary(word, word, { minKeys: 1 }), (metadata) => {
        const mail = compose({ metadata }, { ...FIXED, tagHeaders: true });
        expect(lintMail(Buffer.from(mail, 'latin1'))).toEqual([]);
        const { headers } = new MailContent(Buffer.from(mail, 'latin1')).tree.root;
        const read = JSON.parse(headerText(headers, 'x-metadata') ?? '');
        expect(Object.entries(read)).toEqual(Object.entries(metadata));
      }),
    );
  });
  test('priority and unsubscribing', () => {
    const init = {
      priority: 'high',
      listUnsubscribe: { url: 'https://x.example/u', mailto: 'u@x.example', oneClick: true },
    } as const;
    const mail = compose(init);
    expect(field(mail, 'X-Priority')).toBe('1');
    expect(field(mail, 'Importance')).toBe('high');
    expect(field(mail, 'List-Unsubscribe')).toBe('<https://x.example/u>, <mailto:u@x.example>');
    expect(field(mail, 'List-Unsubscribe-Post')).toBe('List-Unsubscribe=One-Click');
  });
  test('a header that programs read is never encoded', () => {
    expect(field(compose({ headers: { 'List-Id': 'News <news.example.com>' } }), 'List-Id')).toBe(
      'News <news.example.com>',
    );
    expect(field(compose({ headers: { 'Errors-To': 'Zoë <z@bücher.example>' } }), 'Errors-To')).toBe(
      '=?UTF-8?B?Wm/Dqw==?= <z@xn--bcher-kva.example>',
    );
  });
});

describe('what cannot be written is refused, with the path of its field', () => {
  test.each<[Partial<EmailMessageInit>, string]>([
    [{ body: 'a\0b' }, 'body'],
    [{ body: `${'я'.repeat(80)}\0` }, 'body'],
    [{ body: `${'é '.repeat(5000)}\0${'é '.repeat(5000)}` }, 'body'],
    [{ htmlBody: '<p>\0</p>' }, 'htmlBody'],
    [{ alternatives: [AMP, { ...AMP, content: '\0' }] }, 'alternatives[1].content'],
    [{ headers: { 'X-SMTPAPI': JSON.stringify({ a: 'x'.repeat(1000) }) } }, 'headers.X-SMTPAPI'],
    [{ headers: { 'List-Id': 'Größe' } }, 'headers.List-Id'],
    [{ headers: { 'Auto-Submitted': 'a  b' } }, 'headers.Auto-Submitted'],
    [{ headers: { 'List-Help': `<https://${'x'.repeat(1000)}>` } }, 'headers.List-Help'],
    [{ headers: { 'Disposition-Notification-To': 'nobody' } }, 'headers.Disposition-Notification-To'],
    [{ priority: 'high', headers: { Importance: 'low' } }, 'headers.Importance'],
    [
      { listUnsubscribe: { mailto: 'u@x.example' }, headers: { 'list-unsubscribe': '<x>' } },
      'headers.list-unsubscribe',
    ],
    [{ alternatives: [{ ...INVITE, mimetype: 'text/calendar; method=CANCEL' }] }, 'alternatives[0].mimetype'],
    [{ alternatives: [{ ...INVITE, mimetype: 'text/calendar; charset=iso-8859-1' }] }, 'alternatives[0].mimetype'],
    [{ attachments: [{ ...PDF, mimetype: 'multipart/mixed' }] }, 'attachments[0].mimetype'],
    [{ attachments: [{ ...PDF, mimetype: 'text/plain; charset=iso-8859-1' }] }, 'attachments[0].mimetype'],
    [{ attachments: [{ ...PDF, mimetype: 'text/plain; charset' }] }, 'attachments[0].mimetype'],
    [{ attachments: [{ ...PDF, mimetype: `text/plain; x="${'y'.repeat(1500)}"` }] }, 'attachments[0].mimetype'],
    [{ alternatives: [{ ...INVITE, mimetype: `text/calendar; x=${'y'.repeat(900)}` }] }, 'alternatives[0].mimetype'],
    [{ alternatives: [{ ...INVITE, content: `METHOD:${'Y'.repeat(1500)}\n` }] }, 'headers.Content-Type'],
    [{ attachments: [{ content: 'x: ü', mimetype: 'message/delivery-status' }] }, 'attachments[0].content'],
    [{ attachments: [{ content: 'x'.repeat(999), mimetype: 'message/rfc822' }] }, 'attachments[0].content'],
    [{ attachments: [{ content: 'x: \0', mimetype: 'message/delivery-status' }] }, 'attachments[0].content'],
  ])('%j', (init, path) => {
    let found: unknown;
    try {
      compose(init);
    } catch (error) {
      found = error;
    }
    expect(found).toBeInstanceOf(MessageError);
    expect(found).toMatchObject({ code: 'invalid-message', issues: [{ path }] });
  });
  test.each(['Errors-To', 'Return-Receipt-To', 'Disposition-Notification-To'])(
    '%s beyond ASCII before the @, which as Latin-1 could be a line break',
    (name) => {
      for (const value of [
        'jörg@example.com',
        '"a\u560d\u560aBcc: victim@evil.example\u560d\u560aX-Y: "@x.example',
        '"a\u560d\u560a\u560d\u560aanother body"@x.example',
      ]) {
        expect(() => compose({ headers: { [name]: value } })).toThrow(
          expect.objectContaining({ issues: [expect.objectContaining({ path: `headers.${name}`, code: 'address' })] }),
        );
      }
    },
  );

  test('a boundary of other characters', () => {
    for (const boundary of ['', 'a b', 'a"b', 'x'.repeat(41), 'a\r\nb']) {
      expect(() => compose(HTML, { boundary })).toThrow(ConfigurationError);
    }
  });

  test.each([
    ['messageId', 'x\r\nBcc: evil@example.com\r\nX-Y: z@q'],
    ['messageId', '<id@example.com>'],
    ['messageId', ''],
    ['date', new Date(Number.NaN)],
    ['date', new Date(-1)],
  ])('an option that would break a header: %s %j', (name, value) => {
    expect(() => compose(HTML, { [name]: value })).toThrow(
      expect.objectContaining({ code: 'invalid-option', message: expect.stringContaining(`${name}: `) }),
    );
  });
});

test('a forwarded mail beyond ASCII goes as it is when the server takes 8-bit octets', () => {
  const forwarded = Buffer.from('Subject: x\n\nGrüße\n', 'utf8');
  const init = { attachments: [{ content: forwarded, mimetype: 'message/rfc822' }] };
  const mail = compose(init, { ...FIXED, allow8bit: true });
  expect(mail).toContain('Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n');
  expect(mail).toContain(Buffer.from('Subject: x\r\n\r\nGrüße\r\n').toString('latin1'));
});

test('the longest media type there may be leaves no line over 998', () => {
  const mimetype = `text/plain; x="${'y'.repeat(884)}"`;
  const mail = compose({
    body: 'x',
    alternatives: [{ content: 'x', mimetype }],
    attachments: [{ content: 'x', mimetype }],
  });
  expect(mail.match(/y{884}/g)).toHaveLength(2);
  expect(lintMail(Buffer.from(mail, 'latin1'))).toEqual([]);
});

test('a file has the name that was given, whatever its media type says', () => {
  const mimetype = `application/pdf; Name=a; name*=utf-8''b; NAME*0="c"; name*1*=d; names=kept; x-name=too`;
  const mail = compose({ attachments: [{ ...PDF, mimetype }] });
  expect(mail).toContain('Content-Type: application/pdf; names=kept; x-name=too; name=');
});

test('a text that holds the given boundary gets another', () => {
  const mail = compose({ body: '--=_1_b\r\n', attachments: [PDF] });
  expect(mail).toContain('boundary="=_1_b-"');
});

describe('autoText', () => {
  test('makes the text from the HTML', () => {
    const mail = compose({
      body: '',
      htmlBody: '<h1>Hi</h1><p>See <a href="https://x.example">this</a> <img src="a.png" alt="no"></p>',
      autoText: true,
    });
    expect(tree(mail)).toBe('alternative(text/plain text/html)');
    expect(mail).toContain('See this [https://x.example]');
  });
  test('a control character that a reference stands for goes like any other', () => {
    expect(compose({ body: '', htmlBody: '<p>a&#7;b</p>', autoText: true })).toContain('\r\n\r\na=07b\r\n');
  });
  test('not when there is a text', () => {
    expect(compose({ ...HTML, autoText: true })).toContain('\r\n\r\nHello\r\n');
  });
});
