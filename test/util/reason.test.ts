import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { deliverEach } from '../../src/backend/deliver-each.ts';
import { isError, reasonOf } from '../../src/util/reason.ts';
import { draft, ProbeBackend } from '../probe-backend.ts';

const FOREIGN: unknown = runInNewContext("new TypeError('of another realm')");

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('what was thrown', () => {
  test.each([
    [new Error('plain'), true, 'plain'],
    [FOREIGN, true, 'of another realm'],
    [new DOMException('stop', 'AbortError'), true, 'stop'],
    ['text', false, 'text'],
    [undefined, false, 'undefined'],
    [Symbol('s'), false, 'Symbol(s)'],
    [{ message: 'no error' }, false, '[object Object]'],
    [Object.create(null), false, '[object Object]'],
  ])('is told whatever it is', (thrown, isOne, reason) => {
    expect([isError(thrown), reasonOf(thrown)]).toEqual([isOne, reason]);
  });

  test('is told as well as can be where the runtime cannot tell errors of another realm', () => {
    vi.stubGlobal('process', undefined);
    expect([isError(new Error('x')), isError(FOREIGN), reasonOf('x')]).toEqual([true, false, 'x']);
  });
});

test("a backend's error of another realm, as in Jest, is told by its message alone", async () => {
  const backend = new ProbeBackend((jobs) => deliverEach(jobs, () => Promise.reject(FOREIGN)));
  const error = await backend.sendMessages([draft('one')]).catch((thrown: unknown) => thrown);
  expect(reasonOf(error)).toMatch(/was sent: of another realm$/);
});
