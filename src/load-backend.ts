import { ConfigurationError } from './errors.ts';
import type { BackendClass } from './registry.ts';

/** Classes that `loadBackend` has loaded, which the synchronous way then finds here. */
const loaded = new Map<string, BackendClass>();

/**
 * Loads a backend class by `specifier#Export`: `./` and absolute paths and `file:` URLs are files, seen from the working
 * directory; anything else is a package found from there.
 *
 * @throws {ConfigurationError} `load-failed` or `invalid-backend`, saying how to mend it.
 */
export function loadBackendSync(specifier: string): BackendClass {
  const known = loaded.get(specifier);
  if (known) return known;
  const { file, exportName } = locate(specifier);
  try {
    return pick(specifier, exportName, requireHere()(file));
  } catch (cause) {
    throw explain(specifier, cause);
  }
}

/**
 * {@link loadBackendSync} for modules that use top-level await; afterwards `getConnection` finds them, too.
 *
 * @throws {ConfigurationError} `load-failed` or `invalid-backend`.
 */
export async function loadBackend(specifier: string): Promise<BackendClass> {
  const { file, exportName } = locate(specifier);
  try {
    const { pathToFileURL } = process.getBuiltinModule('node:url');
    const backend = pick(specifier, exportName, await import(pathToFileURL(file).href));
    loaded.set(specifier, backend);
    return backend;
  } catch (cause) {
    throw explain(specifier, cause);
  }
}

function locate(specifier: string): { readonly file: string; readonly exportName: string } {
  const hash = specifier.lastIndexOf('#');
  const path = specifier.slice(0, hash);
  const exportName = specifier.slice(hash + 1);
  if (hash <= 0 || exportName === '') {
    throw new ConfigurationError(
      'invalid-backend',
      `'${specifier}' names no export: write './file.js#ClassName' or 'package#ClassName'`,
    );
  }
  try {
    const { fileURLToPath } = process.getBuiltinModule('node:url');
    return { file: requireHere().resolve(path.startsWith('file:') ? fileURLToPath(path) : path), exportName };
  } catch (cause) {
    throw explain(specifier, cause);
  }
}

function requireHere(): NodeJS.Require {
  const { createRequire } = process.getBuiltinModule('node:module');
  return createRequire(`${process.cwd()}/`);
}

function pick(specifier: string, exportName: string, module: unknown): BackendClass {
  const exports = typeof module === 'object' && module !== null ? module : {};
  const found: unknown = Reflect.get(exports, exportName);
  if (isBackendClass(found)) return found;
  const problem =
    found === undefined
      ? `has no export '${exportName}'; its exports: ${Object.keys(exports).join(', ') || 'none'}`
      : `'${exportName}' is not a class with sendMessages: extend EmailBackend`;
  throw new ConfigurationError('invalid-backend', `backend '${specifier}': ${problem}`);
}

/** By shape, since the class may extend another copy of this package. */
export function isBackendClass(value: unknown): value is BackendClass {
  return typeof value === 'function' && typeof value.prototype?.sendMessages === 'function';
}

function explain(specifier: string, cause: unknown): ConfigurationError {
  if (cause instanceof ConfigurationError) return cause;
  const code: unknown = cause instanceof Error ? Reflect.get(cause, 'code') : undefined;
  const reason = cause instanceof Error ? cause.message.split('\n', 1)[0] : String(cause);
  return new ConfigurationError(
    'load-failed',
    `backend '${specifier}' cannot be loaded: ${reason}${advice(specifier, code)}`,
    { cause },
  );
}

function advice(specifier: string, code: unknown): string {
  if (code === 'ERR_REQUIRE_ASYNC_MODULE')
    return `; it uses top-level await: call \`await loadBackend('${specifier}')\` first`;
  if (code === 'ERR_REQUIRE_CYCLE_MODULE')
    return '; it imports the module that is loading it: get the connection later, inside a function';
  if (code === 'MODULE_NOT_FOUND' && !/^(?:\.|\/|file:|[A-Za-z]:[\\/])/.test(specifier)) {
    return `; a file needs './' in front ('./${specifier}'), a package must be installed`;
  }
  return '';
}
