import type { EmailBackend } from '../backend/backend.ts';
import { letBlock } from '../backend/blocking/delivery.ts';
import { ConfigurationError } from '../model/errors.ts';
import { findPreset, presetNames } from '../net/presets.ts';
import { blameVariable, type Environment, readVariable } from '../options/environment.ts';
import type { AnyOptionTable, OptionPart } from '../options/option-table.ts';
import { blameOptions, environmentOptions, topOf, variablesOf } from '../options/variables.ts';
import { nearestName } from '../util/nearest-name.ts';
import { isQuotable } from '../util/quotable.ts';
import { withFunctions } from './functions.ts';
import { chosenBackend, findVariable, PRESET_PARTS, URL_PARTS } from './known-variables.ts';
import { isBackendClass, loadBackendSync } from './load-backend.ts';
import { isOutboxText, readOutboxText } from './outbox-text.ts';
import {
  type BackendClass,
  backendNames,
  findBackend,
  nameForWorker,
  nameOfBackend,
  optionTableOf,
} from './registry.ts';
import { backendOfUrl, isConnectionUrl, noUrl, parseConnectionUrl, setOption } from './url.ts';
import { type Connect, connectionsOption, withConnections } from './wrapper-connections.ts';
import { isWrapperText, readWrapperText } from './wrapper-text.ts';

type Options = Readonly<Record<string, unknown>>;

/** What a connection is made from, before the environment is asked for its options. */
export interface Target {
  /** The registered name or the specifier; null for a class that has neither. */
  readonly name: string | null;
  readonly backend: BackendClass;
  /** Options given in code by the definition of a named connection. */
  readonly options: object;
  /** Options from a URL or preset; they win over the environment and lose to those given in code. */
  readonly impliedOptions: Options;
  /** What `impliedOptions` describe: variables for these parts do not count. */
  readonly impliedParts: readonly OptionPart[];
  /** The variable that named the backend, or null. */
  readonly variable: string | null;
}

/** The target that AMSDAL_EMAIL_URL or AMSDAL_EMAIL_BACKEND names. */
export function chosenTarget(environment: Environment): Target {
  const { variable, value } = chosenBackend(environment);
  if (variable === null) return resolveTarget(value, environment);
  return namingVariable(variable, () => {
    if (variable === 'AMSDAL_EMAIL_URL') return urlTarget(value, variable);
    const rival = findPreset(value) && findVariable(environment, PRESET_PARTS);
    if (rival)
      throw new ConfigurationError('conflicting-options', `the preset ${value} says what ${rival} says: unset it`);
    return { ...resolveTarget(value, environment), variable };
  });
}

/** The target of a URL that a variable holds. */
export function variableTarget(variable: string, url: string): Target {
  return namingVariable(variable, () => urlTarget(url, variable));
}

/** The target that a name, preset, URL, specifier or class stands for. */
export function resolveTarget(target: string | BackendClass, environment: Environment): Target {
  if (typeof target === 'function') {
    if (!isBackendClass(target))
      throw new ConfigurationError('invalid-backend', `${target['name']} is not a backend class: extend EmailBackend`);
    const name = nameOfBackend(target);
    return name === null ? plainTarget(null, target) : resolveTarget(name, environment);
  }
  if (isConnectionUrl(target) || isWrapperText(target) || isOutboxText(target)) return urlTarget(target, null);
  const preset = findBackend(target) === undefined ? findPreset(target) : undefined;
  if (preset) {
    const { host, port, security } = preset;
    const impliedOptions = { host, port, security };
    return { ...plainTarget('smtp', findClass('smtp')), impliedOptions, impliedParts: PRESET_PARTS };
  }
  // `getConnection('smtp')` with AMSDAL_EMAIL_URL=smtp://... means that server.
  const url = readVariable(environment, 'AMSDAL_EMAIL_URL');
  if (url !== null && isConnectionUrl(url) && backendOfUrl(url) === target) return chosenTarget(environment);
  return plainTarget(target, findClass(target));
}

/** All options: those given in code win over those of the URL or preset, these over the environment. */
export function mergeOptions(target: Target, given: object, environment: Environment): Record<string, unknown> {
  const { impliedOptions, impliedParts } = target;
  const table = optionTableOf(target.backend);
  const inCode = withoutUndefined(overlay(table, { ...target.options }, withoutUndefined({ ...given })));
  const fromVariables = environmentOptions(table, environment, impliedParts);
  const configured = overlay(table, fromVariables, impliedOptions);
  if (isForAnotherAddress(target, { ...configured, ...inCode }, environment)) {
    for (const [name, { part }] of Object.entries(table)) if (part === 'login') delete configured[name];
  }
  const merged = overlay(table, configured, inCode);
  for (const { option, variable } of variablesOf(table)) {
    const counts = fromVariables[option] !== undefined && !Object.hasOwn({ ...impliedOptions, ...inCode }, option);
    for (const [other, parts] of Object.entries(counts ? (variable.implies?.(fromVariables[option]) ?? {}) : {})) {
      const open = merged[other] ?? {};
      if (typeof open === 'object') merged[other] = { ...parts, ...open }; // anything else is refused under its own name
    }
  }
  return merged;
}

