import { describe, expect, test } from 'vitest';
import { base64Length, base64Steps, encodeBase64 } from '../../src/mime/compose/base64.ts';
import { encodeWords } from '../../src/mime/compose/encoded-word.ts';
import { withoutNul } from '../../src/mime/compose/nul.ts';
import { encodeQuotedPrintable } from '../../src/mime/compose/quoted-printable.ts';
import { encodeText, toCrlf } from '../../src/mime/compose/text-encoding.ts';
import { fc } from '../properties.ts';

/** By the letter of RFC 2045, section 6.7, not by our tables. */
function decodeQuotedPrintable(text: string): string {
  const octets = text
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(octets, 'latin1').toString('utf8');
}

const canonical = (text: string) => text.replace(/\p{Cs}/gu, '\ufffd').replace(/\r\n?|\n/g, '\r\n');
const text = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(' ', '\t', '\r', '\n', '\r\n', '.', 'From ', '=', 'é', '😀', 'x'.repeat(75)),
    ),
  )
  .map((pieces) => withoutNul(pieces.join('')));

describe('quoted-printable', () => {
  test('any text comes back, in lines of at most 76 that end and begin with nothing fragile', () => {
    fc.assert(
      fc.property(text, (given) => {
        const encoded = encodeQuotedPrintable(given, 'body');
        expect(decodeQuotedPrintable(encoded)).toBe(canonical(given));
        for (const line of encoded.split('\r\n')) {
          expect(line.length).toBeLessThanOrEqual(76);
          expect(line).toMatch(/^(?!\.|From )[\t\x20-\x7e]*$/);
          expect(line).not.toMatch(/[ \t]$/);
        }
      }),
      { numRuns: 2_000 },
    );
  });
  test.each([
    ['a '.repeat(38), `${'a '.repeat(37)}a=\r\n=20`],
    [`${'x'.repeat(75)}\n`, `${'x'.repeat(75)}\r\n`],
    [`${'x'.repeat(74)} \n`, `${'x'.repeat(74)}=\r\n=20\r\n`],
    [`${'x'.repeat(76)}`, `${'x'.repeat(75)}=\r\nx`],
    [`${'x'.repeat(75)}.`, `${'x'.repeat(75)}=\r\n=2E`],
    [`${'x'.repeat(70)}é`, `${'x'.repeat(70)}=\r\n=C3=A9`],
    ['Frank\nFrom x', 'Frank\r\n=46rom x'],
  ])('%j', (given, encoded) => {
    expect(encodeQuotedPrintable(given, 'body')).toBe(encoded);
  });
  test.each(['é', 'x', '\r\n', '😀', 'From ', ' ', 'x\n'])(
    '100,000 times %j, whatever the buffers hold at a time',
    (unit) => {
      for (const shift of ['', 'a', 'ab']) {
        const given = shift + unit.repeat(100_000);
        expect(decodeQuotedPrintable(encodeQuotedPrintable(given, 'body')) === canonical(given)).toBe(true);
      }
    },
  );
});

describe('base64', () => {
  test('any octets come back, and the length is known before', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(3), (given, offset) => {
        const target = new Uint8Array(offset + base64Length(given.length));
        expect(encodeBase64(given, target, offset)).toBe(target.length);
        const lines = Buffer.from(target.subarray(offset)).toString('latin1');
        expect(Buffer.from(lines, 'base64').equals(given)).toBe(true);
        expect(lines).toBe(
          Buffer.from(given)
            .toString('base64')
            .replace(/.{1,76}/g, '$&\r\n'),
        );
      }),
      { numRuns: 2_000 },
    );
  });
  test('in steps it is the same', () => {
    const given = Uint8Array.from({ length: 100_001 }, (_, at) => at & 255);
    const whole = new Uint8Array(base64Length(given.length));
    encodeBase64(given, whole);
    const steps = [...base64Steps(given)].length;
    expect(steps).toBe(4);
    expect(Buffer.concat(Array.from(base64Steps(given), (step) => step.slice())).equals(whole)).toBe(true);
  });
});

