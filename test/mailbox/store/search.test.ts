import { expect, test } from 'vitest';
import { unknownTerms } from '../../../src/mailbox/store/search.ts';

test.each([
  ['from:ann to:bob -subject:"your order" TAG:x has:attachment is:unread is:read words', []],
  ['label:news', ['label:news']],
  ['-in:inbox', ['in:inbox']],
  ['has:invoice is:starred', ['has:invoice', 'is:starred']],
  ['label:a label:a label:b', ['label:a', 'label:b']],
  ['https://example.com/x', []],
  ['10:30 Re: "from: ann"', []],
  ['constructor:x', ['constructor:x']],
])('%s', (query, expected) => {
  expect(unknownTerms(query)).toEqual(expected);
});
