import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { build } from '../scripts/build.js';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Builds `dist` once a run, for the tests that need it: threads, child processes and packages. */
export async function setup(project: TestProject): Promise<void> {
  const { enabled: sourceMap, reportsDirectory } = project.vitest.config.coverage;
  if (sourceMap) rmSync(resolve(root, reportsDirectory, 'processes'), { recursive: true, force: true });
  if (!isCurrent(sourceMap)) await build({ sourceMap });
}

function isCurrent(withMaps: boolean): boolean {
  const built = join(root, 'dist/core.js');
  if (!existsSync(built) || existsSync(`${built}.map`) !== withMaps) return false;
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' });
  const newest = Math.max(...['', ...sources].map((path) => statSync(join(root, 'src', path)).mtimeMs));
  return newest < statSync(built).mtimeMs;
}
