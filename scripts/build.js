// @ts-check
// Makes dist: node scripts/build.js [--source-map]. The code is bundled, since Node needs longer to find a hundred small
// files than to run them: what is imported together is one file. Comments are in the
// declarations, where editors read them; declarations that no entry point leads to are left out.
import { execFile } from 'node:child_process';
import { chmodSync, cpSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { rolldown } from 'rolldown';
import { readModules } from './lib/modules.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const compiler = fileURLToPath(new URL('../node_modules/.bin/tsc', import.meta.url));

/** Threads are started by the name of their file. */
const THREADS = ['dist/sync-worker.js', 'dist/mailbox/preview-worker.js'];

const NAMES = { function: true, class: true };

/** What both the mailbox and the test kit read mails with, and neither should load the other for. */
const READER = ['mime/read-addresses.ts', 'mime/links.ts', 'mime/html-text.ts'];

/** @param {{ readonly sourceMap?: boolean }} [options] */
export async function build({ sourceMap = false } = {}) {
  rmSync(`${root}/dist`, { recursive: true, force: true });
  /** @type {{ exports: Record<string, string>, bin: Record<string, string> }} */
  const { exports, bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const entries = Object.values(exports).filter((target) => target.endsWith('.js'));
  await Promise.all([declare(), bundle([...entries, ...Object.values(bin), ...THREADS], sourceMap)]);
  dropPrivateDeclarations(entries);
  cpSync(`${root}/src/mailbox/page`, `${root}/dist/mailbox/page`, { recursive: true });
  chmodSync(`${root}/dist/cli/main.js`, 0o755);
}

async function declare() {
  const options = ['-p', 'tsconfig.build.json', '--emitDeclarationOnly'];
  await promisify(execFile)(compiler, options, { cwd: root }).catch((/** @type {{ stdout: string }} */ { stdout }) => {
    throw new Error(`it does not compile:\n${stdout}`);
  });
}

/**
 * A file per entry point, one for the composer, one for everything else that `import 'amsdal-mail'` needs, one for the SMTP
 * receiver, one for reading mails, and the mailbox, which finds its page beside it. What is left over falls into files by
 * who imports it.
 *
 * @param {readonly string[]} entries
 * @param {boolean} sourcemap
 */
async function bundle(entries, sourcemap) {
  const names = entries.map((path) => normalize(path).replace(/^dist\/(.*)\.js$/, '$1'));
  const groups = [
    { name: 'composer', holds: reachable('mime/index.ts') },
    { name: 'core', holds: reachable('index.ts') },
    { name: 'smtp-server', holds: reachable('smtp-server/server.ts') },
    { name: 'reader', holds: new Set(READER.flatMap((path) => [...reachable(path)])) },
    { name: 'mailbox/mailbox', holds: reachable('mailbox/index.ts') },
  ];
  const bundle = await rolldown({
    cwd: root,
    input: Object.fromEntries(names.map((name) => [name, `src/${name}.ts`])),
    platform: 'node',
    external: /^[^./]/,
  });
  await bundle.write({
    dir: 'dist',
    chunkFileNames: '[name].js',
    comments: false,
    sourcemap,
    // What a user downloads is small; functions and classes keep the names that stack traces and errors show.
    minify: !sourcemap && {
      compress: { keepNames: NAMES },
      mangle: { keepNames: NAMES },
      codegen: { removeWhitespace: true },
    },
    codeSplitting: {
      groups: groups.map(({ name, holds }, index) => ({
        name,
        test: (id) => holds.has(id),
        priority: groups.length - index,
      })),
    },
  });
  await bundle.close();
}

/** The modules that importing one loads. @type {(path: string) => ReadonlySet<string>} */
function reachable(path) {
  const modules = new Map(readModules(join(root, 'src')).map((module) => [module.path, module]));
  const found = new Set([path]);
  for (const name of found) {
    for (const { kind, target } of modules.get(name)?.imports ?? []) if (kind === 'static' && target) found.add(target);
  }
  return new Set([...found].map((name) => join(root, 'src', name)));
}

/** @param {readonly string[]} entries */
function dropPrivateDeclarations(entries) {
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
