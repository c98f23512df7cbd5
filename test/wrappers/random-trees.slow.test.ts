import { test } from 'vitest';
import { tryTrees } from './try-trees.ts';

test('ten thousand random trees of wrappers over random faults', { timeout: 1_200_000 }, async () => {
  await tryTrees(10_000);
});
