import { type Environment, layerEnvironment } from './environment.ts';
import { ConfigurationError } from './errors.ts';
import { type AnyOptionTable, describe, type OptionSpec, parseOption } from './options.ts';
import { controlNameIn } from './util/control-name.ts';
import { nearestName } from './util/nearest-name.ts';
import { processState } from './util/process-state.ts';
import { quoted } from './util/quotable.ts';

/**
 * What a variable describes: the `server`, the `login` there, the `wait` for it; a URL replaces all three, a preset the
 * server. Others hold whatever the URL.
 */
export type VariablePart = 'server' | 'login' | 'wait';

interface Variable {
  readonly option: string;
  /** A right value, quoted when the one found is wrong. */
  readonly example: string;
  readonly part?: VariablePart;
  /** Turns the variable's unit into the option's. */
  readonly scale?: number;
}

/** Which backend the environment asks for, and by which variable. */
export interface ChosenBackend {
  readonly variable: 'AMSDAL_EMAIL_BACKEND' | 'AMSDAL_EMAIL_URL' | null;
  /** A name or specifier, or the URL. */
  readonly value: string;
}

/** Every part: what a URL describes. */
export const ALL_PARTS: readonly VariablePart[] = ['server', 'login', 'wait'];

const SHARED: Readonly<Record<string, Variable>> = {
  AMSDAL_EMAIL_FROM: { option: 'defaultFrom', example: 'Shop <noreply@example.com>' },
};

const BY_BACKEND: Readonly<Record<string, Readonly<Record<string, Variable>>>> = {
  smtp: {
    AMSDAL_EMAIL_HOST: { option: 'host', part: 'server', example: 'smtp.example.com' },
    AMSDAL_EMAIL_PORT: { option: 'port', part: 'server', example: '587' },
    AMSDAL_EMAIL_USER: { option: 'username', part: 'login', example: 'mailer' },
    AMSDAL_EMAIL_PASSWORD: { option: 'password', part: 'login', example: 'the password' },
    AMSDAL_EMAIL_USE_TLS: { option: 'useTls', part: 'server', example: 'true' },
    AMSDAL_EMAIL_USE_SSL: { option: 'useSsl', part: 'server', example: 'true' },
    AMSDAL_EMAIL_TIMEOUT: { option: 'timeoutMs', part: 'wait', example: '30', scale: 1000 },
    AMSDAL_EMAIL_PROXY: { option: 'proxy', example: 'http://proxy.example.com:3128' },
    AMSDAL_EMAIL_DEBUG: { option: 'debug', example: '1' },
  },
  file: {
    AMSDAL_EMAIL_FILE_PATH: { option: 'path', example: './mails' },
  },
  ses: {
    AWS_ACCESS_KEY_ID: { option: 'accessKeyId', example: 'AKIAIOSFODNN7EXAMPLE' },
    AWS_SECRET_ACCESS_KEY: { option: 'secretAccessKey', example: 'the secret key' },
    AWS_SESSION_TOKEN: { option: 'sessionToken', example: 'the session token' },
    AWS_DEFAULT_REGION: { option: 'region', example: 'eu-west-1' },
    AWS_REGION: { option: 'region', example: 'eu-west-1' },
    AWS_SES_CONFIGURATION_SET: { option: 'configurationSet', example: 'marketing' },
  },
};

/** Right values of the variables that are no options of a backend. */
const EXAMPLES: Readonly<Record<string, string>> = {
  AMSDAL_EMAIL_BACKEND: 'smtp',
  AMSDAL_EMAIL_REDIRECT_TO: 'staging@example.com',
  AMSDAL_EMAIL_ALLOW: '@example.com,qa@example.org',
  AMSDAL_CONTRIBS: "'amsdal-mail/app#MailAppConfig'",
};
const URL_EXAMPLE = 'smtps://user:p%40ssword@smtp.example.com:465';
const NAMED_URL = /^AMSDAL_EMAIL_([A-Z][A-Z0-9_]*)_URL$/;

/** Where variables come from besides the process. */
export interface EnvironmentLayers {
  /** Instead of the process's own environment. */
  readonly env?: Environment | undefined;
  /** What a `.env` file says; it loses to the variables above, even to an empty one. */
  readonly file?: Environment | undefined;
}

const current = /* @__PURE__ */ processState('environment', (): { layers: EnvironmentLayers } => ({ layers: {} }));

/**
 * The variables that configure this package; nothing else in it reads the process's environment.
 *
 * It is a view, not a copy: what the process changes later is seen.
 */
export function currentEnvironment(): Environment {
  const { env = process.env, file } = current.layers;
  return file === undefined ? env : layerEnvironment(env, file);
}

/** Whether NODE_ENV says that this is no development. */
export function isProduction(): boolean {
  return currentEnvironment()['NODE_ENV'] === 'production';
}

