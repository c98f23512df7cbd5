import { describe, expect, test } from 'vitest';
import { lint } from '../../../src/mime/lint/lint.ts';
import { EmailMessage } from '../../../src/model/message.ts';

const base = { subject: 'Hi', fromEmail: 'a@example.com', to: ['b@example.com'] };
const ids = (init: object): string[] => lint(new EmailMessage({ ...base, body: 'text', ...init })).map(({ id }) => id);

test('a receipt with both parts has nothing but the hint on unsubscribing', () => {
  const htmlBody =
    '<p><a href="https://example.com">Hi</a> <img src="https://example.com/a.png" alt="" width="1" height="1"></p>';
  expect(ids({ htmlBody })).toEqual(['unsubscribe-missing']);
});

const png = { filename: 'a.png', content: new Uint8Array([1]), contentId: 'logo' };

test.each<[string, string, object]>([
  ['no-subject', 'the subject is empty', { subject: ' ' }],
  ['no-text', 'there is HTML only', { body: '', htmlBody: '<p>x</p>' }],
  ['html-size', 'the HTML is over 102 KB', { htmlBody: `<p>${'x '.repeat(60_000)}</p>` }],
  ['image-alt', 'an image has no alt', { htmlBody: '<img src="https://x/a.png" width=1 height=1>' }],
  ['image-size', 'an image has no size', { htmlBody: '<img src="https://x/a.png" alt="">' }],
  ['http-link', 'a link is http', { htmlBody: '<a href="http://x/">x</a>' }],
  ['script', 'there is a script', { htmlBody: '<p>x</p><SCRIPT>alert(1)</SCRIPT>' }],
  ['event-handler', 'an attribute holds a script', { htmlBody: '<a href="https://x/" onClick="go()">x</a>' }],
  ['script-link', 'a link is a script', { htmlBody: '<a href="javascript:alert(1)">x</a>' }],
  ['script-link', 'a scheme has a line break', { htmlBody: '<a href=" java&#10;Script:alert(1)">x</a>' }],
  ['script-link', 'a form sends to a script', { htmlBody: '<form action="vbscript:x"></form>' }],
  ['cid-without-part', 'a cid has no part', { htmlBody: '<img src="cid:nope" alt="" width=1 height=1>' }],
  ['part-without-cid', 'a part has no cid', { htmlBody: '<p>x</p>', attachments: [png] }],
  ['filename-type', 'name and type differ', { attachments: [{ ...png, contentId: null, mimetype: 'image/jpeg' }] }],
])('%s: %s', (id, _, init) => {
  expect(ids(init)).toContain(id);
});

test.each([
  ['a word in the text', '<p>javascript: and onclick= and &lt;script&gt;</p>'],
  ['an address that names one', '<a href="https://x/javascript:alert(1)">x</a>'],
  ['attributes that begin alike', '<p on="1" data-onclick="x" once2="x">x</p>'],
])('%s is no script', (_, htmlBody) => {
  expect(ids({ htmlBody })).toEqual(['unsubscribe-missing']);
});

test('an inline image that is used is no finding', () => {
  const htmlBody = '<img src="cid:logo" alt="Logo" width="1" height="1">';
  expect(ids({ htmlBody, attachments: [png] })).toEqual(['unsubscribe-missing']);
});

describe('bytes as a server has received them', () => {
  const lintText = (...lines: string[]): string[] => lint(Buffer.from(lines.join('\r\n'))).map(({ id }) => id);

  test('long-line', () => {
    expect(lintText('Subject: x', '', 'x'.repeat(999))).toContain('long-line');
    expect(lintText('Subject: x', '', 'x'.repeat(998))).not.toContain('long-line');
  });

  test.each([
    ['no brackets', ['List-Unsubscribe: https://x/']],
    ['another scheme', ['List-Unsubscribe: <ftp://x/>']],
    ['a wrong Post', ['List-Unsubscribe: <https://x/>', 'List-Unsubscribe-Post: yes']],
    [
      'one click without https',
      ['List-Unsubscribe: <mailto:u@x>', 'List-Unsubscribe-Post: List-Unsubscribe=One-Click'],
    ],
  ])('unsubscribe-malformed: %s', (_, headers) => {
    expect(lintText('Subject: x', ...headers, '', 'x')).toContain('unsubscribe-malformed');
  });

  test('every finding says what to do', () => {
    for (const { message, fix } of lint(Buffer.from('Content-Type: text/html\r\n\r\n<img src="http://x/">'))) {
      expect(message).toMatch(/\.$/);
      expect(fix).toMatch(/[.)]$/);
    }
  });
});

test.each([
  '<a "'.repeat(200_000),
  '<'.repeat(500_000),
  `${'<'.repeat(500_000)}>`,
  '<!--'.repeat(200_000),
  '<script>'.repeat(200_000),
  `<img ${'a="'.repeat(300_000)}>`,
  `<img ${' '.repeat(900_000)}>`,
  '<a href="cid:'.repeat(100_000),
])('hostile HTML is read in linear time: %#', (html) => {
  const started = performance.now();
  lint(Buffer.from(`Content-Type: text/html\r\n\r\n${html}`));
  expect(performance.now() - started).toBeLessThan(15_000); // quadratic is minutes; a busy machine is not that slow
});

test('a message that carries a forwarded mail beyond ASCII is linted as it would be sent', () => {
  const attachments = [{ content: 'From: a@b.co\r\n\r\nGrüße\r\n', mimetype: 'message/rfc822' }];
  const message = { subject: 's', body: 'b', fromEmail: 'a@b.co', to: 'c@d.co', attachments };
  expect(() => lint(new EmailMessage(message))).not.toThrow();
});
