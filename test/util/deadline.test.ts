import { expect, it, vi } from 'vitest';
import { addAbortListener, removeAbortListener } from '../../src/util/abort-listeners.ts';
import { Deadline } from '../../src/util/deadline.ts';

it('aborts when time is up, and says so', () => {
  vi.useFakeTimers();
  const deadline = new Deadline(100, new AbortController().signal);
  vi.advanceTimersByTime(99);
  expect([deadline.signal.aborted, deadline.isOver]).toEqual([false, false]);
  vi.advanceTimersByTime(1);
  expect([deadline.signal.aborted, deadline.isOver]).toEqual([true, true]);
  expect(deadline.signal.reason).toMatchObject({ name: 'TimeoutError' });
  vi.useRealTimers();
});

it('aborts with the other signal, for its reason', () => {
  const abort = new AbortController();
  const early = new Deadline(100, AbortSignal.abort('before'));
  const deadline = new Deadline(100, abort.signal);
  abort.abort('enough');
  expect([early.signal.reason, deadline.signal.reason, deadline.isOver]).toEqual(['before', 'enough', false]);
  early.clear();
  deadline.clear();
});

it('does nothing more once cleared', () => {
  vi.useFakeTimers();
  const abort = new AbortController();
  const deadline = new Deadline(100, abort.signal);
  deadline.clear();
  vi.advanceTimersByTime(1_000);
  abort.abort();
  expect(deadline.signal.aborted).toBe(false);
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

it('tells those who listen, and a signal that is asked for only then', () => {
  const abort = new AbortController();
  const deadline = new Deadline(100, abort.signal);
  const called: string[] = [];
  const gone = (): void => void called.push('gone');
  addAbortListener(deadline, () => void called.push('there'));
  addAbortListener(deadline, gone);
  removeAbortListener(deadline, gone);
  abort.abort('enough');
  addAbortListener(deadline, gone);
  expect([called, deadline.aborted, deadline.reason]).toEqual([['there'], true, 'enough']);
  expect([deadline.signal.aborted, deadline.signal.reason]).toEqual([true, 'enough']);
  deadline.clear();
});
