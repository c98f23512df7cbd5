import { expect, test } from 'vitest';
import { recipientRefusal } from '../../src/model/reply-status.ts';

test.each([
  [550, '5.1.1', 'invalid', false],
  [550, '5.1.2', 'invalid', false],
  [550, '5.1.3', 'invalid', false],
  [551, '5.1.6', 'invalid', false],
  [556, '5.1.10', 'invalid', false],
  [553, null, 'invalid', false],
  [553, '5.7.1', 'invalid', false],
  [550, '5.1.8', 'rejected', false],
  [550, '5.7.1', 'rejected', false],
  [554, null, 'rejected', false],
  [550, null, 'rejected', false],
  [552, '5.2.2', 'failed', true],
  [450, '4.2.0', 'failed', true],
  [451, '5.1.1', 'failed', true],
  [421, null, 'failed', true],
] as const)('%i %s to RCPT: %s, retryable %s', (code, enhancedCode, status, retryable) => {
  expect(recipientRefusal({ code, enhancedCode })).toEqual({ status, retryable });
});
