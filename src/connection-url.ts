import { ConfigurationError } from './errors.ts';
import { type AnyOptionTable, describe, type OptionSpec, parseOption, unknownOption } from './options.ts';

/** What a connection URL says. */
export interface ConnectionUrl {
  readonly backend: string;
  readonly options: Record<string, unknown>;
}

/** Which options the parts of a backend's URL stand for; a part that is not named must be empty. */
const PARTS: Readonly<
  Record<
    string,
    {
      readonly host?: string;
      readonly port?: string;
      readonly username?: string;
      readonly password?: string;
      readonly path?: string;
    }
  >
> = {
  smtp: { host: 'host', port: 'port', username: 'username', password: 'password' },
  ses: { host: 'region', username: 'accessKeyId', password: 'secretAccessKey' },
  file: { path: 'path' },
};

const URL_START = /^([a-z][a-z0-9-]*):(?:\/\/)?/i;
const ENCODE =
  'percent-encode these in user name and password: % as %25, @ as %40, : as %3A, / as %2F, ? as %3F, # as %23';

/** Whether a text is a URL rather than a backend's name or specifier; `file:///backend.js#MyBackend` is a specifier. */
export function isConnectionUrl(text: string): boolean {
  return /^[a-z][a-z0-9-]*:\/\//i.test(text) && !/^file:.*#/i.test(text);
}

/** The backend a URL names: `smtps:` is smtp with TLS from the first byte. */
export function backendOfUrl(url: string): string {
  const scheme = URL_START.exec(url)?.[1]?.toLowerCase() ?? '';
  return scheme === 'smtps' ? 'smtp' : scheme;
}

/**
 * Reads `smtps://user:p%40ss@host:465?timeoutMs=10000` and its like; query keys are exactly the backend's option names, a
 * dot reaches into an option that is an object (`timeouts.connect=5000`).
 *
 * @param source What to call the URL in errors; the URL itself is never shown, as it holds the password.
 * @throws {ConfigurationError} `invalid-option` or `unknown-option`.
 */
export function parseConnectionUrl(url: string, table: AnyOptionTable | undefined, source: string): ConnectionUrl {
  const backend = backendOfUrl(url);
  const queryStart = url.indexOf('?');
  const parts = backend === 'file' ? { path: filePath(source, url, queryStart) } : readParts(url, source);
  const options: Record<string, unknown> = /^smtps:/i.test(url) ? { useSsl: true } : {};
  const known: Readonly<Record<string, string>> = PARTS[backend] ?? {};
  for (const [part, text] of Object.entries(parts)) {
    if (text === '') continue;
    const option = known[part];
    if (option === undefined)
      throw new ConfigurationError('invalid-option', `${source}: a '${backend}' URL has no ${part}; ${ENCODE}`);
    options[option] = readOption(source, option, table?.[option], text);
  }
  const query = new URLSearchParams(queryStart < 0 ? '' : url.slice(queryStart + 1));
  for (const [key, text] of query) {
    // What follows a '?' in a password is no option's name, and must not be shown.
    if (!/^[a-z][a-z0-9.]*$/i.test(key)) {
      throw new ConfigurationError('unknown-option', `${source}: what follows '?' is no option's name; ${ENCODE}`);
    }
    setOption(options, source, table, key, text);
  }
  return { backend, options };
}

function readParts(url: string, source: string): Record<string, string> {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch (cause) {
    // The cause's own text shows the whole URL, password and all: it is left out.
    const code: unknown = cause instanceof Error ? Reflect.get(cause, 'code') : undefined;
    throw new ConfigurationError(
      'invalid-option',
      `${source} is not a URL (${String(code)}); write scheme://user:password@host:port?option=value; ${ENCODE}`,
    );
  }
  if (url.includes('#')) throw new ConfigurationError('invalid-option', `${source} has a '#': ${ENCODE}`);
  return {
    host: decode(source, parsed.hostname.replace(/^\[(.*)\]$/, '$1')),
    port: parsed.port,
    username: decode(source, parsed.username),
    password: decode(source, parsed.password),
    path: parsed.pathname === '/' ? '' : parsed.pathname,
  };
}

function filePath(source: string, url: string, queryStart: number): string {
  return decode(source, (queryStart < 0 ? url : url.slice(0, queryStart)).replace(URL_START, ''));
}

function decode(source: string, text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ConfigurationError('invalid-option', `${source} has a '%' that starts no percent-encoding; ${ENCODE}`);
  }
}

function setOption(
  options: Record<string, unknown>,
  source: string,
  table: AnyOptionTable | undefined,
  key: string,
  text: string,
): void {
  if (Object.hasOwn(options, key)) throw new ConfigurationError('conflicting-options', `${source} gives ${key} twice`);
  if (table === undefined) {
    options[key] = text;
    return;
  }
  const dot = key.indexOf('.');
  const name = dot < 0 ? key : key.slice(0, dot);
  const spec = Object.hasOwn(table, name) ? table[name] : undefined;
  if (spec === undefined) throw unknownOption(source, key, Object.keys(table));
  if (dot < 0) options[name] = readOption(source, key, spec, text);
  else {
    if (spec.type !== 'object')
      throw new ConfigurationError('unknown-option', `${source}: '${name}' has no parts, got '${key}'`);
    const inner: Record<string, unknown> = { ...(options[name] as object | undefined) }; // written two lines below only
    setOption(inner, source, spec.fields, key.slice(dot + 1), text);
    options[name] = inner;
  }
}

function readOption(source: string, option: string, spec: OptionSpec | undefined, text: string): unknown {
  if (spec === undefined) return text;
  const value = parseOption(spec, text);
  if (value !== undefined) return value;
  const shown = 'secret' in spec ? 'what it says' : `'${text}'`;
  throw new ConfigurationError('invalid-option', `${source}: ${option} must be ${describe(spec)}, not ${shown}`);
}
