import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MessageError } from '../../src/errors.ts';
import { EmailMessage } from '../../src/message.ts';
import type { EmailMessageInit } from '../../src/message-init.ts';
import { composeMessage } from '../../src/mime/compose.ts';
import { withoutControls } from '../../src/mime/control-characters.ts';
import { FIXED } from './corpus.ts';
import { lintMail } from './lint-mail.ts';
import { type ReadMail, readWithMailparser, readWithPostalMime, readWithPython } from './read-mail.ts';

/** In CI every field has 2,000 cases. */
const RUNS = process.env['CI'] ? 2_000 : 300;

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
  .map((all) => withoutControls(all.join(''))); // which are refused
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

/** The fields as a parser found them, its known habits evened out on both sides. */
function found({ subject, from, text, html, attachments }: ReadMail): Omit<Fields, 'header'> {
  return {
    subject: subject ?? '',
    name: from[0]?.name ?? '',
    filename: attachments[0]?.filename ?? '',
    text: text ?? '',
    html: html ?? '',
  };
}

function evened({ subject, name, filename, text, html }: Omit<Fields, 'header'>): Omit<Fields, 'header'> {
  const wellFormed = (value: string) => value.replace(/\p{Cs}/gu, '\ufffd');
  const oneLine = (value: string) => wellFormed(value).trim();
  const body = (value: string) => wellFormed(value).replace(/\r\n?/g, '\n').trimEnd();
  return {
    subject: oneLine(subject),
    name: oneLine(name),
    filename: oneLine(filename),
    text: body(text),
    html: body(html),
  };
}

function headerOf({ header }: Fields): string {
  return header.replace(/\p{Cs}/gu, '\ufffd').trim();
}

describe('whatever is written is read', () => {
  const mails: { readonly given: Fields; readonly mail: Uint8Array }[] = [];

  test('by mailparser and postal-mime', { timeout: 300_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fields, async (given) => {
        const mail = composeMessage(new EmailMessage(messageOf(given)), FIXED);
        expect(lintMail(mail)).toEqual([]);
        const byPostalMime = await readWithPostalMime(mail);
        expect(evened(found(byPostalMime))).toEqual(evened(given));
        expect(byPostalMime.headers.get('x-note')?.trim()).toBe(headerOf(given));
        expect(evened(found(await readWithMailparser(mail)))).toEqual(evened(given));
        if (mails.length < 500) mails.push({ given, mail });
      }),
      { numRuns: RUNS, examples: [[LAST_WORD_FILLS_ITS_LINE]] },
    );
  });

  test('by Python, the header too', { timeout: 300_000 }, () => {
    const oneSpace = (value: string) => value.replace(/\s+/g, ' ');
    const python = readWithPython(mails.map(({ mail }) => mail));
    for (const [index, { given }] of mails.entries()) {
      const read = python[index];
      if (!read) throw new Error('one result is missing');
      const wanted = evened(given);
      expect({ ...evened(found(read)), name: oneSpace(evened(found(read)).name) }).toEqual({
        ...wanted,
        name: oneSpace(wanted.name),
      });
      expect(read.headers['x-note']?.trim()).toBe(headerOf(given));
    }
  });
});

const ASKED = ['From', 'To', 'Subject', 'Date', 'Message-ID', 'X-Note', 'MIME-Version', 'Content-Type'];

test('no input makes a header that was not asked for: it is refused, or it stays where it belongs', () => {
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
  fc.assert(
    fc.property(
      fc.record({ subject: hostile, name: hostile, filename: hostile, header: hostile, text: hostile, html: hostile }),
      (given) => {
        let mail: Uint8Array;
        try {
          mail = composeMessage(new EmailMessage(messageOf(given)), FIXED);
        } catch (error) {
          expect(error).toBeInstanceOf(MessageError);
          return;
        }
        expect(lintMail(mail)).toEqual([]);
        const [head = ''] = Buffer.from(mail).toString('latin1').split('\r\n\r\n');
        const names = head.split(/\r\n(?![ \t])/).map((field) => field.slice(0, field.indexOf(':')));
        expect(names).toEqual(ASKED);
      },
    ),
    { numRuns: RUNS },
  );
});

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
        expect(evened(found(await readWithPostalMime(mail)))[field]).toBe(evened(given)[field]);
        expect(evened(found(await readWithMailparser(mail)))[field]).toBe(evened(given)[field]);
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
