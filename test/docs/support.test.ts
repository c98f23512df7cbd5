import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runtimeTable, toolTable } from '../bundles/support.ts';
import { ROOT } from './code-blocks.ts';

// test/bundles tries all of it; where an expectation there changes, the page has to.

const page = readFileSync(join(ROOT, 'docs/frameworks.md'), 'utf8');

test.each([
  ['runtimes', runtimeTable()],
  ['tools', toolTable()],
])('docs/frameworks.md has the table of the %s that the trials of test/bundles are held against', (_, table) => {
  const head = table.slice(0, table.indexOf('\n'));
  const start = page.indexOf(head);
  expect(start < 0 ? page : page.slice(start, page.indexOf('\n\n', start))).toBe(table);
});

test('what docs/frameworks.md shows of Next.js is what is built and run by test/bundles', () => {
  const folder = join(ROOT, 'test/bundles/programs/next');
  const blocks = [...page.matchAll(/^```jsx file=(\S+)\n(.*?)^```$/gms)];
  expect(blocks.map(([, file]) => file)).toEqual([
    'app/send/route.js',
    'app/page.jsx',
    'instrumentation.js',
    'app/later/route.js',
  ]);
  for (const [, file = '', text] of blocks) expect(text, file).toBe(readFileSync(join(folder, file), 'utf8'));
});
