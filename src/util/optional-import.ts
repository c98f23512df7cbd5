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
  } catch (cause) {
    throw loadError(name, purpose, cause);
  }
}

/** {@link optionalImport} for callers that cannot wait. */
export function optionalRequire<T>(name: string, purpose: string): T {
  try {
    // The caller names the package's own type.
    return process.getBuiltinModule('node:module').createRequire(import.meta.url)(name) as T;
  } catch (cause) {
    throw loadError(name, purpose, cause);
  }
}

function loadError(name: string, purpose: string, cause: unknown): unknown {
  const { code } = cause as NodeJS.ErrnoException;
  if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') return cause;
  return new ConfigurationError(
    'missing-dependency',
    `${purpose} needs the package ${name}: npm install amsdal-mail ${name}`,
    { cause },
  );
}
