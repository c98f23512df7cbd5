import { expect, onTestFinished, test, vi } from 'vitest';
import { DummyBackend } from '../../src/backends/dummy.ts';
import { failover } from '../../src/connection/wrappers.ts';
import { draft } from '../probe-backend.ts';

test('mails that are sent at once share what is told of their tries, and nobody changes it for the others', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const backend = failover([new DummyBackend(), new DummyBackend()]);
  const { results } = await backend.sendMessages([draft('one'), draft('two')]);
  const [one, two] = results.map(({ recipients }) => [...recipients.values()][0]?.tries);
  expect(one).toBe(two);
  expect(() => Object.assign(one?.[0] ?? {}, { via: 'changed' })).toThrow(TypeError);
  expect(two).toMatchObject([{ via: 'dummy', status: 'sent' }]);
});
