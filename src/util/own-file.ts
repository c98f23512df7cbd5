import { ConfigurationError } from '../errors.ts';
import { importModule } from './import-module.ts';

/**
 * The path of a file that comes with this package, as seen from the module with the address `from`. Bundlers take
 * `new URL(path, import.meta.url)` for a file that they must find, though most who bundle this package never need it.
 *
 * @param purpose what it is for, as the error says it: 'blocking calls need'
 * @throws {ConfigurationError} `load-failed` where it is not: in a bundle
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
 * Imports a module that comes with this package and that no bundler follows, as {@link ownFile} finds it.
 *
 * @param path without its extension, which is the importer's: .ts in the source, .js or .cjs in the package
 */
export async function importOwn(from: string | undefined, path: string, purpose: string): Promise<unknown> {
  const { pathToFileURL } = process.getBuiltinModule('node:url');
  const extension = /\.\w+$/.exec(from ?? '')?.[0] ?? '.js';
  return importModule(pathToFileURL(ownFile(from, path + extension, purpose)).href);
}
