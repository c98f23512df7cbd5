// @ts-check
// Who may import whom: node scripts/check-architecture.js [folder]. The table below is the architecture of the library.
import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { argv, stdout } from 'node:process';
import { fileURLToPath } from 'node:url';
import { readModules } from './lib/modules.js';

/** @typedef {import('./lib/modules.js').Module} Module */
/** @typedef {import('./lib/modules.js').Import} Import */
/** @typedef {{ path: string, line: number, rule: string, message: string }} Violation */

/**
 * The rooms: folders of src, and files beside them under the name of the one that is imported from elsewhere.
 *
 * `may` lists the rooms a room may import, `types` those it may import from with `import type` only. A room may always
 * import itself, unless it says so: a backend never imports another one. An entry may be one file of a room.
 *
 * @type {Readonly<Record<string, { may: readonly string[], types?: readonly string[], alone?: boolean }>>}
 */
const ROOMS = {
  errors: { may: ['util/brand.ts'], types: ['model'] },
  util: { may: [] },
  model: { may: ['errors', 'util', 'mime/message-eml.ts'] },
  options: { may: ['errors', 'util'] },
  oauth: { may: ['errors', 'util'] },
  events: { may: ['errors', 'util'], types: ['model'] },
  mime: { may: ['model', 'errors', 'util', 'util/optional-package.ts'], types: ['options'] },
  net: { may: ['errors', 'util'] },
  smtp: { may: ['net', 'options', 'oauth', 'reply-status.ts', 'errors', 'util'] },
  'smtp-server': { may: ['errors', 'util', 'util/optional-package.ts'] },
  backend: {
    may: [
      ...['model', 'options', 'errors', 'events', 'util', 'staging-rules'],
      ...['mime/inline-images.ts', 'mime/message-id.ts'], // what every backend gets
    ],
    types: ['oauth'],
  },
  'staging-rules': {
    may: ['settings', 'errors', 'wrappers/redirect-filter.ts', 'wrappers/redirect-rules.ts'],
    types: ['backend'],
  },
  sync: { may: ['model', 'options', 'errors', 'util'], types: ['backend'] },
  'sync-worker': { may: ['connection', 'registry', 'sync', 'backend', 'model', 'errors', 'util'] },
  http: { may: ['backend', 'model', 'options', 'errors', 'util'] },
  backends: {
    may: [
      ...['backend', 'http', 'mime', 'presets', 'smtp', 'net', 'oauth', 'model', 'options', 'errors', 'util'],
      ...['mailbox/mailbox-options.ts', 'mailbox/deliver.ts'], // the mailbox's engine is a room of its own
    ],
    alone: true,
  },
  wrappers: { may: ['backend', 'model', 'options', 'errors', 'util'] },
  presets: { may: [] },
  registry: { may: ['backends', 'backend', 'model', 'options', 'errors', 'util'] },
  settings: { may: ['options', 'errors', 'util'] },
  connection: {
    may: [
      'settings',
      'staging-rules',
      'registry',
      'presets',
      'wrappers',
      'backend',
      'sync',
      'model',
      'options',
      'errors',
      'util',
    ],
  },
  send: { may: ['connection', 'backend', 'model', 'errors', 'util'] },
  app: { may: ['connection', 'settings', 'backend', 'events', 'model', 'options', 'errors', 'util'] },
  mailbox: {
    may: [
      ...['backend', 'backends/mailbox.ts', 'settings', 'options', 'mime', 'smtp-server'],
      ...['model', 'errors', 'util'],
    ],
  },
  testing: {
    may: ['connection', 'backend', 'options', 'events', 'mime', 'smtp-server', 'model', 'errors', 'util'],
  },
  adapters: {
    may: ['app', 'connection', 'backend', 'options', 'mime', 'events', 'model', 'errors', 'util'],
    types: ['smtp'],
  },
  cli: {
    may: [
      ...['app', 'send', 'connection', 'settings', 'registry', 'backend', 'events'],
      ...['mailbox', 'mime', 'model', 'errors', 'util'],
      ...['options', 'smtp/options.ts', 'smtp-server'], // what a connection is, and a server to explain it without one
    ],
  },
  index: {
    may: [
      ...['send', 'connection', 'settings', 'presets', 'registry', 'backend', 'backends', 'options'],
      ...['wrappers', 'events', 'model', 'errors', 'util'],
    ],
  },
};

