import { ConfigurationError } from '../model/errors.ts';
import { refuseInWorkerd } from './refuse-in-workerd.ts';

/**
 * Loads an optional peer dependency on first use, resolved from this package, from the bundle that contains it, or from the
 * program; never from the working directory, which may be anybody's. Bundlers do not see the import, so they require no package
 * that is not installed.
 *
 * @param name the package's name
 * @param purpose what needs it, for the error
 * @throws {ConfigurationError} `missing-dependency` with the command that installs it
 */
export function optionalRequire<T>(name: string, purpose: string): T {
  refuseInWorkerd(
    'missing-dependency',
    `${purpose} needs the package ${name}, which cannot be had`,
    'nothing is loaded there but the bundle',
  );
  const { createRequire } = process.getBuiltinModule('node:module');
  let missing: unknown;
  for (const from of places()) {
    try {
      return createRequire(from)(name) as T; // the caller knows the package's type
    } catch (cause) {
      if (!isMissing(cause)) throw cause;
      missing ??= cause;
    }
  }
  throw missingDependency(name, purpose, missing);
}

/** CommonJS bundles have no `import.meta.url`; a program read from standard input has no path as its first argument. */
function places(): readonly string[] {
  const { isAbsolute } = process.getBuiltinModule('node:path');
  return [import.meta.url, bundleFile(), process.argv[1]].flatMap((from) =>
    from !== undefined && (from.startsWith('file:') || isAbsolute(from)) ? [from] : [],
  );
}

/** The file of a CommonJS bundle; not `typeof __filename`, which some bundlers define where it does not exist. */
function bundleFile(): string | undefined {
  try {
    return __filename;
  } catch {
    return undefined;
  }
}

/** The error for a failed load: `missing-dependency` when the package is not installed, else `cause` itself. */
export function loadError(name: string, purpose: string, cause: unknown): unknown {
  return isMissing(cause) ? missingDependency(name, purpose, cause) : cause;
}

function missingDependency(name: string, purpose: string, cause: unknown): ConfigurationError {
  return new ConfigurationError(
    'missing-dependency',
    `${purpose} needs the package ${name}: npm install amsdal-mail ${name}`,
    { cause },
  );
}

function isMissing(cause: unknown): boolean {
  const { code } = cause as NodeJS.ErrnoException;
  return code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND';
}
