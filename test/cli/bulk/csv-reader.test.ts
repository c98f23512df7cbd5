import { describe, expect, test } from 'vitest';
import { CsvReader } from '../../../src/cli/bulk/csv-reader.ts';
import { fc } from '../../properties.ts';

function read(...pieces: readonly string[]): (readonly string[])[] {
  const reader = new CsvReader();
  return [...pieces.flatMap((piece) => reader.push(piece)), ...reader.end()].map(({ cells }) => cells);
}

const write = (rows: readonly (readonly string[])[], newline: string): string =>
  rows.map((cells) => cells.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(',') + newline).join('');

describe('CsvReader reads', () => {
  test.each([
    [
      'rows and cells',
      'a,b\nc,d\n',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    [
      'CRLF',
      'a,b\r\nc,d\r\n',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    [
      'a last row without a line end',
      'a,b\r\nc,d',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    [
      'empty cells',
      ',\n,,\n',
      [
        ['', ''],
        ['', '', ''],
      ],
    ],
    ['a last cell that is empty', 'a,', [['a', '']]],
    ['quoted commas, quotes and line ends', '"a,b","c ""d""","e\r\nf"\n', [['a,b', 'c "d"', 'e\r\nf']]],
    ['a quote inside a cell that is not quoted', 'a "b" c,d\n', [['a "b" c', 'd']]],
    ['spaces as they are', ' a , b\n', [[' a ', ' b']]],
    ['no empty lines', '\na\n\r\n\nb\n', [['a'], ['b']]],
    ['an empty cell in quotes', '""\n', [['']]],
    ['nothing', '', []],
  ])('%s', (_, text, rows) => {
    expect(read(text)).toEqual(rows);
  });

  test('the line each row begins on', () => {
    const reader = new CsvReader();
    const rows = [...reader.push('a\n"b\nb"\n\nc\n'), ...reader.end()];
    expect(rows.map(({ line, cells }) => [line, cells[0]])).toEqual([
      [1, 'a'],
      [2, 'b\nb'],
      [5, 'c'],
    ]);
  });

  test.each([
    ['a\n"b', 'line 2 has a quote that is not closed'],
    ['"a"b\n', 'line 1 has text after a closing quote'],
    ['"a" ,b\n', 'line 1 has text after a closing quote'],
    [`"${'x'.repeat(4_000_001)}`, 'is a quote not closed?'],
  ])('and refuses what is wrong', (text, fault) => {
    expect(() => read(text)).toThrow(fault);
  });
});

const rowsOfText = fc.array(
  fc.array(fc.string({ unit: fc.constantFrom('a', 'é', '"', ',', '\r', '\n', ' ', '{') }), { minLength: 1 }),
);

test('what is written by RFC 4180 is read back, however it is cut into pieces', () => {
  fc.assert(
    fc.property(rowsOfText, fc.constantFrom('\n', '\r\n'), fc.array(fc.nat(200)), (rows, newline, cuts) => {
      const text = write(rows, newline);
      const places = [...new Set(cuts)].filter((at) => at < text.length).sort((a, b) => a - b);
      const pieces = [0, ...places].map((at, index) => text.slice(at, places[index]));
      expect(read(...pieces)).toEqual(rows);
    }),
  );
});

test('any text is read alike, whole or in single characters', () => {
  const attempt = (...pieces: readonly string[]) => {
    try {
      return read(...pieces);
    } catch (error) {
      return String(error);
    }
  };
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', '"', ',', '\r', '\n') }), (text) => {
      expect(attempt(...text)).toEqual(attempt(text));
    }),
  );
});

test.each(['x', '"', ',', '\r', '\n'])(
  'a row that comes in single characters is not read again for each: %j',
  (character) => {
    const reader = new CsvReader();
    reader.push('"');
    // Read anew each time, these would be 45,000,000,000 characters.
    for (let count = 0; count < 300_000; count++) reader.push(character === '"' ? '""' : character);
    expect(reader.push('"\n').map(({ cells }) => cells[0]?.length)).toEqual([300_000]);
  },
);
