import { ConfigurationError } from '../model/errors.ts';
import {
  type AnyOptionTable,
  describe,
  mayBeSecret,
  type OptionSpec,
  parseOption,
  unknownOption,
} from '../options/option-table.ts';
import { controlNameIn } from '../util/control-name.ts';
import { isQuotable, quoted } from '../util/quotable.ts';
import { findScheme, urlSchemes } from './registry.ts';
import { readUrlParts, urlFault } from './url-parts.ts';

const URL_START = /^([a-z][a-z0-9-]*):\/\//i;

/** Whether a text is a URL rather than a name or specifier; `file:///x/backends.js#Mine` is a specifier. */
export function isConnectionUrl(text: string): boolean {
  return URL_START.test(text) && !(/^file:/i.test(text) && text.includes('#'));
}

/** The error for a text that is neither a URL nor a name; it does not show the text, which may hold a password. */
export function noUrl(text: string): ConfigurationError {
  if (text !== text.trim()) return urlFault('remove the white space around it');
  if (/^['"`]|['"`]$/.test(text)) return urlFault('remove the quotation marks around it; a file for Docker has none');
  const beginnings = urlSchemes().map((scheme) => `'${scheme}://'`);
  const list = `${beginnings.slice(0, -1).join(', ')} or ${beginnings.at(-1)}`;
  return new ConfigurationError('invalid-option', `a connection URL begins with ${list}`);
}

/** The backend that a URL names: `smtps:` is smtp with implicit TLS. */
export function backendOfUrl(url: string): string {
  const scheme = schemeOf(url);
  return findScheme(scheme)?.name ?? scheme;
}

function schemeOf(url: string): string {
  return URL_START.exec(url)?.[1]?.toLowerCase() ?? '';
}

/**
 * Reads the options from a URL such as `smtps://user:p%40ss@host:465?timeoutMs=10000`; query keys are the backend's option
 * names, and a dot separates the part of an option that is an object (`timeouts.connect=5000`).
 *
 * No error shows the URL, which may hold a password.
 *
 * @throws {ConfigurationError} `invalid-option`, `unknown-option` or `conflicting-options`.
 */
export function parseConnectionUrl(url: string, table: AnyOptionTable | undefined): Record<string, unknown> {
  if (url !== url.trim()) throw noUrl(url);
  const control = controlNameIn(url);
  if (control !== null) throw urlFault(`it has ${control} in it: remove it, or percent-encode it where it is meant`);
  const backend = backendOfUrl(url);
  const isOption = (name: string) => table === undefined || Object.hasOwn(table, name.split('.', 1)[0] ?? '');
  const known = urlPartsOf(table);
  const { parts, query } = readUrlParts(url, [...known.keys()], isOption);
  const options: Record<string, unknown> = { ...findScheme(schemeOf(url))?.options };
  for (const [part, text] of Object.entries(parts)) {
    if (text === '') continue;
    const option = known.get(part);
    if (option === undefined) {
      const advice = part === 'path' ? "; a '/' in user name or password is written %2F" : '';
      throw urlFault(`a '${backend}' URL has no ${part}${advice}`);
    }
    options[option] = readOption(option, table?.[option], text);
  }
  for (const [key, text] of query) setOption(options, table, key, text);
  return options;
}

/** Which option each part of a URL stands for; any other part must be empty. */
function urlPartsOf(table: AnyOptionTable = {}): ReadonlyMap<string, string> {
  return new Map(Object.entries(table).flatMap(([name, { urlPart }]) => (urlPart ? [[urlPart, name] as const] : [])));
}

/**
 * Sets an option from a query.
 *
 * @param path the prefix of the key, such as `timeouts.`
 */
export function setOption(
  options: Record<string, unknown>,
  table: AnyOptionTable | undefined,
  key: string,
  text: string,
  path = '',
): void {
  if (Object.hasOwn(options, key)) {
    const option = isQuotable(key) ? path + key : null;
    throw new ConfigurationError('conflicting-options', `the URL gives ${option ?? 'an option'} twice`, { option });
  }
  if (table === undefined) {
    options[key] = text;
    return;
  }
  const dot = key.indexOf('.');
  const name = dot < 0 ? key : key.slice(0, dot);
  const spec = Object.hasOwn(table, name) ? table[name] : undefined;
  if (spec === undefined) throw unknownOption('the URL', key, Object.keys(table), path);
  if (dot < 0) options[name] = readOption(path + key, spec, text);
  else {
    if (spec.type !== 'object')
      throw new ConfigurationError('unknown-option', `the URL: '${path}${name}' has no parts, got ${quoted(key)}`);
    const inner: Record<string, unknown> = { ...(options[name] as object | undefined) }; // written two lines below only
    setOption(inner, spec.fields, key.slice(dot + 1), text, `${path}${name}.`);
    options[name] = inner;
  }
}

function readOption(option: string, spec: OptionSpec | undefined, text: string): unknown {
  if (spec === undefined) return text;
  const value = parseOption(spec, text);
  if (value !== undefined) return value;
  const shown = mayBeSecret(spec) ? 'what it says' : quoted(text);
  throw urlFault(`${option} must be ${describe(spec)}, not ${shown}`, option);
}
