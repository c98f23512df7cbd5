import type { EmailBackend } from '../backend/backend.ts';
import { rulesOf } from '../backend/staging/staging-rules.ts';
import { thrownHere } from '../model/error-copies.ts';
import { ConfigurationError } from '../model/errors.ts';
import type { PresetName } from '../net/presets.ts';
import {
  currentEnvironment,
  type Environment,
  namedUrls,
  namedUrlVariable,
  readVariable,
} from '../options/environment.ts';
import { nearestName } from '../util/nearest-name.ts';
import { processState } from '../util/process-state.ts';
import { quoted } from '../util/quotable.ts';
import { takeMisspelt } from './known-variables.ts';
import {
  type ConnectionDefinition,
  type ConnectionName,
  connectionNameOf,
  definedNames,
  findDefinition,
} from './named.ts';
import { type BackendClass, type BuiltInBackends, optionTableOf } from './registry.ts';
import { checkGuard, guard } from './staging-guard.ts';
import { chosenTarget, makeConnection, mergeOptions, resolveTarget, type Target, variableTarget } from './target.ts';
import { type Connect, connectionsOption } from './wrapper-connections.ts';

/** The options and class of a backend that is named by a built-in name or preset; of any other name, just a backend. */
export type NamedBackend<T extends string> = [T] extends [keyof BuiltInBackends | PresetName]
  ? BuiltInBackends[T extends keyof BuiltInBackends ? T : 'smtp']
  : { readonly options: object; readonly backend: EmailBackend };

/**
 * Makes a private connection; nothing is connected until it is opened or used.
 *
 * @param target A registered name (`'smtp'`), a preset (`'gmail'`), a URL (`'smtps://user:pass@host'`), a named connection
 *   (`'@marketing'`), a class, or `'./backend.js#MyBackend'`; default: what AMSDAL_EMAIL_URL or AMSDAL_EMAIL_BACKEND says, else
 *   `console`.
 * @param options The backend's options; they win over the environment.
 * @throws {ConfigurationError} when the backend or an option is wrong: everything that can be checked without the network is checked here.
 */
export function getConnection<O extends object, B extends EmailBackend>(target: BackendClass<O, B>, options?: O): B;
export function getConnection<T extends string>(
  target?: T,
  options?: NamedBackend<T>['options'],
): NamedBackend<T>['backend'];
export function getConnection(target?: string | BackendClass, options: object = {}): EmailBackend {
  try {
    const environment = currentEnvironment();
    const name = typeof target === 'string' ? connectionNameOf(target) : null;
    if (name !== null) return making(name, () => makeGuarded(namedTarget(name, environment), options, environment));
    const resolved = target === undefined ? chosenTarget(environment) : resolveTarget(target, environment);
    return makeGuarded(resolved, options, environment);
  } catch (error) {
    throw thrownHere(error);
  }
}

/** A connection that the process shares, and what it was made from: when that changes, another one is made. */
interface SharedConnection {
  readonly fingerprint: string;
  readonly definition: ConnectionDefinition | undefined;
  readonly connection: EmailBackend;
}

/** The name of the default connection among the shared ones. */
const DEFAULT = '';
const shared = /* @__PURE__ */ processState('shared connections', () => new Map<string, SharedConnection>());
/** The environment is read once per turn of the event loop: a loop of a hundred thousand sends must not read it each time. */
const thisTurn = /* @__PURE__ */ processState('connections of this turn', () => new Map<string, SharedConnection>());
/** Replaces the default connection that the environment configures. */
const override = /* @__PURE__ */ processState('default connection', (): { connection: EmailBackend | null } => ({
  connection: null,
}));

/**
 * The connection of every `sendMail` that names none: one per resolved settings, shared by the process.
 *
 * @throws {ConfigurationError} when the environment is wrong.
 */
export function defaultConnection(): EmailBackend {
  return override.connection === null ? sharedConnection(DEFAULT) : guard(override.connection);
}

/**
 * Makes `connection` the process's default one, or undoes that with null; the seam for plugins, adapters and test inboxes.
 *
 * @returns The function that restores the previous default.
 */
export function setDefaultConnection(connection: EmailBackend | null): () => void {
  const before = override.connection;
  override.connection = connection;
  return () => {
    override.connection = before;
  };
}

/** The connection for `sendMail`: the one given, the shared one of a name, or the default one. */
export function connectionFor(given: EmailBackend | ConnectionName | undefined): EmailBackend {
  try {
    if (given === undefined) return defaultConnection();
    if (typeof given !== 'string') return guard(given);
    const name = connectionNameOf(given);
    if (name !== null) return sharedConnection(name);
  } catch (error) {
    throw thrownHere(error);
  }
  throw new ConfigurationError(
    'invalid-option',
    `connection ${quoted(given)}: write '@name' for a named connection, or give what getConnection makes of it`,
  );
}