/** The rooms of several files, by path; any other file of src is a room by itself, or of the room of its folder. @type {Readonly<Record<string, readonly string[]>>} */
const FILES = {
  errors: ['errors', 'error-class', 'error-facts', 'error-inspection', 'util/error-copies', 'util/network-code'],
  model: [
    'message',
    'message-init',
    'message-check',
    'message-ids',
    'message-json',
    'attachment',
    'address',
    'address-parser',
    'parsed-mailbox',
    'domain',
    'features',
    'status',
    'reply-status',
  ],
  options: [
    'options',
    'util/import-module',
    'util/load-export',
    'util/optional-package',
    'util/own-file',
    'util/refuse-in-workerd',
    'util/require-module',
    'util/tracer',
  ],
  oauth: ['util/oauth-answer', 'util/oauth-options', 'util/oauth-tokens'],
  events: ['events', 'mail-events', 'server-events'],
  backend: [
    'backend',
    'message-source',
    'read-input',
    'prepare',
    'settle',
    'call',
    'job-reader',
    'call-account',
    'call-end',
    'send-call',
    'gate',
    'traffic',
    'delivery',
    'deliver-each',
    'local-backend',
    'delivery-filter',
    'conclusion',
    'tell-listeners',
    'trace-send',
    'sync-call',
    'blocking-delivery',
    'planned-outcomes',
    'util/result-queue',
  ],
  sync: ['sync', 'sync-codec'],
  settings: ['settings', 'variables'],
  registry: ['registry', 'built-in'],
  connection: [
    'connection',
    'connection-target',
    'connection-url',
    'url-parts',
    'named-connections',
    'known-variables',
    'staging-guard',
    'load-backend',
  ],
};

/** Built-ins that `import 'amsdal-mail'` must not load: some runtimes lack them, and most calls do not need them. */
const NOT_IN_CORE = ['net', 'tls', 'fs', 'fs/promises', 'worker_threads'];
const SOCKETS = ['net', 'tls'];
const SOCKET_FILES = /^(net\/|smtp\/connect\.ts|smtp-server\/|sync\.ts)/; // sync.ts only looks for a server of its own thread
const PACKAGE_LOADER = 'util/optional-package.ts';
/** Who imports an adapter has the package that it adapts to, which a bundler is to see. */
const ADAPTERS = /^adapters\//;
const MAX_LINES = 400;
/** What else people read and change, with the most lines a file may have; what is vendored and fixtures are left out. */
const SIZES = /** @type {const} */ ([
  ['scripts', /\.(?:js|ts|sh)$/, MAX_LINES],
  ['test', /^(?!fixtures\/|bundles\/node_modules\/).*\.(?:js|ts|py)$/, MAX_LINES],
  ['src/mailbox/page', /^(?!vendor\/).*\.js$/, MAX_LINES],
  ['src/mailbox/page', /^(?!vendor\/).*\.css$/, 900],
]);
const BUILTINS = new Set(builtinModules);

/**
 * Every breach of the rules below a source folder, in the order of the files.
 *
 * @param {string} folder
 * @returns {Violation[]}
 */
export function checkArchitecture(folder) {
  const modules = readModules(folder);
  return [...modules.flatMap(checkModule), ...checkCycles(modules), ...checkCore(modules)];
}

/**
 * The files of scripts, tests and the mailbox's page that are too long, below the root of the repository.
 *
 * @param {string} root
 * @returns {Violation[]}
 */
export function checkSizes(root) {
  return SIZES.flatMap(([folder, pattern, most]) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .map((name) => name.replaceAll('\\', '/'))
      .filter((name) => pattern.test(name))
      .sort()
      .flatMap((name) => {
        const lines = readFileSync(join(root, folder, name), 'utf8')
          .replace(/\n$/, '')
          .split('\n').length;
        const message = `${lines} lines: split it, a file of over ${most} lines does more than one thing`;
        return lines > most ? [{ path: `${folder}/${name}`, line: most, rule: 'size', message }] : [];
      }),
  );
}

/** @type {(module: Module) => Violation[]} */
function checkModule(module) {
  /** @type {Violation[]} */
  const found = [];
  const { path } = module;
  /** @type {(line: number, rule: string, message: string) => void} */
  const report = (line, rule, message) => found.push({ path, line, rule, message });

  const room = roomOf(path);
  if (!ROOMS[room]) {
    report(
      1,
      'room',
      `'${room}' is no room of the house: move the file, or add the room to scripts/check-architecture.js`,
    );
  }
  if (!/^([a-z0-9-]+\/)*[a-z0-9-]+\.ts$/.test(path)) report(1, 'name', 'file names are kebab-case');
  if (module.lineCount > MAX_LINES) {
    report(
      MAX_LINES,
      'size',
      `${module.lineCount} lines: split it, a file of over ${MAX_LINES} lines does more than one thing`,
    );
  }
  for (const entry of module.imports) checkImport(module, entry, report);
  for (const line of module.exportAll)
    report(line, 'export', 'name what is exported: `export *` hides what becomes public');
  for (const line of module.bareImports) {
    report(line, 'side-effect', 'an import for its side effect: export a function and call it');
  }
  for (const line of module.topLevelAwait) {
    report(line, 'top-level-await', 'await inside a function: require() cannot load a module with top-level await');
  }
  if (path !== 'settings.ts') {
    for (const line of module.processEnv) {
      report(line, 'environment', 'only settings.ts reads process.env: take the value as an option');
    }
  }
  return found;
}