/** Whether a variable's value is the process's own or that of the file below it; null when it has none. */
export function originOf(variable: string): 'environment' | 'file' | null {
  const { env = process.env, file } = current.layers;
  if (env[variable] !== undefined) return 'environment';
  return file?.[variable] === undefined ? null : 'file';
}

/** The variables of this package that are set. */
export function setVariables(environment: Environment): readonly string[] {
  const known = knownVariables();
  return Object.keys(environment).filter(
    (name) => (known.has(name) || NAMED_URL.test(name)) && environment[name]?.trim(),
  );
}

/** What a name may have instead of AMSDAL_EMAIL_. */
const PREFIX = /^AMSDAL_?E?MAILS?_/;
/** Names that others have for variables. */
const FOREIGN: Readonly<Record<string, string>> = {
  PASS: 'PASSWORD',
  USERNAME: 'USER',
  SSL: 'USE_SSL',
  TLS: 'USE_TLS',
  STARTTLS: 'USE_TLS',
  HOSTNAME: 'HOST',
  SERVER: 'HOST',
  DEFAULT_FROM: 'FROM',
};
const told = new Set<string>();

/**
 * Variables that are set, unknown, and like one that is known, each with that one; each is told once. Other variables may be the
 * application's own.
 */
export function takeMisspelt(environment: Environment): readonly (readonly [name: string, meant: string])[] {
  const known = knownVariables();
  const names = [...known].flatMap((name) => (PREFIX.test(name) ? [name.replace(PREFIX, '')] : []));
  return Object.keys(environment).flatMap((name) => {
    if (!PREFIX.test(name) || known.has(name) || NAMED_URL.test(name) || !environment[name] || told.has(name))
      return [];
    const own = name.replace(PREFIX, '');
    const meant = FOREIGN[own] ?? nearestName(own, names);
    if (meant === null) return [];
    told.add(name);
    return [[name, `AMSDAL_EMAIL_${meant}`] as const];
  });
}

/** Puts a file below the environment, or another one in its place; returns the function that restores what was there. */
export function setEnvironment(next: EnvironmentLayers): () => void {
  const before = current.layers;
  current.layers = next;
  return () => {
    current.layers = before;
  };
}

/**
 * What a variable says, without the white space around it, which files and secrets often end with; of a secret with it. Null when
 * it is not set, or empty.
 *
 * @throws {ConfigurationError} `invalid-option` for a control character, which nothing that is configured can hold.
 */
export function readVariable(environment: Environment, name: string, isSecret = false): string | null {
  const value = environment[name];
  const text = isSecret ? value : value?.trim();
  if (!text) return null;
  const control = controlNameIn(text);
  if (control === null) return text;
  const isAtEnd = controlNameIn(text.trimEnd()) === null;
  const problem = isAtEnd
    ? `ends with ${control}: remove it (echo writes one, printf %s does not)`
    : `has ${control} in it: remove it`;
  throw new ConfigurationError('invalid-option', `${name} ${problem}; ${exampleOf(name)}`, { variable: name });
}

/**
 * The backend that AMSDAL_EMAIL_URL or AMSDAL_EMAIL_BACKEND names; `console` without both.
 *
 * @throws {ConfigurationError} `conflicting-options` when a URL and variables that it replaces are both set.
 */
export function chosenBackend(environment: Environment): ChosenBackend {
  const url = readVariable(environment, 'AMSDAL_EMAIL_URL');
  const name = readVariable(environment, 'AMSDAL_EMAIL_BACKEND');
  if (url === null) return { variable: name === null ? null : 'AMSDAL_EMAIL_BACKEND', value: name ?? 'console' };
  const rival = name ? 'AMSDAL_EMAIL_BACKEND' : findVariable(environment, ALL_PARTS);
  if (rival === null) return { variable: 'AMSDAL_EMAIL_URL', value: url };
  throw new ConfigurationError(
    'conflicting-options',
    `AMSDAL_EMAIL_URL and ${rival} are both set: the URL says it all, for example AMSDAL_EMAIL_URL=${URL_EXAMPLE}; unset ${rival}`,
    { variable: rival },
  );
}

/** The first variable that is set and describes one of these parts, or null. */
export function findVariable(environment: Environment, parts: readonly VariablePart[]): string | null {
  const variables = Object.entries(BY_BACKEND['smtp'] ?? {});
  const found = variables.find(
    ([name, { part }]) => part !== undefined && parts.includes(part) && environment[name]?.trim(),
  );
  return found?.[0] ?? null;
}

/** The variable that holds the URL of a named connection. */
export function namedUrlVariable(name: string): string {
  return `AMSDAL_EMAIL_${name.toUpperCase().replaceAll('-', '_')}_URL`;
}

