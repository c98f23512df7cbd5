import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withoutQuotes } from '../../src/util/quoted-content.ts';

describe('withoutQuotes', () => {
  it.each([
    ['no quotation at all', ['a text of its own'], 'no quotation at all'],
    ['<<0123456789abcdef>>', ['xx0123456789abcdefyy'], '<<[content]>>'],
    ['<<0123456789abcde>>', ['xx0123456789abcdeyy'], '<<0123456789abcde>>'],
    [
      'a 0123456789abcdef b ABCDEFGHIJKLMNOPQRS',
      ['0123456789abcdef', 'ABCDEFGHIJKLMNOPQRS'],
      'a [content] b [content]',
    ],
  ])('makes of %j, with %j, %j', (line, texts, shown) => expect(withoutQuotes(line, texts)).toBe(shown));

  it('finds runs wherever they begin, in short and in long lines, and nothing else', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', ' '), minLength: 16, maxLength: 400 });
    fc.assert(
      fc.property(text, text, (line, source) => {
        const quoted = new Uint8Array(line.length);
        for (let start = 0; start + 16 <= line.length; start++) {
          if (source.includes(line.slice(start, start + 16))) quoted.fill(1, start, start + 16);
        }
        const shown = Array.from(line, (character, at) => (quoted[at] === 1 ? '\0' : character)).join('');
        expect(withoutQuotes(line, [source])).toBe(shown.replace(/\0+/g, '[content]'));
      }),
    );
  });

  it('looks at every character of a large text about once, however much of the line it has', () => {
    const words = 'the quick brown fox jumps over the lazy dog and runs away from it '.repeat(16_000);
    const line = words.slice(7, 2_000).split('').reverse().join('') + words.slice(0, 2_000);
    const started = process.cpuUsage().user;
    for (let time = 0; time < 20; time++) expect(withoutQuotes(line, [words])).toContain('[content]');
    // Twenty passes over a megabyte; block by block it was seconds for each.
    expect((process.cpuUsage().user - started) / 1000).toBeLessThan(10_000);
  });
});
