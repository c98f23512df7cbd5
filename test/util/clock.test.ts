import { afterEach, expect, test, vi } from 'vitest';
import { SYSTEM_CLOCK } from '../../src/util/clock.ts';

afterEach(() => {
  vi.useRealTimers();
});

test('a wait longer than timers can be does not end at once', () => {
  vi.useFakeTimers();
  const wake = vi.fn();
  const cancel = SYSTEM_CLOCK.wakeAfter(30 * 86_400_000, wake);
  vi.advanceTimersByTime(86_400_000);
  expect(wake).not.toHaveBeenCalled();
  cancel();
});
