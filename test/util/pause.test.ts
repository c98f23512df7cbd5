import { afterEach, expect, test, vi } from 'vitest';
import { pause } from '../../src/util/pause.ts';

afterEach(() => vi.useRealTimers());

test('a wait that is longer than a timer can be does not end at once', async () => {
  vi.useFakeTimers();
  const controller = new AbortController();
  let ended: boolean | null = null;
  const waiting = pause(30 * 86_400_000, controller.signal).then((isOver) => {
    ended = isOver;
  });
  await vi.advanceTimersByTimeAsync(86_400_000);
  expect(ended).toBeNull();
  controller.abort();
  await waiting;
  expect(ended).toBe(false);
});
