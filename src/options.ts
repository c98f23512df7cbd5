import { ConfigurationError } from './errors.ts';
import { OPTION_NAMES, suggest } from './util/foreign-names.ts';
import { isQuotable, quoted } from './util/quotable.ts';

/**
 * What of a connection an option describes: the `address` of the server, what else there is to know of the `server`, the `login`
 * there, the `wait` for it.
 *
 * A URL says it all, so that the variables of such options do not count beside it; a preset says address and server. A login
 * that is configured is never used for another address.
 */
export type OptionPart = 'address' | 'server' | 'login' | 'wait';

/** An environment variable that an option is read from. */
export interface OptionVariable {
  /** `ACME_API_KEY`. */
  readonly name: string;
  /** A right value, shown when the one that was found is wrong. */
  readonly example: string;
  /** Turns the variable's unit into the option's: 1,000 for a variable in seconds and an option in milliseconds. */
  readonly scale?: number;
  /** What the value means for parts of other options that are left open, as `{ timeouts: { final: 600_000 } }`. */
  readonly implies?: (value: unknown) => Readonly<Record<string, object>>;
}

/** Where an option comes from besides code, and what it has to do with others. */
export interface OptionDeclaration {
  /** The variables it is read from; of several that are set, the last counts. */
  readonly variable?: OptionVariable | readonly OptionVariable[];
  /** The part of a URL that stands for it; a class with `path` only takes all that is before the query for that. */
  readonly urlPart?: 'host' | 'port' | 'username' | 'password' | 'path';
  /** What of a connection it describes. */
  readonly part?: OptionPart;
  /** Options that say the same in another way: where this one is given, they do not count from the environment or a URL. */
  readonly replaces?: readonly string[];
  /** What an option that is left open is, for `amsdal-mail check` to show; from the others, undefined where it plays no role. */
  readonly default?: string | number | boolean | ((options: Readonly<Record<string, unknown>>) => unknown);
}

/** How one option is checked, and how it is read from the text of a URL or an environment variable. */
export type OptionSpec = OptionDeclaration & OptionType;

/** What values an option takes. */
export type OptionType =
  | {
      readonly type: 'string';
      readonly secret?: true;
      /** What may be shown of a secret that is right. */
      readonly show?: (secret: string) => string;
    }
  | { readonly type: 'boolean' }
  | { readonly type: 'integer'; readonly min: number; readonly max?: number }
  | { readonly type: 'enum'; readonly values: readonly string[] }
  | { readonly type: 'object'; readonly fields: Readonly<Record<string, OptionSpec>> }
  | {
      readonly type: 'custom';
      /** Completes "expected ...", as `a function`. */
      readonly expected: string;
      readonly check: (value: unknown) => boolean;
      /** Reads the option from text; without it the option exists in code only. */
      readonly parse?: (text: string) => unknown;
      readonly secret?: true;
    };

/** The specification of every option of `O`, by name: the one list of what a backend accepts. */
export type OptionTable<O extends object> = { readonly [K in keyof O]-?: OptionSpec };

/** {@link OptionTable} when the options' type is not at hand. */
export type AnyOptionTable = Readonly<Record<string, OptionSpec>>;

const TRUE = new Set(['true', '1', 'yes', 'on']);
const FALSE = new Set(['false', '0', 'no', 'off', '']);

/**
 * Checks `options` against `table`; an option that is undefined counts as not given.
 *
 * @throws {ConfigurationError} `unknown-option` or `invalid-option`, naming `owner`, the option and what is expected.
 */
export function checkOptions(owner: string, table: AnyOptionTable, options: object): void {
  checkFields(owner, table, options, '');
}

/** @param path where the options are, as `timeouts.` */
function checkFields(owner: string, table: AnyOptionTable, options: object, path: string): void {
  for (const [name, value] of Object.entries(options)) {
    const spec = Object.hasOwn(table, name) ? table[name] : undefined;
    if (!spec) throw unknownOption(owner, name, Object.keys(table), path);
    if (value === undefined) continue;
    if (spec.type === 'object' && isPlainObject(value))
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
 * Reads an option's value from text; `undefined` when the text does not fit.
 *
 * The caller names the variable or URL the text came from, and quotes {@link describe}.
 */
export function parseOption(spec: OptionSpec, text: string): unknown {
  const value = readText(spec, text);
  return value !== undefined && isValid(spec, value) ? value : undefined;
}

/** Completes "must be ...": what values an option takes. */
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

/** Whether what an option is given may be a secret, in one of its parts or in place of all of them. */
export function mayBeSecret(spec: OptionSpec): boolean {
  return spec.type === 'object' ? Object.values(spec.fields).some(mayBeSecret) : 'secret' in spec;
}

/** The error for a name that is not in a table, with what it should be. */
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

function isPlainObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
