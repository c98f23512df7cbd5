import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { programs, ROOT } from '../docs/code-blocks.ts';

const run = promisify(execFile);

/** The Node that runs the tests, and those that NODE_BINARIES names, parted by colons: CI gives 22, 24 and 26. */
const nodes = [process.execPath, ...(process.env['NODE_BINARIES'] ?? '').split(':').filter(Boolean)];
const manifest: { readonly exports: Readonly<Record<string, string>> } = JSON.parse(
  readFileSync(join(ROOT, 'package.json'), 'utf8'),
);
const specifiers = Object.keys(manifest.exports)
  .filter((subpath) => !subpath.endsWith('.json'))
  .map((subpath) => posix.join('amsdal-mail', subpath));
const [firstBlock] = programs('README.md');
let folder = '';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'consumer-'));
  const pack = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], { cwd: ROOT });
  const [{ filename }]: [{ readonly filename: string }] = JSON.parse(pack.stdout);
  write('package.json', '{ "private": true, "type": "module" }');
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', `./${filename}`], { cwd: folder });
});

afterAll(() => rmSync(folder, { recursive: true }));

function write(path: string, text: string): void {
  writeFileSync(join(folder, path), text);
}

async function typeErrors(files: readonly string[], options: Readonly<Record<string, unknown>>): Promise<string> {
  const strict = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
  };
  const compilerOptions = { target: 'es2023', lib: ['es2023', 'dom'], types: [], ...strict, ...options };
  write('tsconfig.json', JSON.stringify({ compilerOptions, files }));
  const compiler = run(join(ROOT, 'node_modules/.bin/tsc'), [], { cwd: folder });
  return compiler.then(() => '').catch((error: { readonly stdout: string }) => error.stdout);
}

describe('in an empty folder, with nothing but the packed package', () => {
  test('it brings no other package', () => {
    const installed = readdirSync(join(folder, 'node_modules')).filter((name) => !name.startsWith('.'));
    expect(installed).toEqual(['amsdal-mail']);
  });

  test.each(['nodenext', 'bundler'])(
    "README's first block and every entry point type-check with %s resolution, without @types/node",
    async (moduleResolution) => {
      write('first.ts', firstBlock?.text ?? '');
      write('all.ts', specifiers.map((specifier, index) => `export * as m${index} from '${specifier}';`).join('\n'));
      const module = moduleResolution === 'nodenext' ? 'nodenext' : 'esnext';
      expect(await typeErrors(['first.ts', 'all.ts'], { module, moduleResolution, noEmit: true })).toBe('');
    },
  );

  test.each(nodes)("README's first block runs under %s", async (node) => {
    write('first.ts', firstBlock?.text ?? '');
    expect(await typeErrors(['first.ts'], { module: 'nodenext' })).toBe('');
    const { stdout } = await run(node, ['first.js'], { cwd: folder });
    for (const line of firstBlock?.output ?? []) expect(stdout.split('\n')).toContain(line);
  });

  test.each(nodes)('every entry point can be imported and required under %s', async (node) => {
    write('import.mjs', specifiers.map((specifier) => `await import('${specifier}');`).join('\n'));
    write('require.cjs', specifiers.map((specifier) => `require('${specifier}');`).join('\n'));
    for (const file of ['import.mjs', 'require.cjs']) {
      expect(await run(node, [file], { cwd: folder })).toEqual({ stdout: '', stderr: '' });
    }
  });
});
