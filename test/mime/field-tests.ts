import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import { composeMessage } from '../../src/mime/compose/compose.ts';
import { withoutNul } from '../../src/mime/compose/nul.ts';
import { MessageError } from '../../src/model/errors.ts';
import { EmailMessage, mailboxesOf } from '../../src/model/message.ts';
import type { EmailMessageInit } from '../../src/model/message-init.ts';
import { fc } from '../properties.ts';
import { FIXED } from './corpus.ts';
import { lintMail } from './lint-mail.ts';
import { type ReadMail, readWithMailparser, readWithPostalMime, readWithPython } from './read-mail.ts';

interface Fields {
  readonly subject: string;
  readonly name: string;
  readonly filename: string;
  readonly header: string;
  readonly text: string;
  readonly html: string;
}

/** Pieces that composers and parsers trip over, among any other characters of Unicode. */
const piece = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: 'grapheme' }) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary' }) },
  fc.constantFrom(
    ...[
      '=?utf-8?q?x?=',
      '=?UTF-8?B?aGk=?=',
      '=?',
      '?=',
      ' ',
      '  ',
      '"',
      '<',
      '>',
      ',',
      ';',
      ':',
      '%',
      "'",
      '*',
      '=',
      '_',
      '?',
    ],
    ...[
      'é',
      '👩‍🚀',
      '\u202e',
      'word '.repeat(20),
      'x'.repeat(90),
      'я'.repeat(60),
      '.',
      'From ',
      '--',
      '&amp;',
      'a@b.example',
    ],
  ),
);
const anything = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(''));
const line = anything.map((text) => text.replace(/\p{Cc}/gu, ''));
const lines = fc
  .array(fc.oneof(anything, fc.constantFrom('\n', '\r\n', '\r', '\t', ' \n', '.\n')), { maxLength: 8 })
  .map((all) => withoutNul(all.join(''))); // which are refused
const fields: fc.Arbitrary<Fields> = fc.record({
  subject: line,
  name: line,
  // Folders are refused, see the message's own tests.
  filename: line.map((text) => `${text.replace(/[/\\]/g, '')}.bin`),
  header: line,
  text: lines,
  html: lines,
});

/** Its last encoded-word leaves no room on the line but for itself, and the parameter's quote comes behind it. */
const LAST_WORD_FILLS_ITS_LINE: Fields = {
  subject: '',
  name: '',
  filename: `${'word '.repeat(20)}\u{10000}.bin`,
  header: '',
  text: '',
  html: '',
};

const OUTER_SPACES: Fields = {
  subject: '  a ',
  name: ' b  ',
  filename: ' c.bin ',
  header: '  d ',
  text: ' e \n \n\n',
  html: '\n\n f \n ',
};

function messageOf({ subject, name, filename, header, text, html }: Fields): EmailMessageInit {
  return {
    subject,
    fromEmail: { name, address: 'jane@example.com' },
    to: 'bob@example.org',
    body: text,
    htmlBody: html,
    headers: { 'X-Note': header },
    attachments: [{ filename, content: 'x' }],
  };
}

/** The fields as a parser found them. */
function found({ subject, from, text, html, attachments }: ReadMail, header: string | undefined): Fields {
  return {
    subject: subject ?? '',
    name: from[0]?.name ?? '',
    filename: attachments[0]?.filename ?? '',
    header: header ?? '',
    text: (text ?? '').replaceAll('\r\n', '\n'),
    html: (html ?? '').replaceAll('\r\n', '\n'),
  };
}

/** The fields as any parser should find them: to the last space. */
function wanted(given: Fields): Fields {
  const wellFormed = (value: string) => value.replace(/\p{Cs}/gu, '\ufffd');
  const lineFeeds = (value: string) => wellFormed(value).replace(/\r\n?/g, '\n');
  return {
    subject: wellFormed(given.subject),
    name: wellFormed(given.name),
    filename: wellFormed(given.filename),
    header: wellFormed(given.header),
    text: lineFeeds(given.text),
    html: lineFeeds(given.html),
  };
}

/** It ends a text with one more line feed, unless that came in base64. */
async function byPostalMime(mail: Uint8Array, { text, html }: Fields): Promise<Fields> {
  const read = await readWithPostalMime(mail);
  const fields = withoutMarks(found(read, read.headers.get('x-note')));
  const same = (value: string, other: string) => (value === `${other}\n` ? other : value);
  return { ...fields, text: same(fields.text, text), html: same(fields.html, html) };
}

async function byMailparser(mail: Uint8Array): Promise<Fields> {
  return found(await readWithMailparser(mail), '');
}

/** JavaScript's decoders drop byte order marks. */
function withoutMarks(fields: Fields): Fields {
  const entries = Object.entries(fields).map(([name, value]) => [name, value.replaceAll('\ufeff', '')]);
  return { ...fields, ...Object.fromEntries(entries) };
}

/** It leaves the values of custom headers encoded, and gives empty HTML as a line feed. */
function asInMailparser(fields: Fields): Fields {
  return { ...withoutMarks(fields), header: '', html: fields.html === '\n' ? '' : withoutMarks(fields).html };
}

/** Python gives a run of spaces in a name as one, and trims file names. */
function asInPython(fields: Fields): Fields {
  return { ...fields, name: fields.name.replace(/\s+/g, ' '), filename: fields.filename.trim() };
}

