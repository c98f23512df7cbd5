// @ts-check
import { readFileSync } from 'node:fs';

/**
 * A subpath that code can import, and its module: `{ subpath: './mime', name: 'mime/index' }`.
 *
 * @typedef {{ readonly subpath: string, readonly name: string }} EntryPoint
 */

/** @typedef {{ readonly types: string, readonly default: string }} Target */
/** @typedef {{ readonly 'module-sync': Target, readonly import: Target, readonly require: Target }} Targets */
/**
 * The part of package.json about entry points.
 *
 * @typedef {{ exports: Record<string, string | Targets>, typesVersions: { '*': Record<string, string[]> } }} Manifest
 */

/** @returns {Manifest} */
function readManifest() {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
}

/** All of them, as package.json's `exports` names them. @returns {EntryPoint[]} */
export function entryPoints({ exports } = readManifest()) {
  return Object.entries(exports).flatMap(([subpath, target]) => {
    if (typeof target === 'string') return []; // package.json itself
    return { subpath, name: target.import.default.replace(/^\.\/dist\/(.*)\.js$/, '$1') };
  });
}

/** The entry of a module in `exports`; `module-sync` lets newer Node load one copy both ways. @type {(name: string) => Targets} */
export function targetsOf(name) {
  const module = { types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` };
  return {
    'module-sync': module,
    import: module,
    require: { types: `./dist/cjs/${name}.d.ts`, default: `./dist/cjs/${name}.js` },
  };
}

/** The entry of a module in `typesVersions`, for tools that do not read `exports`. @type {(name: string) => string[]} */
export function typesOf(name) {
  return [`./dist/${name}.d.ts`];
}

/**
 * Adds an entry point to the manifest, sorted by name among those of the same folder.
 *
 * @template {Manifest} M
 * @param {M} manifest
 * @param {string} subpath
 * @param {string} name
 * @returns {M}
 */
export function addEntryPoint(manifest, subpath, name) {
  const folder = name.slice(0, name.lastIndexOf('/') + 1);
  const known = entryPoints(manifest);
  const beside = known.filter((entry) => entry.name.startsWith(folder));
  const next =
    beside.find((entry) => entry.name > name) ??
    known[known.findIndex(({ name: each }) => each === beside.at(-1)?.name) + 1];
  /** @type {<T>(entries: Record<string, T>, key: string, value: T, before: string | undefined) => Record<string, T>} */
  const inserted = (entries, key, value, before) => {
    const list = Object.entries(entries);
    const at = list.findIndex(([each]) => each === before);
    list.splice(at < 0 ? list.length : at, 0, [key, value]);
    return Object.fromEntries(list);
  };
  return {
    ...manifest,
    exports: inserted(manifest.exports, subpath, targetsOf(name), next?.subpath),
    typesVersions: {
      '*': inserted(manifest.typesVersions['*'], subpath.slice(2), typesOf(name), next?.subpath.slice(2)),
    },
  };
}
