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
