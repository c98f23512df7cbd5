import { ConfigurationError } from '../model/errors.ts';
import { importExport, requireExport } from '../options/load-export.ts';
import { processState } from '../util/process-state.ts';
import { quoted } from '../util/quotable.ts';
import type { BackendClass } from './registry.ts';

/** Classes that `loadBackend` has loaded, for `loadBackendSync`. */
const loaded = /* @__PURE__ */ processState('loaded backends', () => new Map<string, BackendClass>());

/**
 * Loads a backend class by `specifier#Export`: `./` and absolute paths and `file:` URLs are files, relative to the working
 * directory; anything else is a package resolved from there.
 *
 * @throws {ConfigurationError} `load-failed` or `invalid-backend`, saying how to fix it.
 */
export function loadBackendSync(specifier: string): BackendClass {
  return loaded.get(specifier) ?? requireBackendClass(specifier, requireExport('backend', specifier, process.cwd()));
}

/**
 * {@link loadBackendSync} for modules that use top-level await; `getConnection` finds them afterwards.
 *
 * @throws {ConfigurationError} `load-failed` or `invalid-backend`.
 */
export async function loadBackend(specifier: string): Promise<BackendClass> {
  const backend = requireBackendClass(specifier, await importExport('backend', specifier, process.cwd()));
  loaded.set(specifier, backend);
  return backend;
}

/** By shape, since the class may extend another copy of this package. */
export function isBackendClass(value: unknown): value is BackendClass {
  return typeof value === 'function' && typeof value.prototype?.sendMessages === 'function';
}

function requireBackendClass(specifier: string, found: unknown): BackendClass {
  if (isBackendClass(found)) return found;
  throw new ConfigurationError(
    'invalid-backend',
    `backend ${quoted(specifier)} is not a class with sendMessages: extend EmailBackend`,
  );
}