/** @type {(module: Module, entry: Import, report: (line: number, rule: string, message: string) => void) => void} */
function checkImport({ path }, entry, report) {
  const builtin = builtinOf(entry.specifier);
  if (builtin !== null) {
    if (SOCKETS.includes(builtin) && entry.kind !== 'type' && !SOCKET_FILES.test(path)) {
      report(
        entry.line,
        'sockets',
        `only smtp/connect.ts, net/ and smtp-server/ open sockets: take the socket from them, not node:${builtin}`,
      );
    }
    return;
  }
  if (entry.target === null) {
    const isAdapted = entry.kind === 'dynamic' && ADAPTERS.test(path);
    if (entry.kind !== 'type' && !isAdapted) {
      report(entry.line, 'third-party', `'${entry.specifier}': load packages through ${PACKAGE_LOADER}, on first use`);
    }
    return;
  }
  const room = roomOf(path);
  const rules = ROOMS[room];
  const target = roomOf(entry.target);
  if (!rules || (room === target && (!rules.alone || ownerOf(path) === ownerOf(entry.target)))) return;
  const allowed = entry.kind === 'type' ? [...rules.may, ...(rules.types ?? [])] : rules.may;
  if (allowed.includes(target) || allowed.includes(entry.target)) return;
  const reason =
    room === target
      ? `a file of ${room}/ stands alone: share through ${rules.may.filter((name) => name !== 'errors').join(', ')}`
      : `${room} may import ${allowed.join(', ') || 'nothing of ours'}: move what both need to a room they may import, or take it as an argument`;
  report(entry.line, 'rooms', `imports ${entry.target}; ${reason}`);
}

/** The backend a file belongs to: `backends/ses.ts` and all of `backends/ses/`. @type {(path: string) => string | undefined} */
function ownerOf(path) {
  return path.split('/')[1]?.replace(/\.ts$/, '');
}

/** @type {(modules: Module[]) => Violation[]} */
function checkCycles(modules) {
  const graph = runTimeGraph(modules);
  /** @type {Violation[]} */
  const found = [];
  /** @type {Set<string>} */
  const done = new Set();
  /** @type {(path: string, trail: string[]) => void} */
  const visit = (path, trail) => {
    const start = trail.indexOf(path);
    if (start >= 0) {
      const cycle = [...trail.slice(start), path].join(' -> ');
      found.push({
        path,
        line: 1,
        rule: 'cycle',
        message: `${cycle}: move what both need to a third file, or use import type`,
      });
    } else if (!done.has(path)) {
      for (const { target } of graph.get(path) ?? []) if (target !== null) visit(target, [...trail, path]);
      done.add(path);
    }
  };
  for (const { path } of modules) visit(path, []);
  return found;
}

/** What `import 'amsdal-mail'` loads. @type {(modules: Module[]) => Violation[]} */
function checkCore(modules) {
  const graph = runTimeGraph(modules);
  /** @type {Violation[]} */
  const found = [];
  /** @type {Map<string, string[]>} */
  const trails = new Map([['index.ts', ['index.ts']]]);
  for (const [path, trail] of trails) {
    for (const { target, specifier, line } of graph.get(path) ?? []) {
      const builtin = builtinOf(specifier);
      if (builtin !== null && NOT_IN_CORE.includes(builtin)) {
        const message = `${trail.join(' -> ')} loads node:${builtin} with the package: call process.getBuiltinModule('node:${builtin}') where it is needed`;
        found.push({ path, line, rule: 'core', message });
      }
      if (target !== null && !trails.has(target)) trails.set(target, [...trail, target]);
    }
  }
  return found;
}

/** @type {(modules: Module[]) => Map<string, Import[]>} */
function runTimeGraph(modules) {
  return new Map(modules.map(({ path, imports }) => [path, imports.filter(({ kind }) => kind === 'static')]));
}

/** @type {(path: string) => string} */
function roomOf(path) {
  const name = path.replace(/\.ts$/, '');
  const [first = ''] = name.split('/');
  return Object.keys(FILES).find((room) => FILES[room]?.includes(name)) ?? first;
}

/** @type {(specifier: string) => string | null} */
function builtinOf(specifier) {
  const name = specifier.replace(/^node:/, '');
  return specifier.startsWith('node:') || BUILTINS.has(name) ? name : null;
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const root = join(fileURLToPath(import.meta.url), '../..');
  const [, , folder] = argv;
  const violations = [
    ...checkArchitecture(folder ?? join(root, 'src')).map((breach) => ({ ...breach, path: `src/${breach.path}` })),
    ...(folder === undefined ? checkSizes(root) : []),
  ];
  for (const { path, line, rule, message } of violations) stdout.write(`${path}:${line} [${rule}] ${message}\n`);
  stdout.write(
    violations.length === 0 ? 'architecture: every rule holds\n' : `architecture: ${violations.length} breaches\n`,
  );
  process.exitCode = violations.length === 0 ? 0 : 1;
}
