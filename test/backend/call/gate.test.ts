import { expect, test } from 'vitest';
import { Gate } from '../../../src/backend/call/gate.ts';

test('lets as many in as the limit says, the others in order as there is room', () => {
  const started: number[] = [];
  const gate = new Gate(() => 2);
  for (let call = 0; call < 6; call++) gate.queue({ enter: () => started.push(call) });
  expect(started).toEqual([0, 1]);
  gate.leave();
  expect(started).toEqual([0, 1, 2]);
  gate.leave();
  gate.leave();
  expect(started).toEqual([0, 1, 2, 3, 4]);
});

test.each([
  ['while something loads', () => Promise.resolve()],
  ['until what loads has failed', () => Promise.reject(new Error('missing'))],
])('lets nobody in %s, and then as many as there is room for', async (_, load) => {
  const started: number[] = [];
  const gate = new Gate(() => 2);
  const loading = gate.holdDuring(load());
  for (let call = 0; call < 4; call++) gate.queue({ enter: () => started.push(call) });
  expect([gate.isHeld, ...started]).toEqual([true]);
  await loading;
  expect([gate.isHeld, ...started]).toEqual([false, 0, 1]);
  gate.leave();
  expect(started).toEqual([0, 1, 2]);
});

test('who leaves for a while and comes back counts again', () => {
  const started: string[] = [];
  const gate = new Gate(() => 1);
  gate.queue({ enter: () => started.push('outer') });
  gate.queue({ enter: () => started.push('waiting') });
  gate.leave();
  expect(started).toEqual(['outer', 'waiting']);
  gate.resume();
  gate.queue({ enter: () => started.push('later') });
  gate.leave();
  expect(started).not.toContain('later');
  gate.leave();
  expect(started).toContain('later');
});

test('a hundred thousand that leave as they enter, given up meanwhile, let the one behind them in', () => {
  const gate = new Gate(() => 1);
  let last = false;
  gate.queue({ enter: () => {} });
  for (let call = 0; call < 100_000; call++) gate.queue({ enter: () => gate.leave() });
  gate.queue({
    enter: () => {
      last = true;
    },
  });
  gate.leave();
  expect(last).toBe(true);
});

test('a hundred thousand waiting cost a moment', () => {
  const gate = new Gate(() => 1);
  const order: number[] = [];
  for (let call = 0; call < 100_000; call++) gate.queue({ enter: () => order.push(call) });
  for (let call = 0; call < 100_000; call++) gate.leave();
  expect(order).toHaveLength(100_000);
  expect(order.every((call, place) => call === place)).toBe(true);
});