/**
 * Makes every shared connection, the default one and the named ones, which checks the whole configuration without the network.
 *
 * @throws {ConfigurationError} for the first thing that is wrong.
 */
export function checkConnections(): readonly EmailBackend[] {
  const names = new Set([...definedNames(), ...namedUrls(currentEnvironment())]);
  return [defaultConnection(), ...[...names].map(sharedConnection)];
}

/** The default connection and the named ones that have been used. */
export function sharedConnections(): readonly EmailBackend[] {
  const used = [...shared.values()].map(({ connection }) => connection);
  return [...new Set(override.connection === null ? used : [override.connection, ...used])];
}

/** Named connections that are being made, to tell one that is made of itself. */
const beingMade: string[] = [];

/** @throws {ConfigurationError} when it is being made already. */
function making(name: string, make: () => EmailBackend): EmailBackend {
  if (!beingMade.includes(name)) {
    beingMade.push(name);
    try {
      return make();
    } finally {
      beingMade.pop();
    }
  }
  const way = [...beingMade.slice(beingMade.indexOf(name)), name].map((each) => `@${each}`).join(' > ');
  throw new ConfigurationError('invalid-option', `a connection cannot be made of itself: ${way}`);
}

function sharedConnection(name: string): EmailBackend {
  return making(name, () => findOrMake(name));
}

function findOrMake(name: string): EmailBackend {
  const definition = name === DEFAULT ? undefined : findDefinition(name);
  const known = thisTurn.get(name);
  if (known !== undefined && known.definition === definition) return known.connection;
  const environment = currentEnvironment();
  const target = name === DEFAULT ? chosenTarget(environment) : namedTarget(name, environment);
  const fingerprint = fingerprintOf(target, environment);
  let entry = shared.get(name);
  if (entry?.fingerprint !== fingerprint || entry.definition !== definition) {
    entry = { fingerprint, definition, connection: makeGuarded(target, {}, environment) };
    shared.set(name, entry);
  }
  if (thisTurn.size === 0) queueMicrotask(() => thisTurn.clear());
  thisTurn.set(name, entry);
  return entry.connection;
}

function fingerprintOf(target: Target | EmailBackend, environment: Environment): string {
  const guards = rulesOf(environment);
  if ('sendMessages' in target) return guards;
  // Options given in code belong to the definition, which is compared by itself.
  const options = mergeOptions({ ...target, options: {} }, {}, environment);
  // Connections that a wrapper is made of change with their own variables.
  const isWrapper = connectionsOption(optionTableOf(target.backend)) !== null;
  return JSON.stringify([target.name, options, guards, ...(isWrapper ? [environment] : [])]);
}

function makeGuarded(target: Target | EmailBackend, options: object, environment: Environment): EmailBackend {
  checkGuard(environment);
  for (const [variable, meant] of takeMisspelt(environment)) {
    const warning = { type: 'AmsdalMailWarning', code: 'unknown-variable' };
    process.emitWarning(`there is no variable ${variable}: did you mean ${meant}?`, warning);
  }
  if (!('sendMessages' in target)) return guard(makeConnection(target, options, environment, partMaker(environment)));
  if (Object.keys(options).length === 0) return guard(target);
  throw new ConfigurationError('invalid-option', 'this named connection is made already: it takes no options');
}

/** Makes what wrappers are made of: named connections are those of the process, all others their own. */
function partMaker(environment: Environment): Connect {
  const connect: Connect = (text) => {
    const name = connectionNameOf(text);
    if (name !== null) return { name, connection: sharedConnection(name) };
    return { name: null, connection: makeConnection(resolveTarget(text, environment), {}, environment, connect) };
  };
  return connect;
}

/** What a name stands for: a target, or a connection that the application has made itself. */
function namedTarget(name: string, environment: Environment): Target | EmailBackend {
  const definition = findDefinition(name);
  if (definition === undefined) {
    const variable = namedUrlVariable(name);
    const url = readVariable(environment, variable);
    if (url !== null) return variableTarget(variable, url);
    const names = [...definedNames(), ...namedUrls(environment)];
    const near = nearestName(name, names);
    const known = names.map((each) => `@${each}`).join(', ') || 'none';
    throw new ConfigurationError(
      'unknown-backend',
      `there is no connection '@${name}'${near === null ? '' : `; did you mean '@${near}'?`}: set ${variable}, or call defineConnections({ '${name}': ... }); known: ${known}`,
    );
  }
  if (typeof definition !== 'object') return resolveTarget(definition, environment);
  if ('sendMessages' in definition) return definition;
  return { ...resolveTarget(definition.backend, environment), options: definition.options ?? {} };
}
