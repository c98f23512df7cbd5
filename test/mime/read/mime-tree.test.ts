import PostalMime from 'postal-mime';
import { describe, expect, test } from 'vitest';
import { readContent } from '../../../src/mime/read/content.ts';
import { decodeWords } from '../../../src/mime/read/decode-words.ts';
import { headerText } from '../../../src/mime/read/headers.ts';
import { MailContent } from '../../../src/mime/read/mail-content.ts';
import { type MimePart, readMime } from '../../../src/mime/read/mime-tree.ts';
import { readParameters } from '../../../src/mime/read/parameters.ts';
import { fc } from '../../properties.ts';

const bytesOf = (...lines: string[]): Buffer => Buffer.from(lines.join('\r\n'), 'latin1');

const NESTED = bytesOf(
  'From: =?UTF-8?Q?J=C3=BCrgen?= <j@example.org>',
  'Subject: =?iso-2022-jp?B?GyRCJCIbKEI=?= and',
  '\t=?UTF-8?B?4oKs?= =?UTF-8?B?4oKs?=',
  'Content-Type: multipart/mixed; boundary="out er"',
  '',
  'preamble',
  '--out er',
  'Content-Type: multipart/alternative; boundary=inner (comment)',
  '',
  '--inner',
  'Content-Type: text/plain; charset=iso-8859-1',
  'Content-Transfer-Encoding: quoted-printable',
  '',
  'Gr=FC=DFe, soft=',
  ' break',
  '--inner',
  'Content-Type: text/html; charset=utf-8',
  'Content-Transfer-Encoding: base64',
  '',
  Buffer.from('<p>Grüße</p>').toString('base64'),
  '--inner--',
  '--out er ',
  'Content-Disposition: attachment; filename*0*=UTF-8\'\'na%C3%AF; filename*1="ve.pdf"',
  'Content-Type: application/pdf',
  'Content-Transfer-Encoding: base64',
  'Content-ID: <doc@1>',
  '',
  'AQID',
  '--out er--',
  'epilogue',
);

test('a message is read as postal-mime reads it', async () => {
  const content = new MailContent(NESTED);
  const judge = await PostalMime.parse(NESTED);

  expect(headerText(content.tree.root.headers, 'subject')).toBe(judge.subject);
  expect(headerText(content.tree.root.headers, 'from')).toBe('Jürgen <j@example.org>');
  expect(content.text()).toBe(judge.text?.trimEnd());
  expect(content.html()).toBe(judge.html?.trimEnd());
  const [attachment] = content.attachments;
  expect(attachment).toMatchObject({
    path: '2',
    filename: 'naïve.pdf',
    contentId: 'doc@1',
    mediaType: 'application/pdf',
  });
  expect(attachment && [...readContent(NESTED, attachment)]).toEqual([1, 2, 3]);
  expect(content.tree.isComplete).toBe(true);
});

test.each([
  ['=?utf-8?q?a_b=21?=', 'a b!'],
  ['x =?utf-8?q?a?= y', 'x a y'],
  ['=?utf-8?q?a?= =?utf-8?q?b?=', 'ab'],
  ['=?utf-8*en?q?a?=', 'a'],
  ['=?nonsense?q?=E4?=', 'ä'],
  ['=?utf-8?x?a?=', '=?utf-8?x?a?='],
  ['=?utf-8?b?4oI=?= =?utf-8?b?rA==?=', '€'],
])('the encoded-word %s reads %s', (value, text) => {
  expect(decodeWords(value)).toBe(text);
});

test.each([
  ['text/plain; charset="utf-8"; format=flowed', { charset: 'utf-8', format: 'flowed' }],
  ['a/b; name="a\\"b;c"', { name: 'a"b;c' }],
  ["a/b; name*=utf-8'de'%E2%82%AC", { name: '€' }],
  ['a/b; x=1; x=2', { x: '1' }],
  ['a/b; name="=?utf-8?b?4oKs?="', { name: '€' }],
  ['a/b; __proto__=x', { ['__proto__']: 'x' }],
])('the parameters of %s', (value, parameters) => {
  expect(Object.entries(readParameters(value).parameters)).toEqual(Object.entries(parameters));
});

describe('hostile messages cost no more than honest ones', () => {
  const nest = (levels: number): Buffer => {
    let mail = 'Content-Type: text/plain\r\n\r\ndeep';
    for (let level = 0; level < levels; level++)
      mail = `Content-Type: multipart/mixed; boundary=b${level}\r\n\r\n--b${level}\r\n${mail}\r\n--b${level}--`;
    return Buffer.from(mail);
  };
  const depthOf = (part: MimePart): number => 1 + Math.max(0, ...part.children.map(depthOf));

  test.each([
    [
      '10,000 parts',
      Buffer.from(`Content-Type: multipart/mixed; boundary=b\r\n\r\n${'--b\r\n\r\nx\r\n'.repeat(10_000)}--b--`),
      false,
    ],
    ['50 levels', nest(49), true],
    ['5,000 levels', nest(5000), false],
    [
      'a header of 30 MB',
      Buffer.concat([Buffer.from('Subject: '), Buffer.alloc(30_000_000, 'x'), Buffer.from('\r\n\r\nbody')]),
      false,
    ],
    ['30 MB of header lines', Buffer.concat([Buffer.alloc(30_000_000, 'a: b\r\n'), Buffer.from('\r\nbody')]), false],
    ['an empty boundary', Buffer.from('Content-Type: multipart/mixed; boundary=""\r\n\r\n--\r\n--\r\n'), true],
    ['a missing end', Buffer.from('Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx'), true],
    ['a million open quotes', Buffer.from(`Content-Type: a/b; ${'x="'.repeat(1_000_000)}\r\n\r\n`), false],
    ['nothing', Buffer.alloc(0), true],
  ])('%s', (_, bytes, isComplete) => {
    const started = performance.now();
    const tree = readMime(bytes);
    expect(tree.isComplete).toBe(isComplete);
    expect(performance.now() - started).toBeLessThan(15_000); // quadratic is hours; a busy machine is not that slow
    expect(depthOf(tree.root)).toBeLessThanOrEqual(51);
  });

  test('broken base64 gives what can be read', () => {
    const content = new MailContent(bytesOf('Content-Transfer-Encoding: base64', '', 'SGVs!!bG8=', 'IQ==', '***'));
    expect(content.text()).toBe('Hello!');
  });
});

test('base64 of joined pieces reads as the pieces do', () => {
  const char = fc.constantFrom(...'ABYZaz09+/-_====!\r\n é');
  fc.assert(
    fc.property(fc.string({ unit: char, maxLength: 60 }), (encoded) => {
      const bytes = bytesOf('Content-Transfer-Encoding: base64', '', encoded);
      const pieces = encoded.split('=').map((piece) => Buffer.from(piece.replaceAll('é', '!'), 'base64'));
      expect(Buffer.from(readContent(bytes, readMime(bytes).root))).toEqual(Buffer.concat(pieces));
    }),
    { numRuns: 5_000, examples: [['=\r-A']] },
  );
});