/** The names of the connections that have a URL in the environment. */
export function namedUrls(environment: Environment): readonly string[] {
  return Object.keys(environment).flatMap((variable) => {
    const name = NAMED_URL.exec(variable)?.[1];
    return name && environment[variable]?.trim() ? [name.toLowerCase().replaceAll('_', '-')] : [];
  });
}

/**
 * The options that the environment has for a backend.
 *
 * @param replaced what is described elsewhere, so that its variables do not count
 * @throws {ConfigurationError} `invalid-option`, naming the variable and an example of a right value.
 */
export function environmentOptions(
  backend: string | null,
  table: AnyOptionTable | undefined,
  environment: Environment,
  replaced: readonly VariablePart[],
): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  for (const [name, variable] of Object.entries(variablesOf(backend))) {
    if (variable.part !== undefined && replaced.includes(variable.part)) continue;
    const spec = table?.[variable.option];
    const text = readVariable(environment, name, spec !== undefined && 'secret' in spec);
    if (text !== null) options[variable.option] = parseVariable(name, variable, text, spec);
  }
  return options;
}

/** The variable that an option of a backend comes from, of several that are set the one that counts; or null. */
export function variableOf(backend: string | null, option: string, environment: Environment): string | null {
  const found = Object.entries(variablesOf(backend)).findLast(
    ([name, entry]) => entry.option === option && environment[name]?.trim(),
  );
  return found?.[0] ?? null;
}

/** An error about what a variable says, with its name and a right value. */
export function blameVariable(error: unknown, variable: string): unknown {
  if (!(error instanceof ConfigurationError) || error.variable !== null) return error;
  const { code, message, option, otherOptions } = error;
  const text = `${variable}: ${message}; ${exampleOf(variable)}`;
  return new ConfigurationError(code, text, { option, otherOptions, variable });
}

/**
 * A backend's error about its options, with the variables that those at fault come from.
 *
 * @param isFromVariable whether an option may come from one: it is not given in code, and its variable counts
 */
export function blameOptions(
  error: ConfigurationError,
  backend: string | null,
  environment: Environment,
  isFromVariable: (option: string) => boolean,
): ConfigurationError {
  const { code, message, option, otherOptions } = error;
  const names = [option, ...otherOptions]
    .flatMap((name) => (name === null ? [] : [topOf(name)]))
    .filter(isFromVariable);
  const variables = Object.entries(variablesOf(backend)).filter(([, entry]) => names.includes(entry.option));
  const isSet = ([name]: readonly [string, Variable]): boolean => Boolean(environment[name]?.trim());
  if (!variables.some(isSet)) return error;
  // What is missing is not set: its variable is the one to set.
  const isMeant = ([, entry]: readonly [string, Variable]): boolean => entry.option === option;
  const blamed = variables.filter((entry) => isSet(entry) || (code === 'missing-option' && isMeant(entry)));
  const hints = blamed.map(([name, entry]) => `${entry.option} is ${name}, ${exampleOf(name)}`);
  const [variable] = blamed.find(isMeant) ?? blamed[0] ?? [];
  return new ConfigurationError(code, `${message} (${hints.join('; ')})`, {
    option,
    otherOptions,
    variable: variable ?? null,
  });
}

/** The option that one of its parts, as `timeouts.connect`, belongs to. */
export function topOf(option: string): string {
  return option.split('.', 1)[0] ?? option;
}

function knownVariables(): ReadonlySet<string> {
  const tables = [SHARED, ...Object.values(BY_BACKEND), EXAMPLES];
  return new Set(['AMSDAL_EMAIL_URL', ...tables.flatMap((table) => Object.keys(table))]);
}

function exampleOf(variable: string): string {
  const tables = [SHARED, ...Object.values(BY_BACKEND)];
  const known = tables.map((table) => table[variable]?.example).find((example) => example !== undefined);
  return `for example ${variable}=${known ?? EXAMPLES[variable] ?? URL_EXAMPLE}`;
}

function variablesOf(backend: string | null): Readonly<Record<string, Variable>> {
  return { ...SHARED, ...(backend !== null && BY_BACKEND[backend]) };
}

function parseVariable(name: string, { option, scale }: Variable, text: string, spec: OptionSpec | undefined): unknown {
  if (spec === undefined) return text;
  const scaled = scale !== undefined && /^\d+(?:\.\d+)?$/.test(text) ? String(Math.round(Number(text) * scale)) : text;
  const value = parseOption(spec, scaled);
  if (value !== undefined) return value;
  const shown = 'secret' in spec ? 'what is set' : quoted(text);
  const expected = scale === undefined ? describe(spec) : 'a number of seconds';
  const problem = `${name} must be ${expected}, not ${shown}; ${exampleOf(name)}`;
  throw new ConfigurationError('invalid-option', problem, { option, variable: name });
}
