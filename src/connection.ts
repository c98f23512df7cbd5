import type { EmailBackend } from './backend.ts';
import { backendOfUrl, isConnectionUrl, parseConnectionUrl } from './connection-url.ts';
import { ConfigurationError } from './errors.ts';
import { isBackendClass, loadBackendSync } from './load-backend.ts';
import {
  type BackendClass,
  type BuiltInBackends,
  backendNames,
  crossingName,
  findBackend,
  nameOfBackend,
} from './registry.ts';
import { chosenBackend, connectionUrl, type Environment, environmentOptions, processEnvironment } from './settings.ts';
import { rememberRecipe } from './sync.ts';

interface Target {
  /** The registered name or the specifier; of a class that has neither, null. */
  readonly name: string | null;
  readonly backend: BackendClass;
  /** From a URL, which replaces the server of the environment; they lose to those given in code. */
  readonly urlOptions: Record<string, unknown> | null;
}

/**
 * Makes a private connection; nothing is connected until it is opened or used.
 *
 * @param target A registered name (`'smtp'`), a URL (`'smtps://user:pass@host'`), a class, or `'./backend.js#MyBackend'`; default: what
 *   AMSDAL_EMAIL_URL or AMSDAL_EMAIL_BACKEND says, else `console`.
 * @param options The backend's options; they win over the environment.
 * @throws {ConfigurationError} when the backend or an option is wrong: everything that can be checked without the network is checked here.
 */
export function getConnection<N extends keyof BuiltInBackends>(
  target: N,
  options?: BuiltInBackends[N]['options'],
): BuiltInBackends[N]['backend'];
export function getConnection<O extends object, B extends EmailBackend>(target: BackendClass<O, B>, options?: O): B;
export function getConnection(target?: string, options?: object): EmailBackend;
export function getConnection(target?: string | BackendClass, options: object = {}): EmailBackend {
  return connect(target, options, processEnvironment());
}

/** A backend from its name or specifier and its complete options; the environment is not read. */
export function makeBackend(name: string, options: object): EmailBackend {
  return construct(name, findClass(name), options);
}

let shared: { readonly fingerprint: string; readonly connection: EmailBackend } | null = null;
let chosen: EmailBackend | null = null;
let current: EmailBackend | null = null;

/**
 * The connection of every `sendMail` that names none: one per resolved settings, shared by the process.
 *
 * @throws {ConfigurationError} when the environment is wrong.
 */
export function defaultConnection(): EmailBackend {
  if (chosen !== null) return chosen;
  if (current !== null) return current;
  const environment = processEnvironment();
  const target = resolve(undefined, environment);
  const options = mergeOptions(target, {}, environment);
  const fingerprint = JSON.stringify([target.name, options]);
  if (shared?.fingerprint !== fingerprint)
    shared = { fingerprint, connection: construct(target.name, target.backend, options) };
  // The environment is looked at once a turn: a loop of a hundred thousand sends must not read it each time.
  current = shared.connection;
  queueMicrotask(() => {
    current = null;
  });
  return current;
}

/**
 * Makes `connection` the process's default one, or undoes that with null; the seam for plugins, adapters and test inboxes.
 *
 * @returns The function that restores what was there before.
 */
export function setDefaultConnection(connection: EmailBackend | null): () => void {
  const before = chosen;
  chosen = connection;
  return () => {
    chosen = before;
  };
}

function connect(target: string | BackendClass | undefined, given: object, environment: Environment): EmailBackend {
  const resolved = resolve(target, environment);
  return construct(resolved.name, resolved.backend, mergeOptions(resolved, given, environment));
}

function resolve(target: string | BackendClass | undefined, environment: Environment): Target {
  if (typeof target === 'function') {
    if (!isBackendClass(target))
      throw new ConfigurationError('invalid-backend', `${target['name']} is not a backend class: extend EmailBackend`);
    const name = nameOfBackend(target);
    return { name, backend: target, urlOptions: name === null ? null : urlOptionsFor(name, environment) };
  }
  const choice = target === undefined ? chosenBackend(environment) : { variable: null, value: target };
  const source = choice.variable ?? 'the connection URL';
  if (!isConnectionUrl(choice.value)) {
    return {
      name: choice.value,
      backend: findClass(choice.value, choice.variable),
      urlOptions: target === undefined ? null : urlOptionsFor(choice.value, environment),
    };
  }
  const name = backendOfUrl(choice.value);
  const backend = findClass(name, choice.variable);
  return { name, backend, urlOptions: parseConnectionUrl(choice.value, backend.optionTable, source).options };
}

/** `getConnection('smtp')` with AMSDAL_EMAIL_URL=smtp://... means that server. */
function urlOptionsFor(name: string, environment: Environment): Record<string, unknown> | null {
  if (backendOfUrl(environment['AMSDAL_EMAIL_URL'] ?? '') !== name) return null;
  const url = connectionUrl(environment);
  return url === null ? null : parseConnectionUrl(url, findClass(name).optionTable, 'AMSDAL_EMAIL_URL').options;
}

const AWS_KEYS = ['accessKeyId', 'secretAccessKey', 'sessionToken'];

function mergeOptions(
  { name, backend, urlOptions }: Target,
  given: object,
  environment: Environment,
): Record<string, unknown> {
  const fromEnvironment: Record<string, unknown> = {
    ...environmentOptions(name, backend.optionTable, environment, urlOptions !== null),
    ...urlOptions,
  };
  // Credentials belong to the server they were configured for: another host in code must not be sent them.
  if (isElsewhere('host', given, fromEnvironment) || isElsewhere('path', given, fromEnvironment)) {
    delete fromEnvironment['username'];
    delete fromEnvironment['password'];
  }
  if (AWS_KEYS.some((key) => Reflect.get(given, key) !== undefined)) {
    for (const key of AWS_KEYS) delete fromEnvironment[key]; // half a pair from code and half from the environment make none
  }
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return { ...fromEnvironment, ...set };
}

function isElsewhere(option: 'host' | 'path', given: object, fromEnvironment: Record<string, unknown>): boolean {
  const place: unknown = Reflect.get(given, option);
  return place !== undefined && fromEnvironment['host'] !== undefined && place !== fromEnvironment[option];
}

function findClass(name: string, variable: string | null = null): BackendClass {
  const registered = findBackend(name);
  if (typeof registered === 'function') return registered;
  const specifier = registered ?? name;
  const where = variable === null ? '' : `${variable}: `;
  // It is a URL gone wrong: not to be shown, as a password may be in it.
  if (/^(?:smtps?|ses):/i.test(specifier)) {
    throw new ConfigurationError(
      'invalid-option',
      `${where}a connection URL begins with 'smtp://', 'smtps://' or 'ses://'`,
    );
  }
  if (specifier.includes('#')) return loadBackendSync(specifier);
  throw new ConfigurationError(
    'unknown-backend',
    `${where}there is no backend '${name}'; known: ${backendNames().join(', ')}, or give './file.js#ClassName'`,
  );
}

function construct(name: string | null, backend: BackendClass, options: object): EmailBackend {
  const connection = new backend(options);
  if (typeof connection.sendMessages !== 'function') {
    throw new ConfigurationError(
      'invalid-backend',
      `'${name ?? backend.name}' makes objects without sendMessages: extend EmailBackend`,
    );
  }
  const crossing = name === null ? null : crossingName(name);
  if (crossing !== null) rememberRecipe(connection, { backend: crossing, options });
  return connection;
}
