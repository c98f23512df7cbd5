import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quotedRuns } from '../../src/smtp/quoted-content.ts';

describe('quotedRuns', () => {
  it.each([
    ['no quotation at all', ['a text of its own'], []],
    ['<<0123456789abcdef>>', ['xx0123456789abcdefyy'], ['0123456789abcdef']],
    ['<<0123456789abcde>>', ['xx0123456789abcdeyy'], []],
    [
      'one 0123456789abcdef two ABCDEFGHIJKLMNOPQRS',
      ['0123456789abcdef', 'ABCDEFGHIJKLMNOPQRS'],
      ['0123456789abcdef', 'ABCDEFGHIJKLMNOPQRS'],
    ],
  ])('in %j of %j are %j', (line, texts, runs) => expect(quotedRuns(line, texts)).toEqual(runs));

  it('are found wherever they begin, and nothing else is', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', ' '), minLength: 16, maxLength: 80 });
    fc.assert(
      fc.property(text, text, (line, source) => {
        const covered = new Set<number>();
        for (let start = 0; start + 16 <= line.length; start++) {
          if (!source.includes(line.slice(start, start + 16))) continue;
          for (let at = start; at < start + 16; at++) covered.add(at);
        }
        const expected = Array.from(line, (character, at) => (covered.has(at) ? character : '\0')).join('');
        expect(quotedRuns(line, [source])).toEqual(expected.split('\0').filter((run) => run !== ''));
      }),
    );
  });
});
