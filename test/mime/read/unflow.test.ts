import { expect, test } from 'vitest';
import { unflow } from '../../../src/mime/read/unflow.ts';
import { fc } from '../../properties.ts';

const lines = (...all: string[]) => all.join('\n');

// RFC 3676, sections 4.1 to 4.5.
test.each<[string, string, string]>([
  ['a paragraph', lines('one ', 'two ', 'three', 'next'), lines('one two three', 'next')],
  ['space-stuffing', lines(' From me', '  two spaces', ' > no quote'), lines('From me', ' two spaces', '> no quote')],
  ['the continuation is stuffed', lines('word ', ' From here'), 'word From here'],
  ['a signature', lines('text ', '-- ', 'Jane '), lines('text ', '-- ', 'Jane ')],
  ['a quoted signature', lines('> text', '> -- ', '> Jane'), lines('> text', '> -- ', '> Jane')],
  ['quotes', lines('>> a ', '>> b', '> c ', '> d', 'e'), lines('>> a b', '> c d', 'e')],
  ['a soft break before another depth is a hard one', lines('> a ', 'b'), lines('> a ', 'b')],
  ['an empty quoted line', lines('> a', '>', '> b'), lines('> a', '>', '> b')],
  ['the end', lines('a ', ''), 'a '],
])('%s', (_, flowed, text) => {
  expect(unflow(flowed, false)).toBe(text);
});

test('spaces that were added on the way are taken off', () => {
  expect(unflow(lines('天地 ', '玄黃  ', 'a', '> b ', '> c'), true)).toBe(lines('天地玄黃 a', '> bc'));
});

test('a text whose lines do not end in spaces, stuffed, is as it was', () => {
  const line = fc.string({ unit: 'grapheme' }).map((text) => text.replace(/[\r\n]| +$/g, ''));
  fc.assert(
    fc.property(fc.array(line), (all) => {
      const stuffed = all.map((text) => (/^(?: |>|From )/.test(text) ? ` ${text}` : text)).join('\n');
      expect(unflow(stuffed, false)).toBe(all.join('\n'));
    }),
  );
});

test('a text broken at its spaces is one paragraph again', () => {
  const word = fc.stringMatching(/^[a-zA-Z.,é世]{1,12}$/);
  fc.assert(
    fc.property(fc.array(word, { minLength: 1 }), (words) => {
      expect(unflow(words.join(' \n'), false)).toBe(words.join(' '));
      expect(unflow(words.join(' \n'), true)).toBe(words.join(''));
    }),
  );
});
