import { expect, test, vi } from 'vitest';
import { parseRate } from '../../../src/cli/bulk/bulk-run.ts';
import { formatProgress, ProgressLine } from '../../../src/cli/bulk/progress-line.ts';

const counts = { sent: 1200, queued: 0, invalid: 0, rejected: 0, failed: 3, unknown: 0, unsent: 0 };

test.each([
  [{ counts, done: 1003, planned: 9800 }, 10_000, '1,200 sent, 3 failed of 10,000, 100/s, 1:28 left'],
  [{ counts, done: 1003, planned: 9800 }, 600_000, '1,200 sent, 3 failed of 10,000, 1.7/s, 1:27:43 left'],
  [{ counts: { ...counts, sent: 0, failed: 0 }, done: 0, planned: 5 }, 0, '0 sent of 5, 0.0/s, starting'],
  [{ counts: { ...counts, sent: 5, failed: 0 }, done: 5, planned: 5 }, 1000, '5 sent of 5, 5.0/s, 0:00 left'],
])('progress is told as %#', (progress, elapsedMs, text) => {
  expect(formatProgress(progress, elapsedMs)).toBe(text);
});

test.each([
  ['10', 10],
  ['10/s', 10],
  ['90/m', 1.5],
  ['1800/h', 0.5],
  ['0.5/s', 0.5],
])('a rate of %s is %d a second', (text, rate) => {
  expect(parseRate(text)).toBe(rate);
});

test.each(['', '0', '-1', '10/d', 'fast', '1e3'])('a rate of %j is none', (text) => {
  expect(() => parseRate(text)).toThrow('--rate must be a number');
});

test('where nobody looks on, progress is a line every five seconds', () => {
  vi.useFakeTimers();
  const lines: string[] = [];
  const stream = { columns: 80, write: (text: string) => lines.push(text) };
  const line = new ProgressLine(stream, false, () => ({ counts, done: 1003, planned: 9800 }));
  vi.advanceTimersByTime(11_000);
  line.note('stopping');
  line.end();
  vi.advanceTimersByTime(11_000);
  vi.useRealTimers();
  expect(lines).toHaveLength(3);
  expect(lines[0]).toMatch(/^1,200 sent, 3 failed of 10,000, .*\n$/);
  expect(lines[2]).toBe('stopping\n');
});