test('line ends are the same in a long text and in a short one', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('\r', '\n', '\r\n', 'a', 'é', '😀'), maxLength: 20 }), (given) => {
      const times = Math.ceil(9_000 / Math.max(1, given.length));
      expect(toCrlf(`${given}|`)).toBe(`${given}|`.replace(/\r\n?|\n/g, '\r\n'));
      expect(toCrlf(`${given}|`.repeat(times))).toBe(toCrlf(`${given}|`).repeat(times));
    }),
  );
});

describe('the choice', () => {
  test.each([
    ['plain\r\ntext', '7bit'],
    ['', '7bit'],
    ['tab\tinside', '7bit'],
    ['x'.repeat(78), '7bit'],
    ['x'.repeat(79), 'quoted-printable'],
    ['. x', 'quoted-printable'],
    ['From x', 'quoted-printable'],
    ['x ', 'quoted-printable'],
    ['next line \u0085', 'quoted-printable'],
    [`${'a'.repeat(100)}${'字'.repeat(6)}`, 'quoted-printable'], // 154 characters, 158 in base64
    [`${'a'.repeat(100)}${'字'.repeat(7)}`, 'base64'], // 163, 161
    [`${'a'.repeat(100)}${'я'.repeat(10)}`, 'quoted-printable'], // 160, 160
    [`${'a'.repeat(100)}${'я'.repeat(11)}`, 'base64'], // 166, 163
    [`${'a'.repeat(100)}${'😀'.repeat(5)}`, 'quoted-printable'],
    [`${'a'.repeat(100)}${'😀'.repeat(6)}`, 'base64'],
    ['déjà vu, encore une fois', 'quoted-printable'],
    ['Привет, мир', 'base64'],
    ['こんにちは', 'base64'],
  ])('%j goes as %s', (given, encoding) => {
    expect(encodeText(given, 'body').encoding).toBe(encoding);
  });
  test('is the shorter one, whatever the script', () => {
    const word = fc.oneof(
      fc.constantFrom('the ', 'quick ', 'é', 'яд', '字', '😀', 'naïve '),
      fc.string({ unit: 'grapheme' }).map(withoutNul),
    );
    fc.assert(
      fc.property(fc.array(word, { minLength: 20, maxLength: 200 }), (words) => {
        const given = `${words.join('')} é`;
        const { encoding, body } = encodeText(given, 'body');
        const inBase64 = base64Length(Buffer.byteLength(canonical(given)));
        const other = encoding === 'base64' ? encodeQuotedPrintable(given, 'body').length : inBase64;
        // Soft line breaks, equals signs and the rest of a line are not counted.
        expect(body.length).toBeLessThanOrEqual(other * 1.05 + 10);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('encoded-words', () => {
  const words = (given: string, column = 1) => encodeWords(given, column).split('\r\n ');
  test('no character and no emoji sequence is cut, no line is over 76', () => {
    const family = '👨‍👩‍👧‍👦';
    for (const unit of ['é', 'e\u0301', '字', '😀', '👍🏽', family]) {
      for (const word of words(unit.repeat(40), 9)) {
        expect(word.length).toBeLessThanOrEqual(75);
        const [, kind, payload = ''] = /^=\?UTF-8\?([QB])\?(.+)\?=$/.exec(word) ?? [];
        const decoded =
          kind === 'B'
            ? Buffer.from(payload, 'base64').toString()
            : decodeQuotedPrintable(payload.replaceAll('_', ' '));
        // A family of four is 25 octets: two of them fit in no word, one does.
        expect(decoded.replaceAll(unit, '')).toBe('');
      }
    }
  });
  test('a cluster longer than a word is cut between characters', () => {
    const cluster = `z${'\u0301'.repeat(200)}`;
    const decoded = words(cluster).map((word) => Buffer.from(word.slice(10, -2), 'base64').toString());
    expect(decoded.join('')).toBe(cluster);
    expect(decoded.join('')).not.toContain('\ufffd');
  });
  test('lone surrogates become U+FFFD', () => {
    expect(words('a\ud800')).toEqual(['=?UTF-8?B?Ye+/vQ==?=']);
    expect(words(`${'plain text '.repeat(3)}\ud800`)).toEqual([
      '=?UTF-8?Q?plain_text_plain_text_plain_text_=EF=BF=BD?=',
    ]);
  });
});
