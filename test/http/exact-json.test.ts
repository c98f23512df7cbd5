import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseExactJson } from '../../src/http/exact-json.ts';

test.each<[string, unknown]>([
  ['{"MessageID": 20547681647433001}', { MessageID: '20547681647433001' }],
  ['[-20547681647433001, 1]', ['-20547681647433001', 1]],
  ['[9007199254740991, 9007199254740993]', [9007199254740991, '9007199254740993']],
  [
    '{"text": "id: 20547681647433001, \\"20547681647433001\\""}',
    { text: 'id: 20547681647433001, "20547681647433001"' },
  ],
  ['[12345678901234567.5, 1234567890123456789e2]', [12345678901234568, 123456789012345680000]],
  ['20547681647433001', '20547681647433001'],
  ['', undefined],
  ['<html> 20547681647433001', undefined],
  ['{"a": 20547681647433001', undefined],
])('%s', (text, expected) => {
  expect(parseExactJson(text)).toEqual(expected);
});

test('texts stay as they are, whatever is in them', () => {
  const digits = fc.stringMatching(/^[0-9"\\:,[\]]{0,40}$/);
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.oneof(digits, fc.string(), fc.maxSafeInteger())), (value) => {
      expect(parseExactJson(JSON.stringify(value))).toEqual({ ...value });
    }),
  );
});

test('a long text without an end takes no longer than its length', () => {
  expect(parseExactJson(`"${'\\"1234567890123456'.repeat(100_000)}`)).toBeUndefined();
});
