import { connectionNameOf } from '../../connection/named.ts';
import { type BackendClass, optionTableOf } from '../../connection/registry.ts';
import { chosenTarget, mergeOptions, resolveTarget, type Target, variableTarget } from '../../connection/target.ts';
import { isWrapperText, readWrapperText } from '../../connection/wrapper-text.ts';
import { currentEnvironment, namedUrlVariable, originOf, readVariable } from '../../options/environment.ts';
import type { AnyOptionTable, OptionSpec } from '../../options/option-table.ts';
import { variableOf } from '../../options/variables.ts';

/** One effective setting, safe to print. */
interface Setting {
  readonly name: string;
  /** `***` for a secret. */
  readonly value: string;
  /** Where it comes from: a variable (with `in .env`), `--url`, `--backend`, or `default`. */
  readonly origin: string;
}

/** A backend, its options, and its settings for display. */
export interface Configuration {
  /** The registered name, or the specifier. */
  readonly backend: string;
  readonly backendClass: BackendClass;
  readonly options: Readonly<Record<string, unknown>>;
  readonly settings: readonly Setting[];
}

const HIDDEN = '***';
const GUARDS = ['AMSDAL_EMAIL_REDIRECT_TO', 'AMSDAL_EMAIL_ALLOW'];

/**
 * Resolves a target of `getConnection`, and finds where each option comes from.
 *
 * @param own options that `--emulate` gives
 * @throws {ConfigurationError} like `getConnection`
 */
export function readConfiguration(
  given: string | undefined,
  own: Readonly<Record<string, unknown>> = {},
): Configuration {
  const environment = currentEnvironment();
  const target = targetOf(given);
  const options = mergeOptions(target, own, environment);
  const { backend: backendClass } = target;
  const { optionTable } = backendClass;
  const backend = target.name ?? backendClass.name;
  const origin =
    given === undefined
      ? originText(target.variable)
      : given.includes('://') || isWrapperText(given)
        ? '--url'
        : '--backend';
  const settings: Setting[] = [{ name: 'backend', value: backend, origin }];
  for (const [name, value] of Object.entries(options)) {
    const isImplied = Object.hasOwn(target.impliedOptions, name);
    const variable = isImplied ? target.variable : variableOf(optionTableOf(backendClass), name, environment);
    const from = Object.hasOwn(own, name)
      ? '--emulate'
      : isImplied && target.variable === null
        ? origin
        : originText(variable);
    settings.push({ name, value: show(name, optionTable?.[name], value), origin: from });
  }
  settings.push(...defaultsOf(optionTable, options));
  for (const variable of GUARDS) {
    const value = environment[variable];
    if (value) settings.push({ name: variable, value, origin: originText(variable) });
  }
  return { backend, backendClass, options, settings };
}

/** What a command's `--backend` or `--url` stands for; undefined: what the environment says. @throws {ConfigurationError} like `getConnection` */
export function targetOf(given: string | undefined): Target {
  const environment = currentEnvironment();
  if (given === undefined) return chosenTarget(environment);
  const name = connectionNameOf(given);
  if (name === null) return resolveTarget(given, environment);
  const variable = namedUrlVariable(name);
  return variableTarget(variable, readVariable(environment, variable) ?? '');
}

function originText(variable: string | null): string {
  if (variable === null) return 'default';
  return originOf(variable) === 'file' ? `${variable} in .env` : variable;
}

/** Options that were not given, with their defaults: host, port and security are worth showing, too. */
function defaultsOf(table: AnyOptionTable = {}, options: Readonly<Record<string, unknown>>): readonly Setting[] {
  return Object.entries(table).flatMap(([name, spec]) => {
    if (options[name] !== undefined) return [];
    const value: unknown = typeof spec.default === 'function' ? spec.default(options) : spec.default;
    return value === undefined ? [] : [{ name, value: String(value), origin: 'default' }];
  });
}

/** Without what may be a secret: of a URL only the scheme. */
function shownConnection(text: unknown): string {
  if (typeof text !== 'string') return 'a connection';
  if (isWrapperText(text)) {
    const { wrapper, connections } = readWrapperText(text);
    return `${wrapper}(${connections.map(shownConnection).join(' ')})`;
  }
  return text.replace(/:\/\/.+$/s, '://...');
}

function show(name: string, spec: OptionSpec | undefined, value: unknown): string {
  if (spec?.type === 'string' && spec.show !== undefined) return spec.show(String(value));
  if (spec === undefined ? /pass|secret|token|key/i.test(name) : 'secret' in spec) return HIDDEN;
  if (spec?.type === 'custom' && spec.isConnections && Array.isArray(value))
    return value.map(shownConnection).join(' ');
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' || value === null) return String(value);
  if (spec?.type !== 'object') return spec === undefined ? 'an object' : 'given';
  return Object.entries(value)
    .map(([key, inner]) => `${key}=${show(key, spec.fields[key], inner)}`)
    .join(' ');
}
