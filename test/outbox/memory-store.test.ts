import { describe, it } from 'vitest';
import { outboxStoreContract } from '../../src/outbox/contract.ts';
import { memoryStore } from '../../src/outbox/memory-store.ts';

describe('the memory store', () => {
  const cases = outboxStoreContract(() => {
    let now = 1_700_000_000_000;
    const advance = (ms: number) => {
      now += ms;
    };
    return { store: memoryStore({ now: () => now }), advance };
  });
  for (const { name, run } of cases) it(name, run);
});
