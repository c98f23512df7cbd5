import { test } from 'vitest';
import { tryTrees } from './try-trees.ts';

test('whatever fails in whatever tree of wrappers: sent is once, failed is none, unknown is at most once', {
  timeout: 300_000,
}, async () => {
  await tryTrees(1_000);
});
