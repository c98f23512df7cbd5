// @ts-check
import { readFileSync } from 'node:fs';

/**
 * A subpath of the package that code can import, and the module it is: `{ subpath: './mime', name: 'mime/index' }`.
 *
 * @typedef {{ readonly subpath: string, readonly name: string }} EntryPoint
 */

/** All of them, as package.json's `exports` names them. @returns {EntryPoint[]} */
export function entryPoints() {
  /** @type {{ exports: Record<string, string | Record<string, { default: string }>> }} */
  const { exports } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return Object.entries(exports).flatMap(([subpath, target]) => {
    if (typeof target === 'string') return []; // package.json itself
    const file = target['import']?.default ?? '';
    return { subpath, name: file.replace(/^\.\/dist\/(.*)\.js$/, '$1') };
  });
}
