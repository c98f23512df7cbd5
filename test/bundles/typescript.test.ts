import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { HERE, installPacked, PROGRAMS, runProgram, tool } from './packed.ts';

// Every TypeScript from 5.4 on reads the declarations, with every way of finding modules that people still have, and with
// nothing beside the package: neither its optional peers nor, in half of the cases, the types of Node.

let folder = '';
let specifiers: readonly string[] = [];
beforeAll(async () => {
  await installPacked();
  folder = mkdtempSync(join(tmpdir(), 'typescript-'));
  const installed = join(folder, 'node_modules/amsdal-mail');
  cpSync(join(HERE, 'node_modules/amsdal-mail'), installed, { recursive: true });
  mkdirSync(join(folder, 'node_modules/@types'));
  // Those of Node 20: TypeScript 5.4 cannot read the latest.
  symlinkSync(join(HERE, '../../node_modules/@types/node'), join(folder, 'node_modules/@types/node'));
  const { exports }: { readonly exports: Readonly<Record<string, unknown>> } = JSON.parse(
    readFileSync(join(installed, 'package.json'), 'utf8'),
  );
  specifiers = Object.keys(exports)
    .filter((subpath) => !subpath.endsWith('.json'))
    .map((subpath) => `amsdal-mail${subpath.slice(1)}`);
});
afterAll(() => rmSync(folder, { recursive: true }));

type Version = 'typescript-5.4' | 'typescript' | 'typescript-7';

/** What the compiler says of a program of the folder `programs`, and of one that imports every subpath. */
async function compile(
  version: Version,
  place: string,
  extension: 'ts' | 'cts' | 'mts',
  compilerOptions: Readonly<Record<string, unknown>>,
): Promise<string> {
  mkdirSync(join(folder, place));
  cpSync(join(PROGRAMS, 'typed.ts'), join(folder, place, `typed.${extension}`));
  const every = specifiers.map((specifier, index) => `export * as m${index} from '${specifier}';\n`);
  writeFileSync(join(folder, place, `every.${extension}`), every.join(''));
  return check(version, place, [`typed.${extension}`, `every.${extension}`], compilerOptions);
}

/** What the compiler says of files; an empty string when nothing is wrong. */
async function check(
  version: Version,
  place: string,
  files: readonly string[],
  options: Readonly<Record<string, unknown>>,
): Promise<string> {
  const compilerOptions = { strict: true, skipLibCheck: false, target: 'es2022', types: [], ...options };
  writeFileSync(join(folder, place, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
  const ended = await runProgram(process.execPath, [tool(`${version}/bin/tsc`), '-p', join(folder, place)]);
  return ended.output + ended.errors || (ended.code === 0 ? '' : `it ended with ${ended.code}`);
}

const NODE10 = { module: 'commonjs', moduleResolution: 'node10' };
const NODE16 = { module: 'node16' };
const NODENEXT = { module: 'nodenext' };
const BUNDLER = { module: 'esnext', moduleResolution: 'bundler' };

/** Without the types of Node, and with them instead of the DOM's; a compilation is slow, so that every other has the one. */
const ALONE = { types: [], exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true };
const NODE = { types: ['node'], lib: ['es2022'] };

type Case = readonly [Version, string, 'ts' | 'cts' | 'mts', Readonly<Record<string, unknown>>];
const CASES: readonly Case[] = [
  ...(['typescript-5.4', 'typescript'] as const).flatMap((version): readonly Case[] => [
    [version, 'node10', 'ts', { ...NODE10, ...ALONE }],
    [version, 'node16 from CommonJS with types of Node', 'cts', { ...NODE16, ...NODE }],
    [version, 'node16 from ES modules', 'mts', { ...NODE16, ...ALONE }],
    [version, 'bundler with types of Node', 'ts', { ...BUNDLER, ...NODE }],
  ]),
  ['typescript-7', 'node16 from CommonJS', 'cts', { ...NODE16, ...ALONE }],
  ['typescript-7', 'node16 from ES modules with types of Node', 'mts', { ...NODE16, ...NODE }],
  ['typescript-7', 'nodenext from CommonJS with types of Node', 'cts', { ...NODENEXT, ...NODE }],
  ['typescript-7', 'nodenext from ES modules', 'mts', { ...NODENEXT, ...ALONE }],
  ['typescript-7', 'bundler', 'ts', { ...BUNDLER, ...ALONE }],
  ['typescript-7', 'commonjs, however it finds modules', 'ts', { module: 'commonjs', ...NODE }],
];

test.each(CASES)('%s, %s: a program and every subpath', async (version, name, extension, options) => {
  const place = `${version}-${name.replaceAll(/\W+/g, '-')}`;
  expect(await compile(version, place, extension, options)).toBe('');
  if (extension === 'mts' || options['module'] === 'esnext') return; // what CommonJS programs become is run as well
  const compiled = join(folder, place, `typed.${extension.replace('ts', 'js')}`);
  const ended = await runProgram(process.execPath, [compiled]);
  expect(ended).toEqual({ code: 0, output: 'sent invalid-message unknown-option 550\n', errors: '' });
});

test('each subpath by itself has all that its types need', async () => {
  mkdirSync(join(folder, 'single'));
  const told: string[] = [];
  for (const [index, specifier] of specifiers.entries()) {
    const file = `subpath${index}.cts`;
    writeFileSync(join(folder, 'single', file), `export * as subpath from '${specifier}';\n`);
    const output = await check('typescript-7', 'single', [file], { ...NODENEXT, noEmit: true });
    if (output !== '') told.push(`${specifier}: ${output}`);
  }
  expect(told).toEqual([]);
});
