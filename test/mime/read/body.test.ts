import { readdirSync, readFileSync } from 'node:fs';
import PostalMime from 'postal-mime';
import { describe, expect, test } from 'vitest';
import { readBody } from '../../../src/mime/read/body.ts';
import { readContent } from '../../../src/mime/read/content.ts';
import { readMime } from '../../../src/mime/read/mime-tree.ts';

const FIXTURES = new URL('../../fixtures/mime/', import.meta.url);

function read(mail: string | Uint8Array) {
  const bytes = typeof mail === 'string' ? Buffer.from(mail) : mail;
  const body = readBody(bytes, readMime(bytes).root);
  return {
    text: body.text,
    html: body.html,
    forms: body.forms.map(({ mediaType }) => mediaType),
    files: body.files.map((part) => [
      part.filename ?? part.mediaType,
      Buffer.from(readContent(bytes, part)).toString(),
    ]),
  };
}

/** A part, its content and what its headers say behind the media type. */
const part = (type: string, content: string, ...headers: string[]) =>
  [`Content-Type: ${type}`, ...headers, '', content].join('\r\n');
let count = 0;
const multipart = (subtype: string, ...parts: string[]) => {
  const boundary = `b${count++}`;
  const delimited = parts.map((each) => `--${boundary}\r\n${each}\r\n`).join('');
  return part(`multipart/${subtype}; boundary=${boundary}`, `${delimited}--${boundary}--\r\n`);
};

const TEXT = part('text/plain', 'text');
const HTML = part('text/html', '<p>html</p>');
const FOOTER = part('text/plain', 'List & <footer>\r\nline');
const NOTES = part('text/plain; name=notes.txt', 'notes', 'Content-Disposition: inline; filename=notes.txt');
const CALENDAR = part('text/calendar; method=REQUEST', 'BEGIN:VCALENDAR');
const nothing = { text: null, html: null, forms: [], files: [] };