function withoutUndefined(options: Options): Options {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
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

/** Credentials belong to the address that they were configured with: they must not be sent to another one. */
function isForAnotherAddress(target: Target, merged: Options, environment: Environment): boolean {
  const entries = Object.entries(optionTableOf(target.backend)).filter(([, { part }]) => part === 'address');
  const address = Object.fromEntries(entries);
  const configured = target.impliedParts.includes('login')
    ? target.impliedOptions
    : environmentOptions(address, environment, []);
  const names = Object.keys(address);
  return (
    names.some((name) => configured[name] !== undefined) && names.some((name) => configured[name] !== merged[name])
  );
}

/**
 * Makes a connection with all its options.
 *
 * @param connect makes the connections that a wrapper is made of
 * @throws {ConfigurationError} which names the variable that an option at fault comes from.
 */
export function makeConnection(
  target: Target,
  given: object,
  environment: Environment,
  connect: Connect,
): EmailBackend {
  const options = withConnections(target, mergeOptions(target, given, environment), connect);
  try {
    return make(target.name, target.backend, withFunctions(target, options));
  } catch (error) {
    throw error instanceof ConfigurationError ? blame(error, target, given, environment) : error;
  }
}

function blame(error: ConfigurationError, target: Target, given: object, environment: Environment): unknown {
  const { backend, variable, impliedParts, impliedOptions } = target;
  const inCode = { ...target.options, ...given };
  const isGiven = (option: string): boolean => Reflect.get(inCode, option) !== undefined;
  const isImplied = (option: string): boolean => Object.hasOwn(impliedOptions, option);
  if (variable !== null && impliedParts.includes('login')) {
    const options = [error.option, ...error.otherOptions].flatMap((option) => (option === null ? [] : [topOf(option)]));
    // A backend that names no option can only mean the URL when nothing else was given.
    const isOfUrl = (option: string): boolean => isImplied(option) && !isGiven(option);
    if (options.length === 0 ? Object.keys(inCode).length === 0 : options.some(isOfUrl))
      return blameVariable(error, variable);
  }
  return blameOptions(error, optionTableOf(backend), environment, (option) => !isGiven(option) && !isImplied(option));
}

/** A connection from a name or specifier and its complete options; the environment is not read. */
export function makeWithOptions(name: string, options: object): EmailBackend {
  return make(name, findClass(name), options);
}

function make(name: string | null, backend: BackendClass, options: object): EmailBackend {
  const connection = new backend(options);
  if (typeof connection.sendMessages !== 'function') {
    throw new ConfigurationError(
      'invalid-backend',
      `'${name ?? backend.name}' makes objects without sendMessages: extend EmailBackend`,
    );
  }
  const workerName = name === null ? null : nameForWorker(name);
  if (workerName !== null) letBlock(connection, { backend: workerName, options });
  return connection;
}

function plainTarget(name: string | null, backend: BackendClass): Target {
  return { name, backend, options: {}, impliedOptions: {}, impliedParts: [], variable: null };
}

function urlTarget(url: string, variable: string | null): Target {
  if (isWrapperText(url)) return wrapperTarget(url, variable);
  if (isOutboxText(url)) return outboxTarget(url, variable);
  if (!isConnectionUrl(url)) throw noUrl(url);
  const name = backendOfUrl(url);
  const preset = findBackend(name) === undefined ? findPreset(name) : undefined;
  if (preset) {
    const { host, port, security } = preset;
    const written = `${security === 'implicit' ? 'smtps' : 'smtp'}://user:password@${host}:${port}`;
    throw new ConfigurationError('unknown-backend', `'${name}' is a preset and no scheme of URLs: write ${written}`);
  }
  const backend = findClass(name);
  const impliedOptions = parseConnectionUrl(url, backend.optionTable);
  return { ...plainTarget(name, backend), impliedOptions, impliedParts: URL_PARTS, variable };
}

function wrapperTarget(text: string, variable: string | null): Target {
  const { wrapper, connections, query } = readWrapperText(text);
  const backend = findClass(wrapper);
  const table = optionTableOf(backend);
  const option = connectionsOption(table);
  // An outbox is made of one, and is written in another way.
  if (option === null || option === 'connection') {
    const advice = 'only wrappers such as failover(...) are; write a URL or a name';
    throw new ConfigurationError('invalid-option', `the URL: '${wrapper}' is not made of connections, ${advice}`);
  }
  const impliedOptions: Record<string, unknown> = { [option]: connections };
  for (const [key, value] of query) setOption(impliedOptions, table, key, value);
  return { ...plainTarget(wrapper, backend), impliedOptions, impliedParts: URL_PARTS, variable };
}

function outboxTarget(text: string, variable: string | null): Target {
  const backend = findClass('outbox');
  const impliedOptions = readOutboxText(text, optionTableOf(backend));
  return { ...plainTarget('outbox', backend), impliedOptions, impliedParts: URL_PARTS, variable };
}

function findClass(name: string): BackendClass {
  const registered = findBackend(name);
  if (typeof registered === 'function') return registered;
  const specifier = registered ?? name;
  // A folder may have an '@' in its name, as those of pnpm have.
  const isFile = /^(?:\.{0,2}\/(?!\/)|\.{1,2}\\|[A-Za-z]:[\\/]|file:\/\/\/)/.test(specifier);
  if (specifier.includes('#') && (isFile || isQuotable(specifier))) return loadBackendSync(specifier);
  if (!isQuotable(name)) throw noUrl(name);
  const known = [...backendNames(), ...presetNames()];
  const near = known.find((each) => each === `${name}-smtp`) ?? nearestName(name, known);
  const advice = near === null ? '' : `did you mean '${near}'? `;
  throw new ConfigurationError(
    'unknown-backend',
    `there is no backend '${name}'; ${advice}known: ${known.join(', ')}, or give './file.js#ClassName'`,
  );
}

/** Runs `make`; an error names the variable. */
function namingVariable<T>(variable: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw blameVariable(error, variable);
  }
}
