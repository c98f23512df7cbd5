import { BACKEND_OPTIONS, type EmailBackend, type UrlSchemes } from '../backend/backend.ts';
import { ConfigurationError } from '../model/errors.ts';
import type { AnyOptionTable } from '../options/option-table.ts';
import { processState } from '../util/process-state.ts';
import { quoted } from '../util/quotable.ts';
import * as builtIn from './built-in.ts';

/** The built-in backends by name: their options and their classes. */
export type BuiltInBackends = {
  readonly [Name in keyof typeof builtIn as builtIn.Dashed<Name>]: {
    readonly options: NonNullable<ConstructorParameters<(typeof builtIn)[Name]>[0]>;
    readonly backend: InstanceType<(typeof builtIn)[Name]>;
  };
};

/** A class whose instances are backends, and what it declares about itself: see {@link EmailBackend}. */
export interface BackendClass<O extends object = object, B extends EmailBackend = EmailBackend> {
  new (options?: O): B;
  /** What its options are checked against, and read from URLs and variables. */
  readonly optionTable?: AnyOptionTable;
  /** URL schemes besides its registered name. */
  readonly urlSchemes?: UrlSchemes;
  /** False for a class that delivers no mail. */
  readonly delivers?: boolean;
  /** What it does, as the command line shows it. */
  readonly about?: string | null;
}

const BUILT_IN: Readonly<Record<string, BackendClass>> = /* @__PURE__ */ (() =>
  Object.fromEntries(
    Object.entries(builtIn).map(([name, backend]) => [
      name.replace(/[A-Z]/g, (one) => `-${one.toLowerCase()}`),
      backend as BackendClass, // options that must be given are checked when they are read
    ]),
  ))();
/** The application's backends: a class, or a `specifier#Export` that is loaded when it is first used. */
const registered = /* @__PURE__ */ processState('backends', () => new Map<string, BackendClass | string>());

/** The name or specifier by which a worker thread finds the same backend; null when only this thread knows it. */
export function nameForWorker(name: string): string | null {
  const own = registered.get(name);
  if (typeof own === 'string') return own;
  return Object.hasOwn(BUILT_IN, name) || name.includes('#') ? name : null;
}

/** The name a class is registered under, or null. */
export function nameOfBackend(backend: BackendClass): string | null {
  return known().find(([, each]) => each === backend)?.[0] ?? null;
}

/** The names of all registered backends, sorted. */
export function backendNames(): readonly string[] {
  return known()
    .map(([name]) => name)
    .toSorted();
}

/** The class or specifier registered under a name. */
export function findBackend(name: string): BackendClass | string | undefined {
  return Object.hasOwn(BUILT_IN, name) ? BUILT_IN[name] : registered.get(name);
}

/** The options of a class; one that declares none has those of every backend. */
export function optionTableOf({ optionTable = BACKEND_OPTIONS }: BackendClass): AnyOptionTable {
  return optionTable;
}

/** The option tables that registered classes declare; a backend registered by its specifier is not loaded for this. */
export function optionTables(): readonly AnyOptionTable[] {
  return knownClasses().flatMap(([, { optionTable }]) => (optionTable === undefined ? [] : [optionTable]));
}

/** The name of the backend that a URL scheme stands for, and the options it implies; null for an unknown scheme. */
export function findScheme(scheme: string): { readonly name: string; readonly options: object } | null {
  if (findBackend(scheme) !== undefined) return { name: scheme, options: {} };
  for (const [name, backend] of knownClasses()) {
    const schemes = ownSchemes(backend);
    if (Object.hasOwn(schemes, scheme)) return { name, options: schemes[scheme] ?? {} };
  }
  return null;
}

/** The schemes that a class declares itself: those it inherits mean the class it extends. */
function ownSchemes(backend: BackendClass): UrlSchemes {
  return Object.hasOwn(backend, 'urlSchemes') ? (backend.urlSchemes ?? {}) : {};
}

/** The schemes of URLs that have more than a query. */
export function urlSchemes(): readonly string[] {
  const withParts = knownClasses().filter(([, { optionTable = {} }]) =>
    Object.values(optionTable).some(({ urlPart }) => urlPart !== undefined),
  );
  const smtpFirst = withParts.toSorted(([a], [b]) => Number(b === 'smtp') - Number(a === 'smtp'));
  return smtpFirst.flatMap(([name, backend]) => [name, ...Object.keys(ownSchemes(backend))]);
}

/**
 * Registers a backend under a name for `getConnection`, AMSDAL_EMAIL_BACKEND and URLs; returns the function that removes it.
 *
 * @param backend The class, or a `specifier#Export` that is loaded when the name is first used.
 * @throws {ConfigurationError} `invalid-option` when the name, or a scheme of the class, is taken or could be mistaken for a path
 *   or URL.
 */
export function registerBackend(name: string, backend: BackendClass | string): () => void {
  const schemes = typeof backend === 'string' ? [] : Object.keys(ownSchemes(backend));
  for (const each of [name, ...schemes]) {
    const what = each === name ? "backend's name" : 'scheme of URLs';
    if (!/^[a-z][a-z0-9-]*$/.test(each)) {
      throw new ConfigurationError(
        'invalid-option',
        `a ${what} is lower-case letters, digits and hyphens, got ${quoted(each)}`,
      );
    }
    const owner = findScheme(each);
    if (owner !== null && (each === name || findBackend(owner.name) !== backend)) {
      const taken = each === name ? 'backend name' : 'scheme of URLs';
      throw new ConfigurationError('invalid-option', `the ${taken} '${each}' is taken`);
    }
  }
  registered.set(name, backend);
  return () => {
    registered.delete(name);
  };
}

function known(): readonly (readonly [name: string, backend: BackendClass | string])[] {
  return [...Object.entries(BUILT_IN), ...registered];
}

function knownClasses(): readonly (readonly [name: string, backend: BackendClass])[] {
  return known().flatMap(([name, backend]) => (typeof backend === 'string' ? [] : [[name, backend] as const]));
}
