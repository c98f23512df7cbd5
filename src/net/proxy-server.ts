import { ConfigurationError } from '../model/errors.ts';

/** A parsed proxy URL. */
export interface ProxyServer {
  readonly scheme: 'http' | 'https' | 'socks5';
  readonly host: string;
  readonly port: number;
  /** Secret: in no error or log. */
  readonly login: { readonly username: string; readonly password: string } | null;
  /** The URL without the login, for errors and logs: `http://proxy.example.com:3128`. */
  readonly name: string;
}

/** The default port of each scheme (RFC 9110, section 4.2; IANA for SOCKS). */
const PORTS: Readonly<Record<ProxyServer['scheme'], number>> = { http: 80, https: 443, socks5: 1080 };
const EXAMPLE = 'http://user:password@proxy.example.com:3128';
/** In curl the proxy resolves names with `socks5h` and not with `socks5`; here it always does. */
const SCHEME = /^(?:(https?)|(socks5)h?):\/\//i;
/** Bytes that SOCKS allows for a user name or password (RFC 1929, section 2). */
const MAX_SOCKS_TEXT = 255;
/** The limit for names in DNS (RFC 1035, section 2.3.4) and in SOCKS (RFC 1928, section 5). */
const MAX_NAME = 255;

/**
 * Parses a proxy URL: `http://`, `https://` or `socks5://`, an optional login, a host and an optional port. The URL is in no
 * error, since it may contain a password.
 *
 * @throws {ConfigurationError} `invalid-option` for the option `proxy`.
 */
export function parseProxy(url: string): ProxyServer {
  const [, http, socks] = SCHEME.exec(url) ?? [];
  const scheme = (http ?? socks)?.toLowerCase();
  if (!isScheme(scheme)) {
    throw fault(`must begin with 'http://', 'https://' or 'socks5://', as ${EXAMPLE} does`);
  }
  const rest = url.slice(url.indexOf('://') + 3);
  const end = rest.search(/[/?#]/);
  const authority = end < 0 ? rest : rest.slice(0, end);
  if (end >= 0 && rest.slice(end) !== '/') {
    throw fault("ends with host and port: a '/', '?' or '#' in user name or password is percent-encoded");
  }
  // The last '@' counts, as in the WHATWG URL standard.
  const at = authority.lastIndexOf('@');
  const [, givenHost = '', givenPort = ''] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(authority.slice(at + 1)) ?? [];
  const host = asciiHost(givenHost);
  if (host === null) throw fault(`must have a host name or an IP address, IPv6 in brackets, as ${EXAMPLE} does`);
  const port = givenPort === '' ? PORTS[scheme] : Number(/^\d{1,5}$/.exec(givenPort)?.[0]);
  if (!(port >= 1 && port <= 65_535)) throw fault('must have a port from 1 to 65535');
  const login = at > 0 ? parseLogin(scheme, authority.slice(0, at)) : null;
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  return { scheme, host: bare, port, login, name: `${scheme}://${host}:${port}` };
}

/**
 * The form of a mail host to send to a proxy: names in ASCII, IPv6 addresses without brackets.
 *
 * @throws {ConfigurationError} `invalid-option` for the option `host`, when it is not a host name or address.
 */
export function proxiedHost(host: string): string {
  const isV6 = process.getBuiltinModule('node:net').isIPv6(host);
  const ascii = asciiHost(isV6 ? `[${host}]` : host);
  if (ascii === null || ascii.length > MAX_NAME) {
    const what = `must be a name of at most ${MAX_NAME} characters, or an IP address without a zone, to be reached through proxy`;
    throw new ConfigurationError('invalid-option', `host ${what}`, { option: 'host', otherOptions: ['proxy'] });
  }
  return isV6 ? ascii.slice(1, -1) : ascii;
}

/** The form of a host in URLs: names in A-labels, IPv6 in brackets; null when it is not a host. */
function asciiHost(host: string): string | null {
  if (host === '' || /[\s%@/\\?#:]|\p{Cc}/u.test(host.replace(/^\[[\d:a-f.]+\]$/i, ''))) return null;
  try {
    return new URL(`http://${host}/`).hostname;
  } catch {
    return null;
  }
}

function parseLogin(scheme: ProxyServer['scheme'], text: string): ProxyServer['login'] {
  const colon = text.indexOf(':');
  const username = decode(colon < 0 ? text : text.slice(0, colon));
  const password = decode(colon < 0 ? '' : text.slice(colon + 1));
  if (username === '') throw fault('has a password without a user name: write user:password@ before the host');
  if (/\p{Cc}/u.test(username + password)) throw fault('must have no control characters in user name or password');
  if (scheme === 'socks5') {
    const isShort = (part: string): boolean => part !== '' && Buffer.byteLength(part) <= MAX_SOCKS_TEXT;
    if (!isShort(username) || !isShort(password))
      throw fault(`must have both user name and password for SOCKS, of 1 to ${MAX_SOCKS_TEXT} octets each (RFC 1929)`);
  } else if (username.includes(':')) {
    throw fault('must have no colon in the user name (RFC 7617, section 2)');
  }
  return { username, password };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw fault("has a '%' in user name or password that is written %25");
  }
}

function isScheme(scheme: string | undefined): scheme is ProxyServer['scheme'] {
  return scheme !== undefined && Object.hasOwn(PORTS, scheme);
}

function fault(what: string): ConfigurationError {
  return new ConfigurationError('invalid-option', `proxy ${what}`, { option: 'proxy' });
}
