import { ConfigurationError } from '../model/errors.ts';
import { isQuotable, quoted } from '../util/quotable.ts';
import { isError, reasonOf } from '../util/reason.ts';
import { importModule } from './import-module.ts';

/** What is loaded, as errors call it. */
export type LoadKind = 'backend' | 'contrib' | 'function';

/** The code for a wrong export. */
const INVALID = { backend: 'invalid-backend', contrib: 'invalid-contrib', function: 'invalid-option' } as const;

/**
 * Loads the export that `specifier#Export` names: `./` and absolute paths and `file:` URLs are files, relative to `cwd`; anything
 * else is a package resolved from there.
 *
 * @throws {ConfigurationError} `load-failed`, or the one for a wrong export, saying what was tried and how to fix it.
 */
export async function importExport(kind: LoadKind, specifier: string, cwd: string): Promise<unknown> {
  const { file, exportName } = locate(kind, specifier, cwd);
  try {
    const { pathToFileURL } = process.getBuiltinModule('node:url');
    return pick(kind, specifier, exportName, await importModule(pathToFileURL(file).href));
  } catch (cause) {
    throw explain(kind, specifier, cwd, cause);
  }
}

/** A synchronous {@link importExport}; it cannot load modules with top-level await. */
export function requireExport(kind: LoadKind, specifier: string, cwd: string): unknown {
  const { file, exportName } = locate(kind, specifier, cwd);
  try {
    return pick(kind, specifier, exportName, requireFrom(cwd)(file));
  } catch (cause) {
    throw explain(kind, specifier, cwd, cause);
  }
}

const EXAMPLE: Readonly<Record<LoadKind, string>> = { backend: 'ClassName', contrib: 'ClassName', function: 'name' };

/** Any name a class can have, though an ES module may export under other names. */
const EXPORT_NAME = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;

function locate(
  kind: LoadKind,
  specifier: string,
  cwd: string,
): { readonly file: string; readonly exportName: string } {
  const hash = specifier.lastIndexOf('#');
  const path = specifier.slice(0, hash);
  const exportName = specifier.slice(hash + 1);
  if (hash <= 0 || !EXPORT_NAME.test(exportName)) {
    throw new ConfigurationError(
      INVALID[kind],
      `${kind} ${quoted(specifier)} names no export: write './file.js#${EXAMPLE[kind]}' or 'package#${EXAMPLE[kind]}'`,
    );
  }
  try {
    const { fileURLToPath } = process.getBuiltinModule('node:url');
    return { file: requireFrom(cwd).resolve(path.startsWith('file:') ? fileURLToPath(path) : path), exportName };
  } catch (cause) {
    throw isQuotable(specifier) ? explain(kind, specifier, cwd, cause) : notFound(kind, cwd, cause);
  }
}

/** The error for a specifier that is not found, without Node's own text, which would show the specifier. */
function notFound(kind: LoadKind, cwd: string, cause: unknown): ConfigurationError {
  const code: unknown = isError(cause) ? Reflect.get(cause, 'code') : undefined;
  const text = `${kind} ${quoted(':')} cannot be loaded, looked for from ${cwd}: ${String(code ?? 'it is not found')}`;
  return new ConfigurationError('load-failed', text);
}

function requireFrom(cwd: string): NodeJS.Require {
  const { createRequire } = process.getBuiltinModule('node:module');
  return createRequire(`${cwd}/`);
}

function pick(kind: LoadKind, specifier: string, exportName: string, module: unknown): unknown {
  const exports = typeof module === 'object' && module !== null ? module : {};
  const found: unknown = Reflect.get(exports, exportName);
  if (found !== undefined) return found;
  const names = Object.keys(exports).join(', ') || 'none';
  throw new ConfigurationError(
    INVALID[kind],
    `${kind} '${specifier}': it has no export '${exportName}'; its exports: ${names}`,
  );
}

function explain(kind: LoadKind, specifier: string, cwd: string, cause: unknown): ConfigurationError {
  if (cause instanceof ConfigurationError) return cause;
  const code: unknown = isError(cause) ? Reflect.get(cause, 'code') : undefined;
  const reason = reasonOf(cause).split('\n', 1)[0];
  const tried = `${kind} '${specifier}' cannot be loaded, looked for from ${cwd}: ${reason}`;
  return new ConfigurationError('load-failed', tried + advice(kind, specifier, code), { cause });
}

function advice(kind: LoadKind, specifier: string, code: unknown): string {
  switch (code) {
    case 'ERR_REQUIRE_ASYNC_MODULE':
      return kind === 'function'
        ? '; it uses top-level await: leave that out, or give the function itself, in code'
        : `; it uses top-level await: call \`await loadBackend('${specifier}')\` first`;
    case 'ERR_REQUIRE_CYCLE_MODULE':
      return '; it imports the module that is loading it: get the connection later, inside a function';
    case 'ERR_PACKAGE_PATH_NOT_EXPORTED':
      return '; name a path that its package.json exports, for the condition "default" or "require"';
    case 'MODULE_NOT_FOUND':
      if (/^(?:\.|\/|file:|[A-Za-z]:[\\/])/.test(specifier)) return '';
      return `; a file needs './' in front ('./${specifier}'), a package must be installed`;
    default:
      return '';
  }
}
