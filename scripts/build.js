// @ts-check
// Makes dist: node scripts/build.js [--source-map]. Comments are in the declarations, where editors read them, and not in the
// code; declarations that no entry point leads to are left out.
import { execFile } from 'node:child_process';
import { chmodSync, cpSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const compiler = fileURLToPath(new URL('../node_modules/.bin/tsc', import.meta.url));

/** @param {{ readonly sourceMap?: boolean }} [options] */
export async function build({ sourceMap = false } = {}) {
  rmSync(`${root}/dist`, { recursive: true, force: true });
  const code = ['--declaration', 'false', '--isolatedDeclarations', 'false', '--removeComments'];
  await Promise.all([compile('--emitDeclarationOnly'), compile(...code, ...(sourceMap ? ['--sourceMap'] : []))]);
  dropPrivateDeclarations();
  cpSync(`${root}/src/mailbox/page`, `${root}/dist/mailbox/page`, { recursive: true });
  chmodSync(`${root}/dist/cli/main.js`, 0o755);
}

/** @param {readonly string[]} options */
async function compile(...options) {
  const project = promisify(execFile)(compiler, ['-p', 'tsconfig.build.json', ...options], { cwd: root });
  await project.catch((/** @type {{ stdout: string }} */ { stdout }) => {
    throw new Error(`it does not compile:\n${stdout}`);
  });
}

function dropPrivateDeclarations() {
  /** @type {{ exports: Record<string, string> }} */
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const entries = Object.values(manifest.exports).filter((target) => target.endsWith('.js'));
  const shown = new Set(entries.map((target) => join(root, target).replace(/\.js$/, '.d.ts')));
  for (const file of shown) {
    for (const [, specifier = ''] of readFileSync(file, 'utf8').matchAll(/(?:from |import\()'(\.[^']+)'/g)) {
      shown.add(normalize(join(file, '..', specifier)).replace(/\.[jt]s$/, '.d.ts'));
    }
  }
  for (const path of readdirSync(join(root, 'dist'), { recursive: true, encoding: 'utf8' })) {
    const file = join(root, 'dist', path);
    if (file.endsWith('.d.ts') && !shown.has(file)) rmSync(file);
  }
}

if (argv[1] === fileURLToPath(import.meta.url)) await build({ sourceMap: argv.includes('--source-map') });