/** Random fields, so many of each kind, are read back by parsers of others, and make no header that was not asked for. */
export function testRandomFields(numRuns: number): void {
  describe('whatever is written is read', () => {
    const mails: { readonly given: Fields; readonly mail: Uint8Array }[] = [];

    test('by mailparser and postal-mime', { timeout: 300_000 }, async () => {
      await fc.assert(
        fc.asyncProperty(fields, async (given) => {
          const mail = composeMessage(new EmailMessage(messageOf(given)), FIXED);
          expect(lintMail(mail)).toEqual([]);
          const plain = withoutMarks(wanted(given));
          expect(await byPostalMime(mail, plain)).toEqual(plain);
          expect(asInMailparser(await byMailparser(mail))).toEqual(asInMailparser(wanted(given)));
          mails.push({ given, mail });
        }),
        { numRuns, examples: [[LAST_WORD_FILLS_ITS_LINE], [OUTER_SPACES]] },
      );
    });

    test('by Python', { timeout: 300_000 }, () => {
      const python = readWithPython(mails.map(({ mail }) => mail));
      for (const [index, { given }] of mails.entries()) {
        const read = python[index];
        if (!read) throw new Error('one result is missing');
        expect(asInPython(found(read, read.headers['x-note']))).toEqual(asInPython(wanted(given)));
      }
    });
  });

  test('no input makes a header that was not asked for: it is refused, or it stays where it belongs', {
    timeout: 300_000,
  }, () => {
    const injected = fc.oneof(
      anything,
      fc.constantFrom(
        '\r\nBcc: x@evil.example',
        '\nX: y',
        '\r\n\r\nbody',
        'a\r b',
        '\0',
        '\u560d\u560aX: y',
        '\u0085X: y',
        '\u2028X: y',
      ),
    );
    const hostile = fc.tuple(anything, injected, anything).map((all) => all.join(''));
    const base: Fields = { subject: 's', name: 'n', filename: 'f', header: 'h', text: 't', html: 'h' };
    const harmless: EmailMessageInit = {
      ...messageOf(base),
      replyTo: 'r@example.com',
      headers: Object.fromEntries([['X-Note', 'h'], ...ADDRESS_HEADERS.map((name) => [name, 'a@example.com'])]),
    };
    const ways: readonly ((text: string) => Partial<EmailMessageInit>)[] = [
      ...Object.keys(base).map((field) => (text: string) => {
        const { headers, ...init } = messageOf({ ...base, [field]: text });
        return { ...init, headers: { ...harmless.headers, ...headers } };
      }),
      (text) => ({ replyTo: text }),
      (text) => ({ replyTo: { name: text, address: 'r@example.com' } }),
      ...ADDRESS_HEADERS.flatMap((name) =>
        [bare, asName, asLocalPart].map((form) => (text: string) => ({
          headers: { ...harmless.headers, [name]: form(text) },
        })),
      ),
    ];
    const asked = namesOf(composeMessage(new EmailMessage(harmless), FIXED));
    expect(asked).toEqual(expect.arrayContaining(['From', 'Reply-To', 'X-Note', ...ADDRESS_HEADERS]));
    const written = new Set<number>();
    fc.assert(
      fc.property(hostile, (text) => {
        for (const [index, way] of ways.entries()) {
          let message: EmailMessage;
          let mail: Uint8Array;
          try {
            message = new EmailMessage({ ...harmless, ...way(text) });
            mail = composeMessage(message, FIXED);
          } catch (error) {
            expect(error).toBeInstanceOf(MessageError);
            continue;
          }
          written.add(index);
          // An address beyond ASCII makes the headers UTF-8.
          if (mailboxesOf(message.parsed.replyTo).every(({ isAscii }) => isAscii)) expect(lintMail(mail)).toEqual([]);
          expect(namesOf(mail)).toEqual(asked);
        }
      }),
      { numRuns, examples: [['jane'], ['jane@example.com'], ['word '.repeat(20)]] },
    );
    expect(written.size).toBe(ways.length);
  });
}

const ADDRESS_HEADERS = ['Errors-To', 'Return-Receipt-To', 'Disposition-Notification-To'];
const bare = (text: string) => text;
const quoted = (text: string) => `"${text.replace(/["\\]/g, '\\$&')}"`;
const asName = (text: string) => `${quoted(text)} <a@example.com>`;
const asLocalPart = (text: string) => `${quoted(text)}@example.com`;

function namesOf(mail: Uint8Array): readonly string[] {
  const [head = ''] = Buffer.from(mail).toString('latin1').split('\r\n\r\n');
  return head.split(/\r\n(?![ \t])/).map((field) => field.slice(0, field.indexOf(':')));
}

/** The strings that are known to break programs are read back by parsers of others, or refused. */
export function testNaughtyStrings(): void {
  describe('the big list of naughty strings: read back or refused, never changed', () => {
    const list: readonly string[] = createRequire(import.meta.url)('big-list-of-naughty-strings');

    test('it is the whole list', () => {
      expect(list.length).toBeGreaterThan(450);
    });

    test.each(['subject', 'name', 'filename'] as const)('as %s', { timeout: 120_000 }, async (field) => {
      const base: Fields = { subject: 's', name: 'n', filename: 'f', header: 'h', text: 't', html: 'h' };
      let refused = 0;
      for (const naughty of list) {
        const given = { ...base, [field]: naughty };
        try {
          const mail = composeMessage(new EmailMessage(messageOf(given)), FIXED);
          expect(lintMail(mail)).toEqual([]);
          const plain = withoutMarks(wanted(given));
          expect(await byPostalMime(mail, plain)).toEqual(plain);
          expect(asInMailparser(await byMailparser(mail))).toEqual(asInMailparser(wanted(given)));
        } catch (error) {
          if (!(error instanceof MessageError)) throw error;
          refused++;
        }
      }
      // Control characters, and folders in a file name.
      const isRefused = field === 'filename' ? /[\p{Cc}/\\]/u : /\p{Cc}/u;
      expect(refused).toBe(list.filter((naughty) => isRefused.test(naughty)).length);
    });
  });
}
