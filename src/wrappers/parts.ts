import type { EmailBackend } from '../backend/backend.ts';
import { Part } from '../backend/part.ts';
import { copyError } from '../model/error-copies.ts';
import { ConfigurationError } from '../model/errors.ts';
import { ADVISORY, type Feature } from '../model/features.ts';
import { namer } from '../util/namer.ts';
import type { Connection, WrapperOptions } from './wrapper-options.ts';

/** A connection that was given as text. */
export interface NamedConnection {
  /** As it was given. */
  readonly text: string;
  /** The name that statuses and statistics have for it; null for that of its backend. */
  readonly name: string | null;
  readonly connection: EmailBackend;
}

/** A connection of a wrapper. */
export interface NamedPart {
  /** The name of a named connection, else of the backend; `smtp-2` is the second `smtp`. */
  readonly name: string;
  readonly part: Part;
}

type Given = readonly (Connection | NamedConnection)[];

/**
 * The connections of a wrapper, under names of their own.
 *
 * @param count how many there must be; by default at least one
 * @throws {ConfigurationError} `invalid-option` for another number of them; `invalid-backend` for what is no connection.
 */
export function partsOf(owner: string, connections: Given, count: 1): readonly [NamedPart];
export function partsOf(owner: string, connections: Given, count: 2): readonly [NamedPart, NamedPart];
export function partsOf(owner: string, connections: Given): readonly NamedPart[];
export function partsOf(owner: string, connections: Given, count?: number): readonly NamedPart[] {
  const given = Array.isArray(connections) ? connections.length : 0;
  if (given === 0 || given !== (count ?? given)) {
    const wanted =
      count === undefined ? 'at least one connection' : count === 1 ? 'one connection' : `${count} connections`;
    const text = `${owner}: give ${wanted}${given === 0 ? '' : `, not ${given}`}`;
    throw new ConfigurationError('invalid-option', text, { option: 'connections' });
  }
  const nameOf = namer();
  return connections.map((given, place) => {
    if (typeof given === 'string') {
      const text = `${owner}: getConnection('${owner}', ...) makes connections of names and URLs, the class takes what it makes`;
      throw new ConfigurationError('invalid-backend', text, { option: 'connections' });
    }
    const { name, connection } = isNamed(given) ? given : { name: null, connection: given };
    const part = partAt(`connection ${place + 1} of ${owner}`, connection);
    return { name: nameOf(name ?? part.facts.name), part };
  });
}

function partAt(place: string, connection: EmailBackend): Part {
  try {
    return new Part(connection);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    throw copyError(error, { message: `${place}: ${error.message}` });
  }
}

/** Whether a connection was given as text. */
export function isNamed(given: EmailBackend | NamedConnection): given is NamedConnection {
  return typeof given === 'object' && given !== null && 'connection' in given;
}

/**
 * What all of them can do. What may be left out is accepted where any of them can do it, as the connection that sends tells by
 * itself what it left out; unless that is to be an error.
 */
export function commonFeatures(
  parts: readonly NamedPart[],
  onUnsupported: WrapperOptions['onUnsupported'],
): ReadonlySet<Feature> {
  const isCommon = (feature: Feature) => parts.every(({ part }) => part.facts.features.has(feature));
  const mayBeLeftOut = (feature: Feature) => onUnsupported !== 'error' && ADVISORY.has(feature);
  return new Set([...anyFeatures(parts)].filter((feature) => mayBeLeftOut(feature) || isCommon(feature)));
}

/** What any of them can do. */
export function anyFeatures(parts: readonly NamedPart[]): ReadonlySet<Feature> {
  return new Set(parts.flatMap(({ part }) => [...part.facts.features]));
}
