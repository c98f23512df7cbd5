import { ConfigurationError } from '../model/errors.ts';
import { OPTION_NAMES, suggest } from '../util/foreign-names.ts';
import { isObject } from '../util/json.ts';
import { isQuotable, quoted } from '../util/quotable.ts';

/**
 * The part of a connection that an option describes: the `address` of the server, anything else about the `server`, the `login`
 * there, or the `wait` for it.
 *
 * A URL describes all of them, so variables for such options do not count beside it; a preset describes address and server. A
 * configured login is never used for another address.
 */
export type OptionPart = 'address' | 'server' | 'login' | 'wait';

/** An environment variable that an option is read from. */
export interface OptionVariable {
  /** Its name, such as `ACME_API_KEY`. */
  readonly name: string;
  /** A valid value, shown when the actual one is wrong. */
  readonly example: string;
  /** Converts the variable's unit to the option's: 1,000 for a variable in seconds and an option in milliseconds. */
  readonly scale?: number;
  /** What the value implies for parts of other options that are not set, such as `{ timeouts: { final: 600_000 } }`. */
  readonly implies?: (value: unknown) => Readonly<Record<string, object>>;
}

/** Where an option comes from besides code, and how it relates to others. */
export interface OptionDeclaration {
  /** The variables it is read from; if several are set, the last one counts. */
  readonly variable?: OptionVariable | readonly OptionVariable[];
  /** The part of a URL that stands for it; for a class that uses only `path`, that is everything before the query. */
  readonly urlPart?: 'host' | 'port' | 'username' | 'password' | 'path';
  /** The part of a connection that it describes. */
  readonly part?: OptionPart;
  /** Options that say the same in another way: where this one is given, their values from the environment or a URL do not count. */
  readonly replaces?: readonly string[];
  /** The default that `amsdal-mail check` shows; a function derives it from the other options, undefined where it is irrelevant. */
  readonly default?: string | number | boolean | ((options: Readonly<Record<string, unknown>>) => unknown);
}

/** How one option is checked, and how it is read from the text of a URL or an environment variable. */
export type OptionSpec = OptionDeclaration & OptionType;

/** What values an option takes. */
export type OptionType =
  | {
      readonly type: 'string';
      readonly secret?: true;
      /** How a valid secret may be shown. */
      readonly show?: (secret: string) => string;
    }
  | { readonly type: 'boolean' }
  | { readonly type: 'integer'; readonly min: number; readonly max?: number }
  | { readonly type: 'enum'; readonly values: readonly string[] }
  | { readonly type: 'object'; readonly fields: Readonly<Record<string, OptionSpec>> }
  | {
      readonly type: 'custom';
      /** Completes "expected ...", such as `a function`. */
      readonly expected: string;
      readonly check: (value: unknown) => boolean;
      /** Reads the option from text; without it the option can only be given in code. */
      readonly parse?: (text: string) => unknown;
      readonly secret?: true;
      /** It is a list of connections: getConnection makes those that are given as text. */
      readonly isConnections?: true;
      /** It is a function: getConnection loads one that is given as text, `./file.js#name`. */
      readonly isFunction?: true;
    };

/** The specification of every option of `O`, by name: the one list of what a backend accepts. */
export type OptionTable<O extends object> = { readonly [K in keyof O]-?: OptionSpec };

/** {@link OptionTable} when the type of the options is not known. */
export type AnyOptionTable = Readonly<Record<string, OptionSpec>>;

const TRUE = new Set(['true', '1', 'yes', 'on']);
const FALSE = new Set(['false', '0', 'no', 'off', '']);

/**
 * Checks `options` against `table`; undefined counts as not given.
 *
 * @throws {ConfigurationError} `unknown-option` or `invalid-option`, naming `owner`, the option and what is expected.
 */
export function checkOptions(owner: string, table: AnyOptionTable, options: object): void {
  checkFields(owner, table, options, '');
}

/** @param path the prefix of the options, such as `timeouts.` */
function checkFields(owner: string, table: AnyOptionTable, options: object, path: string): void {
  for (const [name, value] of Object.entries(options)) {
    const spec = Object.hasOwn(table, name) ? table[name] : undefined;
    if (!spec) throw unknownOption(owner, name, Object.keys(table), path);
    if (value === undefined) continue;
    if (spec.type === 'object' && isObject(value))
      checkFields(`${owner} option ${name}`, spec.fields, value, `${path}${name}.`);
    else if (!isValid(spec, value)) {
      throw new ConfigurationError(
        'invalid-option',
        `${owner}: ${name} must be ${describe(spec)}, got ${show(spec, value)}`,
        { option: path + name },
      );
    }
  }
}

/**
 * Reads an option's value from text; `undefined` when the text does not fit. The caller reports that with {@link describe}.
 */
export function parseOption(spec: OptionSpec, text: string): unknown {
  const value = readText(spec, text);
  return value !== undefined && isValid(spec, value) ? value : undefined;
}

/** Completes "must be ...": the values an option takes. */
export function describe(spec: OptionSpec): string {
  switch (spec.type) {
    case 'string':
      return 'a string';
    case 'boolean':
      return 'true or false';
    case 'integer':
      return spec.max === undefined
        ? `an integer of at least ${spec.min}`
        : `an integer from ${spec.min} to ${spec.max}`;
    case 'enum':
      return `one of ${spec.values.map((value) => `'${value}'`).join(', ')}`;
    case 'object':
      return `an object with ${Object.keys(spec.fields).join(', ')}`;
    case 'custom':
      return spec.expected;
  }
}

/** Whether the value of an option, or of one of its parts, may be a secret. */
export function mayBeSecret(spec: OptionSpec): boolean {
  return spec.type === 'object' ? Object.values(spec.fields).some(mayBeSecret) : 'secret' in spec;
}

/** The error for a name that is not in a table, with the name that was probably meant. */
export function unknownOption(owner: string, name: string, known: readonly string[], path = ''): ConfigurationError {
  const advice = suggest(name, known, OPTION_NAMES) ?? `known options: ${known.join(', ')}`;
  return new ConfigurationError('unknown-option', `${owner}: unknown option ${quoted(name)}; ${advice}`, {
    option: isQuotable(name) ? path + name : null,
  });
}

function readText(spec: OptionSpec, text: string): unknown {
  switch (spec.type) {
    case 'string':
    case 'enum':
      return text;
    case 'boolean': {
      const folded = text.toLowerCase();
      return TRUE.has(folded) ? true : FALSE.has(folded) ? false : undefined;
    }
    case 'integer':
      return /^\d+$/.test(text) ? Number(text) : undefined;
    case 'object':
      return undefined;
    case 'custom':
      return spec.parse?.(text);
  }
}

function isValid(spec: OptionSpec, value: unknown): boolean {
  switch (spec.type) {
    case 'string':
      return typeof value === 'string';
    case 'boolean':
      return typeof value === 'boolean';
    case 'integer':
      return (
        Number.isSafeInteger(value) &&
        Number(value) >= spec.min &&
        Number(value) <= (spec.max ?? Number.MAX_SAFE_INTEGER)
      );
    case 'enum':
      return typeof value === 'string' && spec.values.includes(value);
    case 'object':
      return false;
    case 'custom':
      return spec.check(value);
  }
}

function show(spec: OptionSpec, value: unknown): string {
  if (mayBeSecret(spec)) return `a secret ${typeof value}`;
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'function') return 'a function';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