describe('what a mail shows', () => {
  test.each<[string, string, object]>([
    ['a text', TEXT, { text: 'text' }],
    ['HTML', HTML, { html: '<p>html</p>' }],
    ['a text without headers', '\r\ntext', { text: 'text' }],
    ['nothing but a file', part('application/pdf; name=a.pdf', 'PDF'), { files: [['a.pdf', 'PDF']] }],
    ['a named text that is the whole mail', NOTES, { text: 'notes' }],
    [
      'a text that is attached',
      part('text/plain', 'x', 'Content-Disposition: attachment'),
      { files: [['text/plain', 'x']] },
    ],
    ['both', multipart('alternative', TEXT, HTML), { text: 'text', html: '<p>html</p>' }],
    [
      'a named text beside the body',
      multipart('mixed', HTML, NOTES),
      { html: '<p>html</p>', files: [['notes.txt', 'notes']] },
    ],
    [
      'a text around a file, as Apple Mail sends it',
      multipart('mixed', TEXT, part('image/png', 'PNG'), part('text/plain', 'end')),
      { text: 'text\nend', files: [['image/png', 'PNG']] },
    ],
    ['a text and the footer of a list', multipart('mixed', TEXT, FOOTER), { text: 'text\nList & <footer>\nline' }],
    [
      'HTML and the footer of a list',
      multipart('mixed', multipart('alternative', TEXT, HTML), FOOTER),
      {
        text: 'text\nList & <footer>\nline',
        html: '<p>html</p>\n<div>List &amp; &lt;footer&gt;<br>\nline</div>',
      },
    ],
    [
      'HTML without a text, and the footer of a list',
      multipart('mixed', HTML, part('text/plain', 'footer')),
      { text: 'html\nfooter', html: '<p>html</p>\n<div>footer</div>' },
    ],
    [
      'images beside HTML that has an id of its own, as Exchange gives it',
      multipart(
        'related',
        multipart('alternative', TEXT, part('text/html', '<p>html</p>', 'Content-ID: <1@exchange>')),
        part('image/png', 'PNG', 'Content-ID: <logo>'),
      ),
      { text: 'text', html: '<p>html</p>', files: [['image/png', 'PNG']] },
    ],
    [
      'HTML that other HTML shows',
      multipart('related', HTML, part('text/html', 'frame', 'Content-ID: <frame>')),
      { html: '<p>html</p>', files: [['text/html', 'frame']] },
    ],
    [
      'a text and HTML that nobody calls alternatives',
      multipart('related', TEXT, HTML),
      { text: 'text\nhtml', html: '<div>text</div>\n<p>html</p>' },
    ],
    [
      'HTML that the start of a multipart/related names, behind its image',
      part(
        'multipart/related; boundary=r; start="<root@x>"',
        ['--r', part('image/png', 'PNG', 'Content-ID: <logo>'), '--r', `Content-ID: <root@x>\r\n${HTML}`, '--r--'].join(
          '\r\n',
        ),
      ),
      { html: '<p>html</p>', files: [['image/png', 'PNG']] },
    ],
    [
      'a multipart whose boundary looks like an encoded-word',
      part('multipart/mixed; boundary="=?x?q?y?="', `--=?x?q?y?=\r\n${TEXT}\r\n--=?x?q?y?=--`),
      { text: 'text' },
    ],
    ['a multipart without a boundary', part('multipart/mixed', '--a\r\n\r\ntext'), { text: '--a\n\ntext' }],
    ['a multipart whose boundary is nowhere', part('multipart/mixed; boundary=b', 'text'), { text: 'text' }],
    ['a multipart with nothing in it', part('multipart/mixed; boundary=b', '\r\n'), {}],
    ['a media type with more behind it', part('text/plain,', 'text'), { text: 'text' }],
    ['an invitation', multipart('mixed', TEXT, CALENDAR), { text: 'text', forms: ['text/calendar'] }],
    [
      'an attached invitation',
      multipart('mixed', TEXT, part('text/calendar', 'C', 'Content-Disposition: attachment')),
      { text: 'text', files: [['text/calendar', 'C']] },
    ],
    [
      'another form of the body',
      multipart('alternative', TEXT, part('text/markdown', '*md*'), HTML),
      { text: 'text', html: '<p>html</p>', forms: ['text/markdown'] },
    ],
    [
      'a table beside the body',
      multipart('mixed', TEXT, part('text/csv', 'a,b')),
      { text: 'text', files: [['text/csv', 'a,b']] },
    ],
    [
      'a forwarded mail',
      multipart('mixed', TEXT, part('message/rfc822', 'Subject: x\r\n\r\ninner')),
      { text: 'text', files: [['message/rfc822', 'Subject: x\r\n\r\ninner']] },
    ],
    [
      'a multipart without parts, of which nothing else is left',
      part('multipart/mixed; boundary=none', 'preamble'),
      { text: 'preamble' },
    ],
    ['a flowed text', part('text/plain; format=Flowed; delsp=yes', 'one \r\ntwo'), { text: 'onetwo' }],
  ])('%s', (_, mail, shown) => {
    expect(read(mail)).toEqual({ ...nothing, ...shown });
  });
});

// postal-mime joins, unwraps and shows in the other form as we do; its own habits are taken out on both sides.
describe('read as postal-mime reads it', () => {
  const lineFeeds = (text: string | null | undefined) => (text ?? '').replaceAll('\r\n', '\n').replace(/\n+$/, '');
  test.each(readdirSync(FIXTURES))('%s', async (name) => {
    const mail = readFileSync(new URL(name, FIXTURES));
    const judge = await PostalMime.parse(mail, { forceRfc822Attachments: true });
    const ours = read(mail);
    expect(lineFeeds(ours.text)).toBe(lineFeeds(judge.text));
    expect(lineFeeds(ours.html)).toBe(lineFeeds(judge.html));
    const isForm = ({ filename, disposition, mimeType }: (typeof judge.attachments)[number]) =>
      filename === null && disposition === null && mimeType.startsWith('text/');
    expect(ours.forms).toEqual(judge.attachments.filter(isForm).map(({ mimeType }) => mimeType));
    expect(ours.files.map(([label, content]) => [label, lineFeeds(content)])).toEqual(
      judge.attachments
        .filter((file) => !isForm(file))
        .map(({ filename, mimeType, content }) => [
          filename ?? mimeType,
          lineFeeds(Buffer.from(content as ArrayBuffer).toString()),
        ]),
    );
  });
});
