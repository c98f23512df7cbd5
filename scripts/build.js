// @ts-check
// Makes dist: node scripts/build.js [--source-map]. The code is bundled, what is imported together into one file, because Node
// takes longer to find a hundred small files than to run them. It is not minified, so that stack traces and debuggers show
// code. Comments are only in the declarations, where editors read them; declarations that no entry point reaches are left out.
// dist has the ES modules, dist/cjs the same files as CommonJS, each with declarations.
import { execFile } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { argv, execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { rolldown } from 'rolldown';
import { entryPoints } from './lib/entry-points.js';
import { readModules } from './lib/modules.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const compiler = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url));

const modules = new Map(readModules(join(root, 'src')).map((module) => [module.path, module]));

/** Threads, which are started by file name. */
const THREADS = ['blocking-worker', 'mailbox/preview-worker'];
/** Where a file of dist has another place than its source. @type {Readonly<Record<string, string>>} */
const SOURCES = { 'blocking-worker': 'connection/blocking-worker' };
/** Also loaded by file name, so that bundlers do not include it. */
const LOADED = [
  'mailbox/mailbox',
  'mailbox/emulate/vendors',
  'mime/compose/engine',
  'wrappers/engine',
  'outbox/engine',
  'outbox/dashboard/dashboard',
  'backend/blocking/bridge',
  'backend/call/engine',
];
const PROGRAMS = ['cli/main'];
/** What browsers get. */
const PAGES = ['mailbox/page/app', 'outbox/page/outbox'];

/** What both the mailbox and the test kit use to read mails; neither should load the other for it. */
const READER = ['mime/read/addresses.ts', 'mime/read/links.ts', 'mime/read/html-text.ts'];

/** Backends without a protocol: what these are made of becomes a file without any protocol. */
const BACKEND = ['backends/console.ts', 'backends/dummy.ts', 'backends/file.ts'];

/** What is loaded with a call or an event, though `import 'amsdal-mail'` exports it: a file that bundles load as late as they can. */
const LATER = ['backend/deliver-each.ts', 'events/mail-event.ts'];

/**
 * Backends by how they send, each with what loads later: of what `import 'amsdal-mail'` loads, theirs becomes a file of its own.
 * Bundlers keep of a file what anything needs that may load later, and so of a file for all backends what any backend needs.
 */
const PROTOCOLS = {
  smtp: ['backends/smtp.ts', 'backends/smtp/engine.ts'],
  http: [...importersOf('http/http-backend.ts'), 'http/engine.ts'],
  ses: ['backends/ses.ts', 'backends/ses/engine.ts'],
};

/** Modules that differ in CommonJS: test runners have no `import()` there. */
const COMMONJS = { 'options/import-module.ts': 'options/require-module.ts' };

/** @param {{ readonly sourceMap?: boolean }} [options] */
export async function build({ sourceMap = false } = {}) {
  rmSync(`${root}/dist`, { recursive: true, force: true });
  const entries = entryPoints().map(({ name }) => name);
  await Promise.all([
    declare(),
    bundle('esm', [...entries, ...LOADED, ...PROGRAMS, ...THREADS], sourceMap),
    bundle('cjs', [...entries, ...LOADED], sourceMap),
    bundlePages(),
  ]);
  dropPrivateDeclarations(entries);
  declareCommonJs();
  chmodSync(`${root}/dist/cli/main.js`, 0o755);
}

/**
 * The pages of the mailbox and the outbox: a script each and one for what both have. What is not code is copied; styles lose their
 * comments and indentation.
 */
async function bundlePages() {
  const pages = await rolldown({
    cwd: root,
    input: Object.fromEntries(PAGES.map((page) => [page, `src/${page}.js`])),
    platform: 'browser',
  });
  await pages.write({
    dir: 'dist',
    minify: false,
    comments: { legal: false, annotation: true, jsdoc: false },
    entryFileNames: '[name].js',
    chunkFileNames: 'mailbox/page/shared.js',
    codeSplitting: { groups: [{ name: 'shared', test: /mailbox/, minShareCount: 2 }] },
  });
  await pages.close();
  for (const folder of PAGES.map((page) => page.replace(/\/[^/]+$/, ''))) {
    const isCopied = (/** @type {string} */ path) => !/\.(?:js|ts)$/.test(path);
    cpSync(`${root}/src/${folder}`, `${root}/dist/${folder}`, { recursive: true, filter: isCopied });
    for (const name of readdirSync(`${root}/dist/${folder}`).filter((each) => each.endsWith('.css'))) {
      const path = `${root}/dist/${folder}/${name}`;
      const text = readFileSync(path, 'utf8').replaceAll(/\/\*[\s\S]*?\*\//g, '');
      writeFileSync(path, text.replaceAll(/\s*\n\s*/g, '\n'));
    }
  }
}

async function declare() {
  const options = [compiler, '-p', 'tsconfig.build.json', '--emitDeclarationOnly'];
  await promisify(execFile)(execPath, options, { cwd: root }).catch((/** @type {{ stdout: string }} */ { stdout }) => {
    throw new Error(`it does not compile:\n${stdout}`);
  });
}

/**
 * A file per entry point, one for messages and what else `amsdal-mail/mime` shares with backends, one for what every backend is
 * made of, one for what calls load later, one for each protocol, one for everything else that `import 'amsdal-mail'` needs, one
 * for the composer, which loads at the first mail, one for `lint`, one for the SMTP receiver, one for reading mails, and the
 * mailbox, which finds its page beside it. What is left over falls into files by who imports it.
 *
 * @param {'esm' | 'cjs'} format
 * @param {readonly string[]} names
 * @param {boolean} sourcemap
 */
async function bundle(format, names, sourcemap) {
  const loaded = reachable('index.ts');
  const groups = [
    { name: 'model', holds: common(reachable('mime/index.ts'), loaded) },
    { name: 'backend', holds: reachable(...BACKEND) },
    { name: 'later', holds: reachable(...LATER) },
    ...Object.entries(PROTOCOLS).map(([name, paths]) => ({ name, holds: common(reachable(...paths), loaded) })),
    { name: 'core', holds: loaded },
    { name: 'composer', holds: reachable('mime/compose/engine.ts') },
    { name: 'lint', holds: reachable('mime/lint/lint.ts') },
    { name: 'smtp-server', holds: reachable('smtp-server/server.ts') },
    { name: 'reader', holds: reachable(...READER) },
    { name: 'eml', holds: reachable('mime/read/message-from-eml.ts') },
    { name: 'mailbox/pages', holds: common(reachable('mailbox/index.ts'), reachable('outbox/dashboard/dashboard.ts')) },
    { name: 'mailbox/server', holds: reachable('mailbox/index.ts') },
  ];
  const replaced = format === 'cjs' ? COMMONJS : {};
  const bundle = await rolldown({
    cwd: root,
    input: Object.fromEntries(names.map((name) => [name, `src/${SOURCES[name] ?? name}.ts`])),
    platform: 'node',
    external: /^[^./]/,
    plugins: [{ name: 'ascii', renderChunk: (code) => ({ code: escaped(code) }) }],
    resolve: {
      alias: Object.fromEntries(Object.entries(replaced).map((pair) => pair.map((path) => `${root}src/${path}`))),
    },
  });
  await bundle.write({
    dir: format === 'cjs' ? 'dist/cjs' : 'dist',
    format,
    entryFileNames: '[name].js',
    // A chunk that is loaded later is named after its module.
    chunkFileNames: ({ name, facadeModuleId }) =>
      `${facadeModuleId ? facadeModuleId.slice(join(root, 'src/').length, -3) : name}.js`,
    comments: { legal: false, annotation: true, jsdoc: false }, // annotations are for bundlers
    sourcemap,
    minify: false,
    dynamicImportInCjs: false,
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

/**
 * Code without other characters than ASCII, which stand in texts only: for one beyond Latin-1, V8 would keep the whole file as
 * two bytes a character, and take longer to read it.
 *
 * @param {string} code
 */
function escaped(code) {
  return code.replaceAll(/[^\0-\x7f]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Modules and all that importing them loads. @type {(...paths: string[]) => ReadonlySet<string>} */
function reachable(...paths) {
  const found = new Set(paths);
  for (const name of found) {
    for (const { kind, target } of modules.get(name)?.imports ?? []) if (kind === 'static' && target) found.add(target);
  }
  return new Set([...found].map((name) => join(root, 'src', name)));
}

/** The modules that import one. @param {string} path */
function importersOf(path) {
  const isImport = (/** @type {import('./lib/modules.js').Import} */ { kind, target }) =>
    kind === 'static' && target === path;
  return [...modules.values()].filter(({ imports }) => imports.some(isImport)).map((module) => module.path);
}

/** @param {ReadonlySet<string>} some @param {ReadonlySet<string>} others @returns {ReadonlySet<string>} */
function common(some, others) {
  return new Set([...some].filter((path) => others.has(path)));
}

const SPECIFIER = /((?:from |import\()')(\.[^']+)\.[jt]s(?=')/g;

/** @param {readonly string[]} entries */
function dropPrivateDeclarations(entries) {
  const shown = new Set(entries.map((name) => join(root, 'dist', `${name}.d.ts`)));
  for (const file of shown) {
    for (const [, , specifier = ''] of readFileSync(file, 'utf8').matchAll(SPECIFIER)) {
      shown.add(normalize(join(file, '..', `${specifier}.d.ts`)));
    }
  }
  for (const path of readdirSync(join(root, 'dist'), { recursive: true, encoding: 'utf8' })) {
    const file = join(root, 'dist', path);
    if (file.endsWith('.d.ts') && !shown.has(file)) rmSync(file);
  }
}

const COMMENT = /^ *\/\*\*[\s\S]*?\*\/\n/gm;

/**
 * The package.json of its folder makes files CommonJS. Files of the same names stand side by side in the package, so that those
 * up to 32 kB, as far as gzip sees, hardly add to it. Few read these declarations, since `module-sync` leads to those of the ES
 * modules: they say the same without comments.
 */
function declareCommonJs() {
  const declarations = readdirSync(join(root, 'dist'), { recursive: true, encoding: 'utf8' });
  for (const path of declarations.filter((each) => each.endsWith('.d.ts'))) {
    const target = join(root, 'dist/cjs', path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, readFileSync(join(root, 'dist', path), 'utf8').replaceAll(COMMENT, ''));
  }
  writeFileSync(join(root, 'dist/cjs/package.json'), '{ "type": "commonjs", "sideEffects": false }\n');
}

if (argv[1] === fileURLToPath(import.meta.url)) await build({ sourceMap: argv.includes('--source-map') });
