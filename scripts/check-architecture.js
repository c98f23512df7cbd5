// @ts-check
// Who may import whom: node scripts/check-architecture.js [folder] [--write]. scripts/lib/rooms.js is the architecture of
// the library; docs/architecture.md has a copy, which --write brings up to date.
import { readFileSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { argv, stdout } from 'node:process';
import { fileURLToPath } from 'node:url';
import { checkSizes, MAX_LINES } from './lib/file-sizes.js';
import { readModules } from './lib/modules.js';
import { countFloors, findCycles, roomGraph } from './lib/room-graph.js';
import { withRoomTable } from './lib/room-table.js';
import { ROOMS } from './lib/rooms.js';

/** @typedef {import('./lib/modules.js').Module} Module */
/** @typedef {import('./lib/modules.js').Import} Import */
/** @typedef {{ path: string, line: number, rule: string, message: string }} Violation */

/** Built-ins that `import 'amsdal-mail'` must not load: some runtimes lack them, and most calls do not need them. */
const NOT_IN_CORE = ['net', 'tls', 'fs', 'fs/promises', 'worker_threads'];
const SOCKETS = ['net', 'tls'];
/** The bridge only recognizes servers of its own thread. */
const SOCKET_FILES = /^(net\/|smtp\/session\/connect\.ts|smtp-server\/|backend\/blocking\/bridge\.ts)/;
const PACKAGE_LOADER = 'options/optional-package.ts';
/** Whoever imports an adapter has the package it adapts to, and bundlers should see that. */
const ADAPTERS = /^adapters\//;
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const BUILTINS = new Set(builtinModules);

/**
 * All violations of the rules below a source folder, in the order of the files.
 *
 * @param {string} folder
 * @returns {Violation[]}
 */
export function checkArchitecture(folder) {
  const modules = readModules(folder);
  return [...modules.flatMap(checkModule), ...checkCycles(modules), ...checkRoomCycles(modules), ...checkCore(modules)];
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
    report(1, 'room', `'${room}' is not a room: move the file, or add the room to scripts/lib/rooms.js`);
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
  if (path !== 'options/environment.ts') {
    for (const line of module.processEnv) {
      report(line, 'environment', 'only options/environment.ts reads process.env: take the value as an option');
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
        `only smtp/session/connect.ts, net/ and smtp-server/ open sockets: take the socket from them, not node:${builtin}`,
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

/** The backend that a file belongs to: `backends/ses.ts` and all of `backends/ses/`. @type {(path: string) => string | undefined} */
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

/** Rooms that import each other, types included. @type {(modules: Module[]) => Violation[]} */
function checkRoomCycles(modules) {
  const graph = roomGraph(modules, roomOf);
  /** @type {Violation[]} */
  const found = [];
  for (const cycle of findCycles(graph)) {
    const arrows = cycle.slice(1).flatMap((to, at) => graph.get(cycle[at] ?? '')?.get(to) ?? []);
    const [{ path, line } = { path: '', line: 1 }] = arrows;
    const ways = arrows.map((arrow) => `${arrow.path} imports ${arrow.target}`).join(', ');
    const message = `${cycle.join(' -> ')} (${ways}): move what both need to a room below them`;
    found.push({ path, line, rule: 'room-cycle', message });
  }
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
  return path.replace(/\.ts$/, '').replace(/\/.*/, '');
}

/** @type {(specifier: string) => string | null} */
function builtinOf(specifier) {
  const name = specifier.replace(/^node:/, '');
  return specifier.startsWith('node:') || BUILTINS.has(name) ? name : null;
}

/** The rooms, the longest chain of them, and the pairs in which one imports the other. @type {(folder: string) => string} */
function figures(folder) {
  const graph = roomGraph(readModules(folder), roomOf);
  const arrows = [...graph.values()].reduce((sum, { size }) => sum + size, 0);
  return `${graph.size} rooms, ${countFloors(graph)} floors, ${arrows} arrows`;
}

/** @type {(isWritten: boolean) => Violation[]} */
function checkPage(isWritten) {
  const path = join(ROOT, 'docs/architecture.md');
  const page = readFileSync(path, 'utf8');
  const next = withRoomTable(page, ROOMS);
  if (page === next) return [];
  if (isWritten) {
    writeFileSync(path, next);
    return [];
  }
  const message = 'the table of rooms is not that of scripts/lib/rooms.js: npm run architecture -- --write';
  return [{ path: 'docs/architecture.md', line: 1, rule: 'docs', message }];
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const [given] = argv.slice(2).filter((argument) => argument !== '--write');
  const folder = given ?? join(ROOT, 'src');
  const breaches = checkArchitecture(folder).map((breach) => ({ ...breach, path: `src/${breach.path}` }));
  if (given === undefined) breaches.push(...checkSizes(ROOT), ...checkPage(argv.includes('--write')));
  for (const { path, line, rule, message } of breaches) stdout.write(`${path}:${line} [${rule}] ${message}\n`);
  const verdict = breaches.length === 0 ? 'every rule holds' : `${breaches.length} breaches`;
  stdout.write(`architecture: ${figures(folder)}; ${verdict}\n`);
  process.exitCode = breaches.length === 0 ? 0 : 1;
}
