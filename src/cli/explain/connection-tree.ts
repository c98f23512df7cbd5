import { optionTableOf } from '../../connection/registry.ts';
import { connectionsOption } from '../../connection/wrapper-connections.ts';
import { locationOf, resolveSmtpOptions } from '../../smtp/options.ts';
import { namer } from '../../util/namer.ts';
import { type Configuration, readConfiguration } from '../check/configuration.ts';

/** A connection that a wrapper is made of. */
export interface ConnectionNode {
  /** As in statuses and statistics; for a named connection with its backend. */
  readonly name: string;
  /** How and where it sends, in words. */
  readonly how: string;
  /** What it is made of itself; empty for what is no wrapper. */
  readonly parts: readonly ConnectionNode[];
}

/** What a wrapper is made of; empty for any other backend. */
export function connectionTree({ backendClass, options }: Configuration): readonly ConnectionNode[] {
  const option = connectionsOption(optionTableOf(backendClass));
  const given = option === null ? null : options[option];
  if (!Array.isArray(given)) return [];
  const nameOf = namer();
  return given
    .filter((each) => typeof each === 'string')
    .map((text) => {
      const configuration = readConfiguration(text);
      const { backend } = configuration;
      const name = text.startsWith('@') ? `${nameOf(text.slice(1))} (${backend})` : nameOf(backend);
      return { name, how: howOf(configuration), parts: connectionTree(configuration) };
    });
}

/** How and where a backend sends, in words. */
export function howOf({ backend, backendClass, options }: Configuration): string {
  if (backend === 'smtp') {
    const resolved = resolveSmtpOptions(options);
    return `by ${resolved.lmtp ? 'LMTP' : 'SMTP'} to ${locationOf(resolved)}, TLS: ${resolved.security}`;
  }
  if (backend === 'ses') return 'over HTTPS to Amazon SES, a round trip for each request on a connection that is kept';
  const { about } = backendClass;
  return about ? `the ${backend} backend ${about}` : 'how it is sent is known to its class alone';
}

/** The tree as lines, each below what it is a part of. */
export function treeLines(nodes: readonly ConnectionNode[], indent = ''): readonly (readonly [string, string])[] {
  return nodes.flatMap(({ name, how, parts }, place) => {
    const isLast = place === nodes.length - 1;
    const line = [`${indent}${isLast ? '└' : '├'} ${name}`, how] as const;
    return [line, ...treeLines(parts, `${indent}${isLast ? ' ' : '│'} `)];
  });
}
