import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Builds `dist` once a run, for the tests that need it: threads, child processes and packages. */
export function setup(project: TestProject): void {
  const { enabled: covering, reportsDirectory } = project.vitest.config.coverage;
  if (covering) rmSync(join(root, reportsDirectory, 'processes'), { recursive: true, force: true });
  if (isCurrent(covering)) return;
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  const compiler = join(root, 'node_modules/.bin/tsc');
  const options = ['-p', 'tsconfig.build.json', ...(covering ? ['--sourceMap'] : [])];
  execFileSync(compiler, options, { cwd: root, stdio: 'inherit' });
  cpSync(join(root, 'src/mailbox/page'), join(root, 'dist/mailbox/page'), { recursive: true });
}

function isCurrent(withMaps: boolean): boolean {
  const built = join(root, 'dist/index.js');
  if (!existsSync(built) || existsSync(`${built}.map`) !== withMaps) return false;
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' });
  const newest = Math.max(...['', ...sources].map((path) => statSync(join(root, 'src', path)).mtimeMs));
  return newest < statSync(built).mtimeMs;
}
