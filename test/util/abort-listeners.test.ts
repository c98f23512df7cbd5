import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { addAbortListener, removeAbortListener } from '../../src/util/abort-listeners.ts';

const onSignal = (signal: AbortSignal) => getEventListeners(signal, 'abort').length;

test('any number of listeners are one on the signal, and each is called once', () => {
  const abort = new AbortController();
  const called: number[] = [];
  for (let index = 0; index < 50; index++) addAbortListener(abort.signal, () => called.push(index));
  expect(onSignal(abort.signal)).toBe(1);
  abort.abort();
  abort.abort();
  expect(called).toEqual(Array.from({ length: 50 }, (_, index) => index));
  expect(onSignal(abort.signal)).toBe(0);
});

test('the last one to go leaves nothing on the signal, and one may come again', () => {
  const abort = new AbortController();
  let called = 0;
  const listener = () => void called++;
  const other = () => {};
  addAbortListener(abort.signal, listener);
  addAbortListener(abort.signal, listener);
  addAbortListener(abort.signal, other);
  removeAbortListener(abort.signal, other);
  expect(onSignal(abort.signal)).toBe(1);
  removeAbortListener(abort.signal, listener);
  removeAbortListener(abort.signal, listener);
  expect(onSignal(abort.signal)).toBe(0);
  addAbortListener(abort.signal, listener);
  abort.abort();
  expect(called).toBe(1);
});

test('one that is taken away by an earlier one is not called', () => {
  const abort = new AbortController();
  const called: string[] = [];
  const second = () => void called.push('second');
  addAbortListener(abort.signal, () => {
    called.push('first');
    removeAbortListener(abort.signal, second);
  });
  addAbortListener(abort.signal, second);
  abort.abort();
  expect(called).toEqual(['first']);
});

test('without a signal, and with one that has aborted, nobody is called', () => {
  const listener = () => expect.unreachable();
  const aborted = AbortSignal.abort();
  addAbortListener(undefined, listener);
  removeAbortListener(undefined, listener);
  addAbortListener(aborted, listener);
  removeAbortListener(aborted, listener);
  expect(onSignal(aborted)).toBe(0);
});
