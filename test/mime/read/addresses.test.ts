import { expect, test } from 'vitest';
import { readAddresses } from '../../../src/mime/read/addresses.ts';

const ann = { name: 'Ann', address: 'ann@example.org' };
const bob = { name: '', address: 'bob@example.org' };

test.each([
  ['Ann <ann@example.org>, bob@example.org', [ann, bob]],
  ['Team: Ann <ann@example.org>, bob@example.org;', [ann, bob]],
  ['"Team <x@y>": Ann <ann@example.org>;, bob@example.org', [ann, bob]],
  ['Ann <ann@example.org>; bob@example.org', [ann, bob]],
  ['Ann (at: home) <ann@example.org>', [ann]],
  ['Ann <ann@example.org:25>', [{ name: 'Ann', address: 'ann@example.org:25' }]],
])('%s', (header, expected) => {
  expect(readAddresses(header)).toEqual(expected.map(({ name, address }) => ({ name, address })));
});

test('of a header that is too long no address is read that may be cut', () => {
  const long = `bob@example.org, ${' '.repeat(100_000 - 21)}ann@example.organisation`;
  expect(readAddresses(long)).toEqual([bob]);
});

test('a thousand addresses are read', () => {
  expect(readAddresses('bob@example.org,'.repeat(1_500)).length).toBe(1_000);
});
