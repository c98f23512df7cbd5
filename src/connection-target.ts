import type { EmailBackend } from './backend.ts';
import { letBlock } from './blocking-delivery.ts';
import { backendOfUrl, isConnectionUrl, noUrl, parseConnectionUrl } from './connection-url.ts';
import type { Environment } from './environment.ts';
import { ConfigurationError } from './errors.ts';
import { isBackendClass, loadBackendSync } from './load-backend.ts';
import type { AnyOptionTable, OptionPart } from './options.ts';
import { findPreset, presetNames } from './presets.ts';
import { type BackendClass, backendNames, crossingName, findBackend, nameOfBackend } from './registry.ts';
import { blameVariable, readVariable } from './settings.ts';
import { WorkerDelivery } from './sync.ts';
import { nearestName } from './util/nearest-name.ts';
import { isQuotable } from './util/quotable.ts';
import {
  ALL_PARTS,
  blameOptions,
  chosenBackend,
  environmentOptions,
  findVariable,
  SERVER_PARTS,
  topOf,
  variablesOf,
} from './variables.ts';

type Options = Readonly<Record<string, unknown>>;

/** Which backend to make, and what is known of its options before the environment and the caller are asked. */
export interface Target {
  /** The registered name or the specifier, the recipe for the worker thread; of a class that has neither, null. */
  readonly name: string | null;
  readonly backend: BackendClass;
  /** From a URL or preset; they win over the environment and lose to those given in code. */
  readonly fixed: Options;
  /** What `fixed` describes, so that its variables do not count. */
  readonly replaced: readonly OptionPart[];
  /** The variable that named the backend, or null. */
  readonly variable: string | null;
}

/** The target that AMSDAL_EMAIL_URL or AMSDAL_EMAIL_BACKEND names. */
export function chosenTarget(environment: Environment): Target {
  const { variable, value } = chosenBackend(environment);
  if (variable === null) return resolveTarget(value, environment);
  return blaming(variable, () => {
    if (variable === 'AMSDAL_EMAIL_URL') return urlTarget(value, variable);
    const rival = findPreset(value) && findVariable(environment, SERVER_PARTS);
    if (rival)
      throw new ConfigurationError('conflicting-options', `the preset ${value} says what ${rival} says: unset it`);
    return { ...resolveTarget(value, environment), variable };
  });
}

/** The target of a URL that a variable holds. */
export function variableTarget(variable: string, url: string): Target {
  return blaming(variable, () => urlTarget(url, variable));
}

/** The target that a name, preset, URL, specifier or class stands for. */
export function resolveTarget(target: string | BackendClass, environment: Environment): Target {
  if (typeof target === 'function') {
    if (!isBackendClass(target))
      throw new ConfigurationError('invalid-backend', `${target['name']} is not a backend class: extend EmailBackend`);
    const name = nameOfBackend(target);
    return name === null ? plainTarget(null, target) : resolveTarget(name, environment);
  }
  if (isConnectionUrl(target)) return urlTarget(target, null);
  const preset = findBackend(target) === undefined ? findPreset(target) : undefined;
  if (preset) {
    const { host, port, security } = preset;
    return { ...plainTarget('smtp', findClass('smtp')), fixed: { host, port, security }, replaced: SERVER_PARTS };
  }
  // `getConnection('smtp')` with AMSDAL_EMAIL_URL=smtp://... means that server.
  const url = readVariable(environment, 'AMSDAL_EMAIL_URL');
  if (url !== null && isConnectionUrl(url) && backendOfUrl(url) === target) return chosenTarget(environment);
  return plainTarget(target, findClass(target));
}

/** All options: those given win over those of the URL or preset, these over the environment. */
export function mergeOptions(target: Target, given: object, environment: Environment): Record<string, unknown> {
  const { backend, fixed, replaced } = target;
  const table = backend.optionTable ?? {};
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const fromVariables = environmentOptions(backend.optionTable, environment, replaced);
  const configured = overlay(table, fromVariables, fixed);
  if (isForAnotherAddress(target, { ...configured, ...set }, environment)) {
    for (const [name, { part }] of Object.entries(table)) if (part === 'login') delete configured[name];
  }
  const merged = overlay(table, configured, set);
  for (const { option, variable } of variablesOf(backend.optionTable)) {
    const counts = fromVariables[option] !== undefined && !Object.hasOwn({ ...fixed, ...set }, option);
    for (const [other, parts] of Object.entries(counts ? (variable.implies?.(fromVariables[option]) ?? {}) : {})) {
      const open = merged[other] ?? {};
      if (typeof open === 'object') merged[other] = { ...parts, ...open }; // what is no object is refused by its own name
    }
  }
  return merged;
}

