import { ConfigurationError } from '../errors.ts';

/**
 * Loads an optional peer dependency on first use.
 *
 * @param name the package's name
 * @param purpose what it is needed for, as the error says it
 * @throws ConfigurationError `missing-dependency` with the command that installs it
 */
export async function optionalImport<T>(name: string, purpose: string): Promise<T> {
  try {
    const module: { readonly default?: T } = await import(name);
    return module.default ?? (module as T); // the caller names the package's own type
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new ConfigurationError('missing-dependency', `${purpose} needs the package ${name}: npm install ${name}`, {
      cause: error,
    });
  }
}
