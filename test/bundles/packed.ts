import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The folder of the trials, which has packages of its own: `npm run test:bundles` installs them. */
export const HERE = fileURLToPath(new URL('.', import.meta.url));
export const PROGRAMS = join(HERE, 'programs');

const PACKAGE = join(HERE, 'node_modules/amsdal-mail');

/** Puts the package there as npm would: what is packed, and nothing else. */
export async function installPacked(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'packed-'));
  try {
    const pack = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
    const { stdout } = await run('npm', pack, { cwd: join(HERE, '../..') });
    const [{ filename }]: [{ readonly filename: string }] = JSON.parse(stdout);
    rmSync(PACKAGE, { recursive: true, force: true });
    mkdirSync(PACKAGE);
    await run('tar', ['-xzf', join(folder, filename), '-C', PACKAGE, '--strip-components=1']);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What a program printed on both of its outputs, and how it ended. */
export interface Ended {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/** Runs a program to its end, or ends it after two minutes. */
export async function runProgram(
  program: string,
  args: readonly string[],
  { cwd = HERE, env = {} }: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Ended> {
  const child = spawn(program, args, {
    cwd,
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', TMPDIR: tmpdir(), ...QUIET, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 400_000,
  });
  const [output, errors] = [text(child.stdout), text(child.stderr)];
  const [code]: [number | null] = (await once(child, 'close')) as [number | null];
  return { code, output: output(), errors: errors() };
}

/** A tool tells nobody that it was used, and prints as to a file. */
export const QUIET: Readonly<Record<string, string>> = {
  NEXT_TELEMETRY_DISABLED: '1',
  DO_NOT_TRACK: '1',
  NO_COLOR: '1',
  CI: '1',
};

/** The path of a tool that the trials' own packages bring. */
export function tool(path: string): string {
  const file = join(HERE, 'node_modules', path);
  if (!existsSync(file)) throw new Error(`${file} is missing: npm ci --prefix test/bundles`);
  return file;
}

function text(stream: NodeJS.ReadableStream): () => string {
  let read = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    read += chunk;
  });
  return () => read;
}
