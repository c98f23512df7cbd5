import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROOT } from '../docs/code-blocks.ts';
import { backendPlaces } from './backend-places.ts';

const run = promisify(execFile);
/** What the generator reads and writes, and what its output is checked with. */
const COPIED = [
  ...['src', 'scripts', 'docs', 'package.json', 'README.md', 'llms.txt', '.gitignore'],
  ...['biome.json', 'tsconfig.json'],
];
let folder = '';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'new-backend-'));
  for (const path of COPIED) cpSync(join(ROOT, path), join(folder, path), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  await generate('acme-mail', 'Acme Mail');
});

afterAll(() => rmSync(folder, { recursive: true }));

function generate(...args: readonly string[]): Promise<{ stdout: string }> {
  return run(process.execPath, [join(folder, 'scripts/new-backend.js'), ...args], { cwd: folder });
}

function tool(name: string, ...args: readonly string[]): Promise<string> {
  return run(join(folder, 'node_modules/.bin', name), args, { cwd: folder }).then(
    () => '',
    ({ stdout, stderr }: { stdout: string; stderr: string }) => stdout + stderr,
  );
}

describe('npm run new-backend acme-mail "Acme Mail"', () => {
  test('writes what type-checks, declarations included', { timeout: 300_000 }, async () => {
    const compilerOptions = { declaration: true, isolatedDeclarations: true, allowJs: false, checkJs: false };
    const include = ['src', 'test/backends/acme-mail.test.ts'];
    const config = { extends: './tsconfig.json', compilerOptions, include };
    writeFileSync(join(folder, 'tsconfig.new.json'), JSON.stringify(config));
    expect(await tool('tsc', '-p', 'tsconfig.new.json')).toBe('');
  });

  test('writes what keeps the contract of backends', { timeout: 300_000 }, async () => {
    const config = { cacheDir: join(folder, '.cache'), test: { testTimeout: 60_000 } };
    writeFileSync(join(folder, 'vitest.config.js'), `export default ${JSON.stringify(config)};`);
    expect(await tool('vitest', 'run', 'test/backends/acme-mail.test.ts')).toBe('');
  });

  test('keeps the format and the architecture', { timeout: 300_000 }, async () => {
    const files = ['src/backends/acme-mail.ts', 'src/connection/built-in.ts', 'src/index.ts', 'package.json'];
    expect(await tool('biome', 'check', ...files, 'test/backends/acme-mail.test.ts')).toBe('');
    const { stdout } = await run(process.execPath, ['scripts/check-architecture.js'], { cwd: folder });
    expect(stdout).toMatch(/^architecture: \d+ rooms, .*; every rule holds\n$/);
  });

  test('names it in every place that names backends', () => {
    const read = (path: string): string => readFileSync(join(folder, path), 'utf8');
    expect(backendPlaces(read, 'acme-mail', 'AcmeMailBackend', true)).toEqual([]);
    expect(read('README.md')).toContain('| `acme-mail` | through Acme Mail |\n');
    expect(read('README.md')).toContain('| `ACME_MAIL_API_KEY` | | `apiKey` of Acme Mail |\n');
    expect(read('docs/acme-mail.md')).toMatch(/^# Acme Mail\n/);
    expect(read('.changeset/acme-mail-backend.md')).toContain('"amsdal-mail": minor');
    const { exports }: { exports: object } = JSON.parse(read('package.json'));
    const subpaths = Object.keys(exports);
    expect(subpaths[subpaths.indexOf('./acme-mail') + 1]).toBe('./azure');
  });

  test.each([
    [[], 'usage: npm run new-backend NAME ["Title"]'],
    [['Acme'], 'Acme: a name is lower-case letters, digits and hyphens'],
    [['acme', 'A`c'], 'a title is letters, digits, blanks, dots and hyphens'],
    [['acme-mail'], "there is a backend 'acme-mail' already"],
    [['testing'], 'amsdal-mail/testing is something else already'],
  ])('with %j it says why not', async (args, message) => {
    const failed = generate(...args);
    await expect(failed).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining('new-backend: ') });
    await expect(failed).rejects.toMatchObject({ stderr: expect.stringContaining(message) });
  });
});
