import { readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { expect, test } from 'vitest';
import { testsToLeaveOut } from './programs.ts';

const withoutPostfix = (path: string): boolean => path !== '/usr/sbin/postfix';

test('where a program is missing, its tests are left out, also in the CI of whoever has cloned this', () => {
  expect(testsToLeaveOut({}, withoutPostfix)).toEqual(['*.postfix.test.ts']);
  expect(testsToLeaveOut({ CI: 'true' }, withoutPostfix)).toEqual(['*.postfix.test.ts']);
});

test('who asks for all tests is told what they lack', () => {
  expect(testsToLeaveOut({ AMSDAL_TEST_ALL: '1' }, () => true)).toEqual([]);
  expect(() => testsToLeaveOut({ AMSDAL_TEST_ALL: '1' }, withoutPostfix)).toThrow(
    /not installed: \*\.postfix\.test\.ts$/,
  );
});

test('what a file of tests is called says when it runs: slow first, then the program it needs', () => {
  const programs = testsToLeaveOut({}, () => false).map((glob) => glob.split('.')[1]);
  const name = new RegExp(String.raw`^[a-z0-9-]+(\.slow)?(\.(${programs.join('|')}|live))?\.test\.ts$`);
  const files = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
    .filter((path) => !path.includes('node_modules')) // the installed bundlers bring tests of their own
    .map((path) => basename(path));
  expect(files.filter((file) => file.endsWith('.test.ts') && !name.test(file))).toEqual([]);
});
