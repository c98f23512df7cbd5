import { ConfigurationError } from '../model/errors.ts';
import type { EmailMessage } from '../model/message.ts';
import type { FailoverOptions } from '../wrappers/choosing.ts';
import type { FailoverBackend } from '../wrappers/failover.ts';
import type { MirrorBackend } from '../wrappers/mirror.ts';
import type { RateLimitBackend, RateLimitOptions } from '../wrappers/rate-limit.ts';
import type { RetryBackend, RetryBackendOptions } from '../wrappers/retry.ts';
import type { RoundRobinBackend } from '../wrappers/round-robin.ts';
import type { RouteBackend } from '../wrappers/route.ts';
import type { WeightedBackend, WeightedOptions } from '../wrappers/weighted.ts';
import type { Connection, WrapperOptions } from '../wrappers/wrapper-options.ts';
import { getConnection } from './connection.ts';

/** The options of a wrapper, without its connections. */
export type WrapperSettings<O extends WrapperOptions, K extends string = never> = Omit<O, 'connections' | K>;

/**
 * Sends over the first connection; the others get, in order, what it certainly did not send and another one may.
 *
 * @param connections What `getConnection` makes, or the text for it: a name, `'@name'`, a URL, a wrapper again.
 * @throws {ConfigurationError} `invalid-option`, `unknown-option`, `unknown-backend`: it says which connection is at fault.
 */
export function failover(
  connections: readonly Connection[],
  options: WrapperSettings<FailoverOptions> = {},
): FailoverBackend {
  return getConnection('failover', { ...options, connections });
}

/** Sends each message over the next connection in turn, and over the others as {@link failover} does; takes and throws the same. */
export function roundRobin(
  connections: readonly Connection[],
  options: WrapperSettings<FailoverOptions> = {},
): RoundRobinBackend {
  return getConnection('round-robin', { ...options, connections });
}

/** A connection and its share: of 9 and 1, the second gets a mail in ten; one of 0 only stands in for the others. */
export interface Weighted {
  /** As in {@link failover}. */
  readonly connection: Connection;
  /** A whole number of 0 or more. */
  readonly weight: number;
}

/** Sends each message over one of the connections, by their weights, and over the others as {@link failover} does; throws the same. */
export function weighted(
  connections: readonly Weighted[],
  options: WrapperSettings<WeightedOptions, 'weights'> = {},
): WeightedBackend {
  const isWeighted = (each: unknown): boolean => typeof each === 'object' && each !== null && 'weight' in each;
  if (!Array.isArray(connections) || !connections.every(isWeighted)) {
    const text =
      "weighted: give a list such as [{ connection: '@primary', weight: 9 }, { connection: '@backup', weight: 1 }]";
    throw new ConfigurationError('invalid-option', text, { option: 'connections' });
  }
  const weights = connections.map(({ weight }) => weight);
  return getConnection('weighted', {
    ...options,
    weights,
    connections: connections.map(({ connection }) => connection),
  });
}

/**
 * Sends each message over the connection that `choose` names, such as by tag, domain or locale, and over no other.
 *
 * @param choose Gives one of `connections`, as it stands there; must answer at once. As text it is an export:
 *   `route(@a @b)?choose=./routes.js#choose`.
 * @param connections As in {@link failover}; only these are opened, verified and closed with it.
 * @throws {ConfigurationError} as {@link failover}
 */
export function route<const C extends Connection>(
  choose: (message: EmailMessage) => NoInfer<C>,
  connections: readonly C[],
  options: WrapperSettings<WrapperOptions> = {},
): RouteBackend {
  return getConnection('route', { ...options, choose, connections });
}

/**
 * Sends over the first connection, and a copy of what was, or may have been, sent over the second, such as a mailbox; what becomes
 * of the copy changes nothing.
 *
 * @throws {ConfigurationError} as {@link failover}
 */
export function mirror(
  connection: Connection,
  copy: Connection,
  options: WrapperSettings<WrapperOptions> = {},
): MirrorBackend {
  return getConnection('mirror', { ...options, connections: [connection, copy] });
}

/**
 * Tries again, 3 times in all by default, what is certainly not sent and may succeed later; waits as long as the provider asks.
 *
 * @throws {ConfigurationError} as {@link failover}
 */
export function retry(connection: Connection, options: WrapperSettings<RetryBackendOptions> = {}): RetryBackend {
  return getConnection('retry', { ...options, connections: [connection] });
}

/**
 * Sends no faster than the rates allow, by recipients, in the order in which calls come.
 *
 * @param rates `'14/s, 50000/day'`, or options.
 * @throws {ConfigurationError} as {@link failover}
 */
export function rateLimit(connection: Connection, rates: string | WrapperSettings<RateLimitOptions>): RateLimitBackend {
  const options = typeof rates === 'string' ? { rate: rates } : rates;
  return getConnection('rate-limit', { ...options, connections: [connection] });
}
