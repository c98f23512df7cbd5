import { ConfigurationError } from '../model/errors.ts';

/** The decoded parts of a URL. */
export interface UrlParts {
  readonly parts: Readonly<Record<'host' | 'port' | 'username' | 'password' | 'path', string>>;
  readonly query: readonly (readonly [key: string, value: string])[];
}

const ENCODED: Readonly<Record<string, string>> = { '/': '%2F', '?': '%3F', '#': '%23', '%': '%25' };

/** The error for a URL or an option in it; it does not show the URL. */
export function urlFault(what: string, option: string | null = null): ConfigurationError {
  return new ConfigurationError('invalid-option', `the URL: ${what}`, { option });
}

/**
 * Splits a URL as the WHATWG standard does, and says which character to encode where a user name or password broke it.
 *
 * @param known the parts that the backend's URLs have; if only the path, it is everything before the query
 * @param isOption distinguishes a real query from the rest of a password with a '?' in it
 */
export function readUrlParts(url: string, known: readonly string[], isOption: (name: string) => boolean): UrlParts {
  const rest = url.slice(url.indexOf('://') + 3);
  const queryStart = rest.indexOf('?');
  if (known.length === 1 && known[0] === 'path') {
    const path = decode('path', queryStart < 0 ? rest : rest.slice(0, queryStart)).replace(/^\/(?=[A-Za-z]:[\\/])/, '');
    const parts = { host: '', port: '', username: '', password: '', path };
    return { parts, query: readQuery(queryStart < 0 ? '' : rest.slice(queryStart + 1)) };
  }
  refuseBareCharacter(rest, isOption);
  // `acme://key@` is complete for a backend whose URLs have no host.
  const isHostless = !known.includes('host') && /^[^/?]*@(?:[/?]|$)/.test(rest);
  let parsed: URL;
  try {
    parsed = new URL(isHostless ? url.replace(/@(?=[/?]|$)/, '@none') : url);
  } catch {
    throw urlFault(explainUnreadable(rest));
  }
  return {
    parts: {
      host: isHostless ? '' : decode('host', parsed.hostname.replace(/^\[(.*)\]$/, '$1')),
      port: parsed.port,
      username: decode('user name', parsed.username),
      password: decode('password', parsed.password),
      path: parsed.pathname === '/' ? '' : known.includes('path') ? decode('path', parsed.pathname) : parsed.pathname,
    },
    query: readQuery(queryStart < 0 ? '' : rest.slice(queryStart + 1)),
  };
}

/** Refuses a character that ends the authority too early, before the '@' that follows user name and password. */
function refuseBareCharacter(rest: string, isOption: (name: string) => boolean): void {
  const end = rest.search(/[/?#]/);
  const character = rest[end];
  const remainder = rest.slice(end);
  if (character !== undefined && remainder.includes('@')) {
    const hasLogin = rest.slice(0, end).includes('@');
    const keys = /^[^?#]*\?([^#]*)/.exec(remainder)?.[1]?.split('&') ?? [];
    const areOptions = keys.every((pair) => isOption(pair.split('=', 1)[0] ?? ''));
    if (!hasLogin && !(/^\/?\?/.test(remainder) && areOptions)) throw bareCharacter(character);
    // The key may be part of the password: do not show it.
    if (!areOptions) throw urlFault("it has an unknown option, or a '?' in user name or password that is written %3F");
  }
  if (rest.includes('#')) throw bareCharacter('#');
}

function bareCharacter(character: string): ConfigurationError {
  return urlFault(`write the '${character}' in user name, password or value as ${ENCODED[character]}`);
}

function explainUnreadable(rest: string): string {
  const authority = /^[^/?#]*/.exec(rest)?.[0] ?? '';
  const server = authority.slice(authority.lastIndexOf('@') + 1);
  const port = /:([^:\]]*)$/.exec(server)?.[1];
  if (port !== undefined && !/^\d{0,5}$/.test(port)) return 'the port behind the last colon must be a number';
  if (port !== undefined && Number(port) > 65_535) return 'the port must be at most 65535';
  if (server.replace(/:\d*$/, '') === '') return 'the host is missing';
  return 'the host has characters that no host has: write scheme://user:password@host:port?option=value';
}

/** Unlike URLSearchParams, keeps a '+', which a password or key may hold. */
export function readQuery(text: string): UrlParts['query'] {
  if (text === '') return [];
  return text.split('&').map((pair) => {
    const equals = pair.indexOf('=');
    const key = decode('query', equals < 0 ? pair : pair.slice(0, equals));
    return [key, equals < 0 ? '' : decode(key, pair.slice(equals + 1))];
  });
}

function decode(part: string, text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw urlFault(`write the '%' in its ${part} as %25`);
  }
}
