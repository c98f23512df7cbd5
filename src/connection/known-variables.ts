import { ConfigurationError } from '../model/errors.ts';
import { type Environment, EXAMPLES, NAMED_URL, readVariable, URL_EXAMPLE } from '../options/environment.ts';
import type { OptionPart } from '../options/option-table.ts';
import { isPartOf, isSet, variablesOf } from '../options/variables.ts';
import { nearestName } from '../util/nearest-name.ts';
import { optionTables } from './registry.ts';

/** Which backend the environment asks for, and by which variable. */
export interface ChosenBackend {
  readonly variable: 'AMSDAL_EMAIL_BACKEND' | 'AMSDAL_EMAIL_URL' | null;
  /** A name or specifier, or the URL. */
  readonly value: string;
}

/** What a preset describes. */
export const PRESET_PARTS: readonly OptionPart[] = ['address', 'server'];
/** What a URL describes. */
export const URL_PARTS: readonly OptionPart[] = ['address', 'server', 'login', 'wait'];

/** Only this package reads these, so two of them that contradict each other are a mistake. */
const OURS = /^AMSDAL_EMAIL_/;
/** Prefixes that are mistaken for AMSDAL_EMAIL_. */
const PREFIX = /^AMSDAL_?E?MAILS?_/;
/** Other libraries' names for variables. */
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

/**
 * The backend that AMSDAL_EMAIL_URL or AMSDAL_EMAIL_BACKEND names; `console` without both.
 *
 * @throws {ConfigurationError} `conflicting-options` when a URL and variables that it replaces are both set.
 */
export function chosenBackend(environment: Environment): ChosenBackend {
  const url = readVariable(environment, 'AMSDAL_EMAIL_URL');
  const name = readVariable(environment, 'AMSDAL_EMAIL_BACKEND');
  if (url === null) return { variable: name === null ? null : 'AMSDAL_EMAIL_BACKEND', value: name ?? 'console' };
  const rival = name ? 'AMSDAL_EMAIL_BACKEND' : findVariable(environment, URL_PARTS);
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

/** The variables of this package and of the registered backends that are set. */
export function setVariables(environment: Environment): readonly string[] {
  const known = knownVariables();
  return Object.keys(environment).filter(
    (name) => (known.has(name) || NAMED_URL.test(name)) && environment[name]?.trim(),
  );
}

const reported = new Set<string>();

/**
 * Variables that are set and look like a misspelt known one, each with the name that was meant; a variable is returned once per
 * process. Unknown variables that look like none may belong to the application.
 */
export function takeMisspelt(environment: Environment): readonly (readonly [name: string, meant: string])[] {
  const known = knownVariables();
  const names = [...known].flatMap((name) => (PREFIX.test(name) ? [name.replace(PREFIX, '')] : []));
  return Object.keys(environment).flatMap((name) => {
    if (!PREFIX.test(name) || known.has(name) || NAMED_URL.test(name) || !environment[name] || reported.has(name))
      return [];
    const own = name.replace(PREFIX, '');
    const meant = FOREIGN[own] ?? nearestName(own, names);
    if (meant === null) return [];
    reported.add(name);
    return [[name, `AMSDAL_EMAIL_${meant}`] as const];
  });
}

function knownVariables(): ReadonlySet<string> {
  const declared = optionTables().flatMap((table) => variablesOf(table).map(({ variable }) => variable.name));
  return new Set(['AMSDAL_EMAIL_URL', ...declared, ...Object.keys(EXAMPLES)]);
}
