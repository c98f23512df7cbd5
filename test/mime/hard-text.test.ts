import { describe, expect, test } from 'vitest';
import { composeMessage } from '../../src/mime/compose/compose.ts';
import { jsonWords } from '../../src/mime/compose/json-header.ts';
import { headerText, headerValue } from '../../src/mime/read/headers.ts';
import { MailContent } from '../../src/mime/read/mail-content.ts';
import { EmailMessage } from '../../src/model/message.ts';
import type { EmailMessageInit } from '../../src/model/message-init.ts';
import { fc } from '../properties.ts';
import { lintMail } from './lint-mail.ts';

const PLAIN: EmailMessageInit = { subject: 'Hi', body: 'Hello', fromEmail: 'a@example.com', to: 'b@example.org' };

function compose(init: Partial<EmailMessageInit>): MailContent {
  const bytes = composeMessage(new EmailMessage({ ...PLAIN, ...init }));
  expect(lintMail(bytes)).toEqual([]);
  return new MailContent(bytes);
}

const CONTROLS = Array.from({ length: 0xa0 }, (_, code) => String.fromCharCode(code)).filter((char) =>
  /\p{Cc}/u.test(char),
);

describe('texts that people paste', () => {
  test.each(['', 'я'.repeat(200), 'é '.repeat(200)])('carry every control character but NUL, after %j', (before) => {
    const text = `${before}${CONTROLS.filter((char) => !/[\0\r\n]/.test(char)).join('')}.`;
    const mail = compose({ body: text, htmlBody: `<pre>${text}</pre>` });
    expect(mail.text()).toBe(text);
    expect(mail.html()).toBe(`<pre>${text}</pre>`);
  });

  test('a line carries C1 controls in encoded-words, and a tab as a blank', () => {
    const c1 = CONTROLS.filter((char) => char > '\u007f').join('');
    const mail = compose({
      subject: `It\u0092s\t${c1}`,
      to: { name: `Jane\t${c1}`, address: 'b@example.org' },
      headers: { 'X-Note': c1 },
      attachments: [{ filename: `a\t${c1}.txt`, content: 'x' }],
    });
    const { headers } = mail.tree.root;
    expect(headerText(headers, 'subject')).toBe(`It\u0092s ${c1}`);
    expect(headerText(headers, 'to')).toBe(`Jane ${c1} <b@example.org>`);
    expect(headerText(headers, 'x-note')).toBe(c1);
    expect(mail.attachments.map(({ filename }) => filename)).toEqual([`a ${c1}.txt`]);
  });
});

describe('a thread', () => {
  test('repeats the ids that others wrote, on lines of at most 78', () => {
    const ids = [
      '<a$@b@c.example>',
      '<no-at>',
      ...Array.from({ length: 40 }, (_, at) => `<${at}.${'x'.repeat(30)}@y.z>`),
    ];
    const { headers } = compose({ inReplyTo: '<a@x> <b@x>', references: ids.join('\r\n ') }).tree.root;
    expect(headerValue(headers, 'in-reply-to')).toBe('<a@x> <b@x>');
    expect(headerValue(headers, 'references')).toBe(ids.join(' '));
    const mail = Buffer.from(compose({ references: ids }).bytes).toString('latin1');
    for (const line of mail.split('\r\n')) expect(line.length).toBeLessThanOrEqual(78);
  });

  test('is left alone by what cannot be written', () => {
    const { headers } = compose({ inReplyTo: '<größe@x>', references: ['<a b@x>', `<${'x'.repeat(950)}>`] }).tree.root;
    expect(headers.map(({ name }) => name)).not.toContain('In-Reply-To');
    expect(headers.map(({ name }) => name)).not.toContain('References');
  });

  test.each([['METHOD:REQ\r\n UEST'], ['METH\n\tOD:REQUEST'], ['METHOD;X-A=b:REQUEST']])(
    'of an invitation: the method of %j',
    (line) => {
      const content = `BEGIN:VCALENDAR\r\n${line}\r\nEND:VCALENDAR\r\n`;
      const mail = compose({ alternatives: [{ content, mimetype: 'text/calendar' }] });
      expect(Buffer.from(mail.bytes).toString()).toContain('text/calendar; charset=utf-8; method=REQUEST\r\n');
    },
  );
});

describe('a header whose value is JSON', () => {
  const SMTPAPI = {
    to: ['Jürgen  <j@x.org>'],
    sub: { '%name%': ['=?utf-8?q?x?=', '😀\u0000\ud800'] },
    id: 'x'.repeat(300),
  };

  test.each([
    ['{"category":"a"}', '{"category":"a"}'],
    ['{ "a" : [ 1,2 ] }', '{ "a" : [ 1,2 ] }'],
    ['{"a":"ü"}', '{"a": "\\u00fc"}'],
    ['{"a":  "b  c"}', '{"a": "b \\u0020c"}'],
    ['[12345678901234567890,"=?"]', '[12345678901234567890, "=\\u003f"]'],
    ['[\t"\\t" ]', '[ "\\t" ]'],
  ])('%s goes as %s', (value, expected) => {
    expect(headerValue(compose({ headers: { 'X-SMTPAPI': value } }).tree.root.headers, 'x-smtpapi')).toBe(expected);
  });

  test('is folded where JSON allows white space, and never an encoded-word', () => {
    const value = JSON.stringify({ ...SMTPAPI, more: Array.from({ length: 500 }, (_, at) => `u${at}@x.org`) });
    const header = headerValue(compose({ headers: { 'X-SMTPAPI': value } }).tree.root.headers, 'x-smtpapi') ?? '';
    expect(header).not.toContain('=?');
    expect(JSON.parse(header)).toEqual(JSON.parse(value));
  });

  test('any JSON comes back', () => {
    fc.assert(
      fc.property(fc.oneof(fc.array(fc.jsonValue()), fc.dictionary(fc.string(), fc.jsonValue())), (given) => {
        for (const value of [JSON.stringify(given), JSON.stringify(given, null, 2).replaceAll('\n', ' ')]) {
          const words = jsonWords(value) ?? [];
          expect(words.every((word) => /^[!-~]+$/.test(word))).toBe(true);
          expect(words.join(' ')).not.toContain('=?');
          expect(JSON.parse(words.join(' '))).toEqual(JSON.parse(value));
        }
      }),
    );
  });

  test.each(['{a}', 'plain', '"text"', '7', '{"a":1'])('%j is no JSON object or list', (value) => {
    expect(jsonWords(value)).toBeNull();
  });
});
