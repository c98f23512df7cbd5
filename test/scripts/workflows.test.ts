import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseDocument } from 'yaml';

// What the platform that runs them would say only when they are run, or never.

interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}
interface Workflow {
  readonly name: string;
  readonly permissions: unknown;
  readonly jobs: Readonly<Record<string, { readonly steps: readonly Step[]; readonly 'timeout-minutes'?: number }>>;
}

const folder = new URL('../../.github/', import.meta.url);
const read = (path: string | URL) => {
  const document = parseDocument(readFileSync(new URL(path, folder), 'utf8'));
  expect([...document.errors, ...document.warnings]).toEqual([]);
  return document.toJS();
};
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => path.endsWith('.yml'));
const manifest = JSON.parse(readFileSync(new URL('../package.json', folder), 'utf8'));

test.each(files)('%s is YAML without duplicate keys', (path) => {
  expect(read(path)).toBeTypeOf('object');
});

describe.each(files.filter((path) => path.startsWith('workflows/')))('%s', (path) => {
  const { permissions, jobs } = read(path) as Workflow;
  const steps = Object.values(jobs).flatMap((job) => job.steps);

  test('may only read, where a job does not say more', () => {
    expect(permissions).toEqual({ contents: 'read' });
  });

  test('says what each step does, in a sentence', () => {
    for (const step of steps) expect(step.name, JSON.stringify(step)).toMatch(/^[A-Z]\S+ \S.*[^.]$/);
  });

  test('uses actions of one major version', () => {
    for (const { uses } of steps) if (uses !== undefined) expect(uses).toMatch(/^[\w-]+\/[\w/-]+@v\d+$/);
  });

  test('ends when it hangs', () => {
    for (const job of Object.values(jobs)) expect(job['timeout-minutes']).toBeGreaterThan(0);
  });

  test('runs npm scripts that there are', () => {
    const commands = steps.flatMap(({ run, with: inputs }) => [run, inputs?.['publish']]).join('\n');
    for (const [, script = ''] of commands.matchAll(/npm (?:run )?(?!ci\b)([\w:]+)/g))
      expect(Object.keys(manifest.scripts)).toContain(script);
  });
});

test('the oldest supported Node is tested, on three systems', () => {
  const { strategy } = read('workflows/test.yml').jobs.test;
  expect(strategy.matrix.node).toContain(manifest.engines.node.replace('>=', ''));
  expect(strategy.matrix.os).toHaveLength(3);
  expect(readFileSync(new URL('../.nvmrc', folder), 'utf8').trim()).toBe(strategy.matrix.node[0]);
});
