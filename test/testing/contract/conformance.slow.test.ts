import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../../docs/code-blocks.ts';
import { judge, printTable } from './conformance.ts';

test('the table of docs/testing.md is what the contract finds, of others and of us', { timeout: 300_000 }, async () => {
  const page = readFileSync(join(ROOT, 'docs/testing.md'), 'utf8');
  const table = page.split('```text\n').at(-1)?.split('\n```')[0];
  expect(table).toBe(printTable(await judge()));
});
