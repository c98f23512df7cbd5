import { ConfigurationError } from '../model/errors.ts';
import { importModule } from './import-module.ts';

/**
 * The path of a file of this package, relative to the module at `from`. It is not written `new URL(path, import.meta.url)`, which
 * makes bundlers look for a file that most of them never need.
 *
 * @param purpose what needs it, for the error: 'blocking calls need'
 * @throws {ConfigurationError} `load-failed` when it is missing, as in a bundle
 */
export function ownFile(from: string | undefined, path: string, purpose: string): string {
  const { existsSync } = process.getBuiltinModule('node:fs');
  const { fileURLToPath } = process.getBuiltinModule('node:url');
  const file = from?.startsWith('file:') ? fileURLToPath(new URL(path, from)) : null;
  if (file !== null && existsSync(file)) return file;
  throw new ConfigurationError(
    'load-failed',
    `${purpose} files of the package amsdal-mail that a bundler leaves behind: keep the package out of the bundle (external: ['amsdal-mail'], in Next.js serverExternalPackages: ['amsdal-mail'])`,
  );
}

/**
 * Imports a module of this package that bundlers do not follow, found as by {@link ownFile}.
 *
 * @param path without the extension, which is that of the importer: .ts in the source, .js or .cjs in the package
 */
export async function importOwn(from: string | undefined, path: string, purpose: string): Promise<unknown> {
  const { pathToFileURL } = process.getBuiltinModule('node:url');
  const extension = /\.\w+$/.exec(from ?? '')?.[0] ?? '.js';
  return importModule(pathToFileURL(ownFile(from, path + extension, purpose)).href);
}
