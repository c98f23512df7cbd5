import { ConfigurationError } from '../model/errors.ts';
import { quoted } from '../util/quotable.ts';
import { type Environment, readVariable } from './environment.ts';
import {
  type AnyOptionTable,
  describe,
  type OptionPart,
  type OptionSpec,
  type OptionVariable,
  parseOption,
} from './option-table.ts';

/** A variable, and the option that declares it. */
interface DeclaredVariable {
  readonly option: string;
  readonly spec: OptionSpec;
  readonly variable: OptionVariable;
}

/** Every variable of an option table. */
export function variablesOf(table: AnyOptionTable): readonly DeclaredVariable[] {
  return Object.entries(table).flatMap(([option, spec]) =>
    spec.variable === undefined ? [] : [spec.variable].flat().map((variable) => ({ option, spec, variable })),
  );
}

/**
 * The options that the environment sets for a backend.
 *
 * @param ignored parts that are described elsewhere, so that their variables do not count
 * @throws {ConfigurationError} `invalid-option`, naming the variable and an example of a valid value.
 */
export function environmentOptions(
  table: AnyOptionTable,
  environment: Environment,
  ignored: readonly OptionPart[],
): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  for (const entry of variablesOf(table)) {
    if (isPartOf(entry, ignored)) continue;
    const { option, spec, variable } = entry;
    const { name, example } = variable;
    const text = readVariable(environment, name, { isSecret: 'secret' in spec, example });
    if (text !== null) options[option] = parseVariable(entry, text);
  }
  return options;
}

/** The variable that an option comes from (if several are set, the one that counts), or null. */
export function variableOf(table: AnyOptionTable, option: string, environment: Environment): string | null {
  const found = variablesOf(table).findLast((entry) => entry.option === option && isSet(entry, environment));
  return found?.variable.name ?? null;
}

/**
 * A backend's error about its options, naming the variables that those at fault come from.
 *
 * @param isFromVariable whether an option may come from a variable: it is not given in code, and its variable counts
 */
export function blameOptions(
  error: ConfigurationError,
  table: AnyOptionTable,
  environment: Environment,
  isFromVariable: (option: string) => boolean,
): ConfigurationError {
  const { code, message, option, otherOptions } = error;
  const names = [option, ...otherOptions]
    .flatMap((name) => (name === null ? [] : [topOf(name)]))
    .filter(isFromVariable);
  const variables = variablesOf(table).filter((entry) => names.includes(entry.option));
  if (!variables.some((entry) => isSet(entry, environment))) return error;
  // A missing option has no variable set: its variable is the one to set.
  const isMeant = (entry: DeclaredVariable): boolean => entry.option === option;
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

/** The option that a path such as `timeouts.connect` is a part of. */
export function topOf(option: string): string {
  return option.split('.', 1)[0] ?? option;
}

/** Whether the variable's option describes one of these parts. */
export function isPartOf({ spec: { part } }: DeclaredVariable, parts: readonly OptionPart[]): boolean {
  return part !== undefined && parts.includes(part);
}

/** Whether the variable is set and not empty. */
export function isSet({ variable }: DeclaredVariable, environment: Environment): boolean {
  return Boolean(environment[variable.name]?.trim());
}

function exampleOf({ name, example }: OptionVariable): string {
  return `for example ${name}=${example}`;
}

function parseVariable({ option, spec, variable }: DeclaredVariable, text: string): unknown {
  const { name, scale } = variable;
  const scaled = scale !== undefined && /^\d+(?:\.\d+)?$/.test(text) ? String(Math.round(Number(text) * scale)) : text;
  const value = parseOption(spec, scaled);
  if (value !== undefined) return value;
  const shown = 'secret' in spec ? 'what is set' : quoted(text);
  const expected = scale === undefined ? describe(spec) : scale === 1000 ? 'a number of seconds' : 'a number';
  const problem = `${name} must be ${expected}, not ${shown}; ${exampleOf(variable)}`;
  throw new ConfigurationError('invalid-option', problem, { option, variable: name });
}
