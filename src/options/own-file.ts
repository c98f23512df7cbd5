import { ConfigurationError } from '../model/errors.ts';
import { isWorkerd } from '../util/runtime.ts';
import { importModule } from './import-module.ts';

/** Of the package's two forms, `dist` has the ES modules, and what there is once; `dist/cjs` has the CommonJS. */
const DIST = /(.*\/dist\/)(?:cjs\/)?/;

/**
 * The path of a file of this package, relative to the module at `from`. It is not written `new URL(path, import.meta.url)`, which
 * makes bundlers look for a file that most of them never need.
 *
 * @param purpose what needs it, for the error: 'blocking calls need'
 * @throws {ConfigurationError} `load-failed` when it is missing, as in a bundle
 */
export function ownFile(from: string | undefined, path: string, purpose: string): string {
  return fileAt(from, path) ?? fileAt(from?.replace(DIST, '$1'), path) ?? throwMissing(purpose);
}

/**
 * Loads a module of this package at once, for a blocking call: its CommonJS form.
 *
 * @param path relative to the module at `from`, without the extension
 * @throws {ConfigurationError} `load-failed` as {@link ownFile}
 */
export function requireOwn(from: string | undefined, path: string, purpose: string): unknown {
  const file = fileAt(from?.replace(DIST, '$1cjs/'), `${path}.js`) ?? throwMissing(purpose);
  const { createRequire } = process.getBuiltinModule('node:module');
  return createRequire(file)(file);
}

/**
 * Imports a module of this package that bundlers do not follow, found as by {@link ownFile}.
 *
 * @param path without the extension, which is that of the importer: .ts in the source, .js in the package
 */
export async function importOwn(from: string | undefined, path: string, purpose: string): Promise<unknown> {
  const { pathToFileURL } = process.getBuiltinModule('node:url');
  const extension = /\.\w+$/.exec(from ?? '')?.[0] ?? '.js';
  return importModule(pathToFileURL(ownFile(from, path + extension, purpose)).href);
}

function fileAt(from: string | undefined, path: string): string | null {
  if (!from?.startsWith('file:') || isWorkerd()) return null;
  const { existsSync } = process.getBuiltinModule('node:fs');
  const { fileURLToPath } = process.getBuiltinModule('node:url');
  const file = fileURLToPath(new URL(path, from));
  return existsSync(file) ? file : null;
}

function throwMissing(purpose: string): never {
  throw new ConfigurationError(
    'load-failed',
    `${purpose} files of the package amsdal-mail that a bundler leaves behind: keep the package out of the bundle (external: ['amsdal-mail'], in Next.js serverExternalPackages: ['amsdal-mail'])`,
  );
}
