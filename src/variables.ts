import { BACKEND_OPTIONS } from './backend.ts';
import type { Environment } from './environment.ts';
import { ConfigurationError } from './errors.ts';
import {
  type AnyOptionTable,
  describe,
  type OptionPart,
  type OptionSpec,
  type OptionVariable,
  parseOption,
} from './options.ts';
import { optionTables } from './registry.ts';
import { EXAMPLES, NAMED_URL, readVariable, URL_EXAMPLE } from './settings.ts';
import { nearestName } from './util/nearest-name.ts';
import { quoted } from './util/quotable.ts';

/** A variable, and the option that it is declared for. */
interface Declared {
  readonly option: string;
  readonly spec: OptionSpec;
  readonly variable: OptionVariable;
}

/** Which backend the environment asks for, and by which variable. */
export interface ChosenBackend {
  readonly variable: 'AMSDAL_EMAIL_BACKEND' | 'AMSDAL_EMAIL_URL' | null;
  /** A name or specifier, or the URL. */
  readonly value: string;
}

/** What a preset describes. */
export const SERVER_PARTS: readonly OptionPart[] = ['address', 'server'];
/** What a URL describes. */
export const ALL_PARTS: readonly OptionPart[] = ['address', 'server', 'login', 'wait'];

/** What is this package's alone, so that two of it that contradict each other are a mistake. */
const OURS = /^AMSDAL_EMAIL_/;

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
export function findVariable(environment: Environment, parts: readonly OptionPart[]): string | null {
  const found = optionTables()
    .flatMap(variablesOf)
    .find((entry) => OURS.test(entry.variable.name) && isPartOf(entry, parts) && isSet(entry, environment));
  return found?.variable.name ?? null;
}

/**
 * The options that the environment has for a backend.
 *
 * @param replaced what is described elsewhere, so that its variables do not count
 * @throws {ConfigurationError} `invalid-option`, naming the variable and an example of a right value.
 */
export function environmentOptions(
  table: AnyOptionTable | undefined,
  environment: Environment,
  replaced: readonly OptionPart[],
): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  for (const entry of variablesOf(table)) {
    if (isPartOf(entry, replaced)) continue;
    const { option, spec, variable } = entry;
    const { name, example } = variable;
    const text = readVariable(environment, name, { isSecret: 'secret' in spec, example });
    if (text !== null) options[option] = parseVariable(entry, text);
  }
  return options;
}

/** The variable that an option of a backend comes from, of several that are set the one that counts; or null. */
export function variableOf(table: AnyOptionTable | undefined, option: string, environment: Environment): string | null {
  const found = variablesOf(table).findLast((entry) => entry.option === option && isSet(entry, environment));
  return found?.variable.name ?? null;
}

/**
 * A backend's error about its options, with the variables that those at fault come from.
 *
 * @param isFromVariable whether an option may come from one: it is not given in code, and its variable counts
 */
export function blameOptions(
  error: ConfigurationError,
  table: AnyOptionTable | undefined,
  environment: Environment,
  isFromVariable: (option: string) => boolean,
): ConfigurationError {
  const { code, message, option, otherOptions } = error;
  const names = [option, ...otherOptions]
    .flatMap((name) => (name === null ? [] : [topOf(name)]))
    .filter(isFromVariable);
  const variables = variablesOf(table).filter((entry) => names.includes(entry.option));
  if (!variables.some((entry) => isSet(entry, environment))) return error;
  // What is missing is not set: its variable is the one to set.
  const isMeant = (entry: Declared): boolean => entry.option === option;
  const blamed = variables.filter(
    (entry) => isSet(entry, environment) || (code === 'missing-option' && isMeant(entry)),
  );
  const hints = blamed.map((entry) => `${entry.option} is ${entry.variable.name}, ${exampleOf(entry.variable)}`);
  const first = blamed.find(isMeant) ?? blamed[0];
  return new ConfigurationError(code, `${message} (${hints.join('; ')})`, {
    option,
    otherOptions,
    variable: first?.variable.name ?? null,
  });
}

/** The option that one of its parts, as `timeouts.connect`, belongs to. */
export function topOf(option: string): string {
  return option.split('.', 1)[0] ?? option;
}

/** Every variable of an option table; a class without a table is given what all backends have. */
export function variablesOf(table: AnyOptionTable | undefined): readonly Declared[] {
  return Object.entries(table ?? BACKEND_OPTIONS).flatMap(([option, spec]) =>
    spec.variable === undefined ? [] : [spec.variable].flat().map((variable) => ({ option, spec, variable })),
  );
}

function knownVariables(): ReadonlySet<string> {
  const declared = optionTables().flatMap((table) => variablesOf(table).map(({ variable }) => variable.name));
  return new Set(['AMSDAL_EMAIL_URL', ...declared, ...Object.keys(EXAMPLES)]);
}

function exampleOf({ name, example }: OptionVariable): string {
  return `for example ${name}=${example}`;
}

function isPartOf({ spec: { part } }: Declared, parts: readonly OptionPart[]): boolean {
  return part !== undefined && parts.includes(part);
}

function isSet({ variable }: Declared, environment: Environment): boolean {
  return Boolean(environment[variable.name]?.trim());
}

function parseVariable({ option, spec, variable }: Declared, text: string): unknown {
  const { name, scale } = variable;
  const scaled = scale !== undefined && /^\d+(?:\.\d+)?$/.test(text) ? String(Math.round(Number(text) * scale)) : text;
  const value = parseOption(spec, scaled);
  if (value !== undefined) return value;
  const shown = 'secret' in spec ? 'what is set' : quoted(text);
  const expected = scale === undefined ? describe(spec) : scale === 1000 ? 'a number of seconds' : 'a number';
  const problem = `${name} must be ${expected}, not ${shown}; ${exampleOf(variable)}`;
  throw new ConfigurationError('invalid-option', problem, { option, variable: name });
}