/** The upper options over the lower ones, without those that the upper ones replace. */
function overlay(table: AnyOptionTable, lower: Options, upper: Options): Record<string, unknown> {
  const left = { ...lower };
  for (const name of Object.keys(upper)) {
    const spec = Object.hasOwn(table, name) ? table[name] : undefined;
    for (const other of spec?.replaces ?? []) delete left[other];
  }
  return { ...left, ...upper };
}

/** Credentials belong to the address that they were configured with: another one must not be sent them. */
function isForAnotherAddress({ backend, fixed, replaced }: Target, merged: Options, environment: Environment): boolean {
  const table = backend.optionTable ?? {};
  const address = Object.fromEntries(Object.entries(table).filter(([, { part }]) => part === 'address'));
  const own = replaced.includes('login') ? fixed : environmentOptions(address, environment, []);
  const names = Object.keys(address);
  return names.some((name) => own[name] !== undefined) && names.some((name) => own[name] !== merged[name]);
}

/** Makes the backend with all its options; an error about one names the variable it comes from. */
export function construct(target: Target, given: object, environment: Environment): EmailBackend {
  const { name, backend } = target;
  const options = mergeOptions(target, given, environment);
  try {
    return instantiate(name, backend, options);
  } catch (error) {
    throw error instanceof ConfigurationError ? blame(error, target, given, environment) : error;
  }
}

function blame(error: ConfigurationError, target: Target, given: object, environment: Environment): unknown {
  const { backend, variable, replaced, fixed } = target;
  if (variable !== null && replaced.includes('login')) {
    const options = [error.option, ...error.otherOptions].flatMap((option) => (option === null ? [] : [topOf(option)]));
    // A backend that names no option can only mean the URL when nothing was given beside it.
    const isOfUrl = (option: string): boolean => Object.hasOwn(fixed, option) && !isGiven(given, option);
    if (options.length === 0 ? Object.keys(given).length === 0 : options.some(isOfUrl))
      return blameVariable(error, variable);
  }
  const isFromVariable = (option: string): boolean => !isGiven(given, option) && !Object.hasOwn(fixed, option);
  return blameOptions(error, backend.optionTable, environment, isFromVariable);
}

function isGiven(options: object, name: string): boolean {
  return Reflect.get(options, name) !== undefined;
}

/** A backend from its name or specifier and its complete options; the environment is not read. */
export function makeBackend(name: string, options: object): EmailBackend {
  return instantiate(name, findClass(name), options);
}

function instantiate(name: string | null, backend: BackendClass, options: object): EmailBackend {
  const connection = new backend(options);
  if (typeof connection.sendMessages !== 'function') {
    throw new ConfigurationError(
      'invalid-backend',
      `'${name ?? backend.name}' makes objects without sendMessages: extend EmailBackend`,
    );
  }
  const crossing = name === null ? null : crossingName(name);
  if (crossing !== null) letBlock(connection, new WorkerDelivery({ backend: crossing, options }));
  return connection;
}

function plainTarget(name: string | null, backend: BackendClass): Target {
  return { name, backend, fixed: {}, replaced: [], variable: null };
}

function urlTarget(url: string, variable: string | null): Target {
  if (!isConnectionUrl(url)) throw noUrl(url);
  const name = backendOfUrl(url);
  const preset = findBackend(name) === undefined ? findPreset(name) : undefined;
  if (preset) {
    const { host, port, security } = preset;
    const written = `${security === 'implicit' ? 'smtps' : 'smtp'}://user:password@${host}:${port}`;
    throw new ConfigurationError('unknown-backend', `'${name}' is a preset and no scheme of URLs: write ${written}`);
  }
  const backend = findClass(name);
  const fixed = parseConnectionUrl(url, backend.optionTable);
  return { name, backend, fixed, replaced: ALL_PARTS, variable };
}

function findClass(name: string): BackendClass {
  const registered = findBackend(name);
  if (typeof registered === 'function') return registered;
  const specifier = registered ?? name;
  // A folder may well have an '@' in its name, as those of pnpm have.
  const isFile = /^(?:\.{0,2}\/(?!\/)|\.{1,2}\\|[A-Za-z]:[\\/]|file:\/\/\/)/.test(specifier);
  if (specifier.includes('#') && (isFile || isQuotable(specifier))) return loadBackendSync(specifier);
  if (!isQuotable(name)) throw noUrl(name);
  const known = [...backendNames(), ...presetNames()];
  const near = nearestName(name, known);
  const advice = near === null ? '' : `did you mean '${near}'? `;
  throw new ConfigurationError(
    'unknown-backend',
    `there is no backend '${name}'; ${advice}known: ${known.join(', ')}, or give './file.js#ClassName'`,
  );
}

function blaming<T>(variable: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw blameVariable(error, variable);
  }
}
