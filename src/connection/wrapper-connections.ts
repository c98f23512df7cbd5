import type { EmailBackend } from '../backend/backend.ts';
import { copyError } from '../model/error-copies.ts';
import { ConfigurationError } from '../model/errors.ts';
import { blameVariable } from '../options/environment.ts';
import type { AnyOptionTable } from '../options/option-table.ts';
import type { NamedConnection } from '../wrappers/parts.ts';
import { optionTableOf } from './registry.ts';
import type { Target } from './target.ts';

/** Makes a connection that a wrapper is made of from its text, and gives the name of a named one. */
export type Connect = (text: string) => Omit<NamedConnection, 'text'>;

/** The option that holds the connections of a wrapper, or that of an outbox; null for what has none. */
export function connectionsOption(table: AnyOptionTable): string | null {
  const [name = null] = Object.keys(table).filter((each) => Reflect.get(table[each] ?? {}, 'isConnections') === true);
  return name;
}

/**
 * The options, with a connection in place of the text, or of every text in a list.
 *
 * @throws {ConfigurationError} which says which connection is at fault.
 */
export function withConnections(
  { name, backend, variable }: Pick<Target, 'name' | 'backend' | 'variable'>,
  options: Readonly<Record<string, unknown>>,
  connect: Connect,
): Record<string, unknown> {
  const option = connectionsOption(optionTableOf(backend));
  const given = option === null ? null : options[option];
  if (option === null || !(Array.isArray(given) || typeof given === 'string')) return { ...options };
  const owner = name ?? backend.name;
  const make = (each: EmailBackend | string, place: string): EmailBackend | NamedConnection => {
    if (typeof each !== 'string') return each;
    try {
      return { text: each, ...connect(each) };
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      const blamed = copyError(error, { message: `connection ${place}of ${owner}: ${error.message}` });
      throw variable === null ? blamed : blameVariable(blamed, variable);
    }
  };
  const made = Array.isArray(given)
    ? given.map((each: EmailBackend | string, place) => make(each, `${place + 1} `))
    : make(given, '');
  return { ...options, [option]: made };
}
