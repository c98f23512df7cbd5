import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { entryPoints, type Manifest, targetsOf, typesOf } from '../../scripts/lib/entry-points.js';
import { type BackendClass, backendNames, findBackend } from '../../src/connection/registry.ts';
import { ROOT } from '../docs/code-blocks.ts';
import { backendPlaces } from './backend-places.ts';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const manifest: Manifest = JSON.parse(read('package.json'));

const ALL = backendNames().map((name) => [name, findBackend(name) as BackendClass] as const); // nobody has registered others
const isWrapper = ({ optionTable = {} }: BackendClass): boolean => Object.hasOwn(optionTable, 'connections');
const BUILT_IN = ALL.filter(([name, backend]) => !isWrapper(backend) && name !== 'outbox');
const WRAPPERS = ALL.filter(([, backend]) => isWrapper(backend));

test.each(WRAPPERS)('the wrapper %s is named everywhere', (name, { name: className }) => {
  expect(read(`src/wrappers/${name}.ts`)).toMatch(new RegExp(`class ${className} [^]*readonly name = '${name}';`));
  expect(read('docs/resilience.md')).toContain(`\`${name}\``);
  expect(entryPoints()).toContainEqual({ subpath: `./${name}`, name: `wrappers/${name}` });
});

test('the outbox is named everywhere', () => {
  expect(read('src/outbox/outbox-backend.ts')).toMatch(/^export class OutboxBackend .*$/m);
  expect(read('docs/outbox.md')).toContain("AMSDAL_EMAIL_URL='outbox:sqlite:");
  for (const page of ['README.md', 'llms.txt', 'docs/cli.md']) expect(read(page)).toContain('outbox');
  expect(entryPoints()).toContainEqual({ subpath: './outbox', name: 'connection/outbox' });
});

test.each(BUILT_IN)('the backend %s is named everywhere', (name, { name: className, delivers = true }) => {
  expect(backendPlaces(read, name, className, delivers)).toEqual([]);
});

test.each(BUILT_IN)('%s is what its objects say they are', (name, { prototype }) => {
  const file = name === 'mailbox' ? 'mailbox/catch/mailbox-backend' : `backends/${name}`;
  expect(read(`src/${file}.ts`)).toMatch(new RegExp(`readonly name = '${name}';`));
  expect(prototype.sendMessages).toBeTypeOf('function');
});

test.each(entryPoints())('package.json has $subpath in every resolution', ({ subpath, name }) => {
  expect(manifest.exports[subpath]).toEqual(targetsOf(name));
  if (subpath !== '.') expect(manifest.typesVersions['*'][subpath.slice(2)]).toEqual(typesOf(name));
});

test('typesVersions has no other', () => {
  const subpaths = entryPoints().map(({ subpath }) => subpath.slice(2));
  expect(Object.keys(manifest.typesVersions['*'])).toEqual(subpaths.filter((subpath) => subpath !== ''));
});
