import { describe, expect, test } from 'vitest';
import {
  backendContract,
  type ContractFactory,
  describeBackend,
} from '../../../src/testing/contract/backend-contract.ts';
import { FAULTS, sound } from './faulty-backends.ts';

const lacks = ['stall', 'loseAnswers'] as const;

/** Registers the suite as a runner would, and runs it: the names of the cases that fail. */
async function failures(factory: ContractFactory): Promise<string[]> {
  const cases: { readonly name: string; readonly body: () => Promise<void> }[] = [];
  describeBackend('copy', factory, {
    lacks,
    describe: (_, body) => body(),
    it: (name, body) => cases.push({ name, body }),
  });
  const failed: string[] = [];
  for (const { name, body } of cases) await body().catch(() => failed.push(name));
  return failed;
}

test('nothing is found in a sound backend', async () => {
  expect(await failures(sound)).toEqual([]);
});

test.each(FAULTS)('planted and caught: %s', async (_, make, rule) => {
  expect((await failures(make)).join('\n')).toContain(rule);
});

describe('cases that need a provider that can be told', () => {
  test('are left out where it lacks that, and fail where nobody says so', async () => {
    const names = (options: Parameters<typeof backendContract>[1]) =>
      backendContract(sound, options).map(({ name }) => name);
    const lost = 'the answer is lost: it says unknown, and does not send again';
    expect(names({})).toContain(lost);
    expect(names({ lacks })).not.toContain(lost);
    const run = backendContract(sound)
      .find(({ name }) => name === lost)
      ?.run();
    await expect(run).rejects.toThrow("the provider has no loseAnswers(): give it one, or say lacks: ['loseAnswers']");
  });

  test('a case ends when the backend does not', async () => {
    const nothing = () => Promise.resolve();
    const backend = { sendMessages: () => new Promise<never>(() => {}), open: nothing, close: nothing };
    const factory = () => ({ received: () => [], backend });
    await expect(backendContract(factory, { timeoutMs: 50 })[0]?.run()).rejects.toThrow('did not end within 50 ms');
  });
});
