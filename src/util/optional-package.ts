import { ConfigurationError } from '../errors.ts';
import { refuseInWorkerd } from './refuse-in-workerd.ts';

/**
 * Loads an optional peer dependency on first use: as seen from this package, from the bundle that it is in, or from the program;
 * never from the working directory, which may be anybody's. A bundler sees nothing of it, so that it asks for no package that
 * nobody has installed.
 *
 * @param name the package's name
 * @param purpose what it is needed for, as the error says it
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
      return createRequire(from)(name) as T; // the caller names the package's own type
    } catch (cause) {
      if (!isMissing(cause)) throw cause;
      missing ??= cause;
    }
  }
  throw missingDependency(name, purpose, missing);
}

/** Bundles as CommonJS have no `import.meta.url`; of a program that is read from standard input the first argument is none. */
function places(): readonly string[] {
  const { isAbsolute } = process.getBuiltinModule('node:path');
  return [import.meta.url, bundleFile(), process.argv[1]].flatMap((from) =>
    from !== undefined && (from.startsWith('file:') || isAbsolute(from)) ? [from] : [],
  );
}

/** Of a bundle as CommonJS; some bundlers answer `typeof __filename` where there is none. */
function bundleFile(): string | undefined {
  try {
    return __filename;
  } catch {
    return undefined;
  }
}

/** @param cause what loading threw @returns the error that says how to mend it, or what was thrown for another reason */
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
