import type { EmailBackend } from './backend.ts';
import {
  chosenTarget,
  construct,
  mergeOptions,
  resolveTarget,
  type Target,
  variableTarget,
} from './connection-target.ts';
import type { Environment } from './environment.ts';
import { ConfigurationError } from './errors.ts';
import {
  type ConnectionDefinition,
  type ConnectionName,
  connectionNameOf,
  definedNames,
  findDefinition,
} from './named-connections.ts';
import type { PresetName } from './presets.ts';
import type { BackendClass, BuiltInBackends } from './registry.ts';
import { currentEnvironment, namedUrls, namedUrlVariable, readVariable } from './settings.ts';
import { checkGuard, guard } from './staging-guard.ts';
import { rulesOf } from './staging-rules.ts';
import { thrownHere } from './util/error-copies.ts';
import { nearestName } from './util/nearest-name.ts';
import { processState } from './util/process-state.ts';
import { quoted } from './util/quotable.ts';
import { takeMisspelt } from './variables.ts';

/** What is known of a backend by its name or preset: its options and its class; of any other name only that it is a backend. */
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
    if (name !== null) return make(namedPlan(name, environment), options, environment);
    const resolved = target === undefined ? chosenTarget(environment) : resolveTarget(target, environment);
    return make({ target: resolved, options: {} }, options, environment);
  } catch (error) {
    throw thrownHere(error);
  }
}

/** What a connection is made from: a target with the options its definition gives, or one that is there already. */
type Plan = { readonly target: Target; readonly options: object } | { readonly connection: EmailBackend };

interface Shared {
  readonly fingerprint: string;
  readonly definition: ConnectionDefinition | undefined;
  readonly connection: EmailBackend;
}

/** The name of the process's own connection among the shared ones. */
const DEFAULT = '';
const shared = /* @__PURE__ */ processState('shared connections', () => new Map<string, Shared>());
/** The environment is looked at once a turn: a loop of a hundred thousand sends must not read it each time. */
const thisTurn = /* @__PURE__ */ processState('connections of this turn', () => new Map<string, Shared>());
/** What stands in for the process's own connection. */
const instead = /* @__PURE__ */ processState('default connection', (): { connection: EmailBackend | null } => ({
  connection: null,
}));

/**
 * The connection of every `sendMail` that names none: one per resolved settings, shared by the process.
 *
 * @throws {ConfigurationError} when the environment is wrong.
 */
export function defaultConnection(): EmailBackend {
  return instead.connection === null ? share(DEFAULT) : guard(instead.connection);
}

/**
 * Makes `connection` the process's default one, or undoes that with null; the seam for plugins, adapters and test inboxes.
 *
 * @returns The function that restores what was there before.
 */
export function setDefaultConnection(connection: EmailBackend | null): () => void {
  const before = instead.connection;
  instead.connection = connection;
  return () => {
    instead.connection = before;
  };
}

/** The connection that `sendMail` is told to use: a given one, the shared one of a name, or the process's own. */
export function connectionFor(given: EmailBackend | ConnectionName | undefined): EmailBackend {
  try {
    if (given === undefined) return defaultConnection();
    if (typeof given !== 'string') return guard(given);
    const name = connectionNameOf(given);
    if (name !== null) return share(name);
  } catch (error) {
    throw thrownHere(error);
  }
  throw new ConfigurationError(
    'invalid-option',
    `connection ${quoted(given)}: write '@name' for a named connection, or give what getConnection makes of it`,
  );
}

/**
 * Makes every shared connection there is, the default one and the named ones, which checks the whole configuration without
 * the network; returns them.
 *
 * @throws {ConfigurationError} for the first thing that is wrong.
 */
export function checkConnections(): readonly EmailBackend[] {
  const names = new Set([...definedNames(), ...namedUrls(currentEnvironment())]);
  return [defaultConnection(), ...[...names].map(share)];
}

/** The default connection and the named ones that have been used. */
export function sharedConnections(): readonly EmailBackend[] {
  const used = [...shared.values()].map(({ connection }) => connection);
  return [...new Set(instead.connection === null ? used : [instead.connection, ...used])];
}

function share(name: string): EmailBackend {
  const definition = name === DEFAULT ? undefined : findDefinition(name);
  const known = thisTurn.get(name);
  if (known !== undefined && known.definition === definition) return known.connection;
  const environment = currentEnvironment();
  const plan =
    name === DEFAULT ? { target: chosenTarget(environment), options: {} } : namedPlan(name, environment, definition);
  const fingerprint = fingerprintOf(plan, environment);
  let entry = shared.get(name);
  if (entry?.fingerprint !== fingerprint || entry.definition !== definition) {
    entry = { fingerprint, definition, connection: make(plan, {}, environment) };
    shared.set(name, entry);
  }
  if (thisTurn.size === 0) queueMicrotask(() => thisTurn.clear());
  thisTurn.set(name, entry);
  return entry.connection;
}

function fingerprintOf(plan: Plan, environment: Environment): string {
  const guards = rulesOf(environment);
  if ('connection' in plan) return guards;
  // Options given in code belong to the definition, which is compared by itself.
  const { target } = plan;
  return JSON.stringify([target.name, mergeOptions(target, {}, environment), guards]);
}

function make(plan: Plan, options: object, environment: Environment): EmailBackend {
  checkGuard(environment);
  for (const [variable, meant] of takeMisspelt(environment)) {
    const options = { type: 'AmsdalMailWarning', code: 'unknown-variable' };
    process.emitWarning(`there is no variable ${variable}: did you mean ${meant}?`, options);
  }
  if (!('connection' in plan)) return guard(construct(plan.target, { ...plan.options, ...options }, environment));
  if (Object.keys(options).length === 0) return guard(plan.connection);
  throw new ConfigurationError('invalid-option', 'this named connection is made already: it takes no options');
}

function namedPlan(
  name: string,
  environment: Environment,
  definition: ConnectionDefinition | undefined = findDefinition(name),
): Plan {
  if (definition === undefined) {
    const variable = namedUrlVariable(name);
    const url = readVariable(environment, variable);
    if (url !== null) return { target: variableTarget(variable, url), options: {} };
    const names = [...definedNames(), ...namedUrls(environment)];
    const near = nearestName(name, names);
    const known = names.map((each) => `@${each}`).join(', ') || 'none';
    throw new ConfigurationError(
      'unknown-backend',
      `there is no connection '@${name}'${near === null ? '' : `; did you mean '@${near}'?`}: set ${variable}, or call defineConnections({ '${name}': ... }); known: ${known}`,
    );
  }
  if (typeof definition === 'object') {
    if ('sendMessages' in definition) return { connection: definition };
    return { target: resolveTarget(definition.backend, environment), options: definition.options ?? {} };
  }
  return { target: resolveTarget(definition, environment), options: {} };
}
