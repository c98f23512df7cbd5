import { BACKEND_OPTIONS, type BackendOptions, RETRY_OPTION } from '../backend/backend.ts';
import { ConfigurationError } from '../model/errors.ts';
import { isLoopback } from '../net/loopback.ts';
import { parseProxy } from '../net/proxy-server.ts';
import type { AnyOptionTable, OptionSpec, OptionTable, OptionVariable } from '../options/option-table.ts';
import type { RetryOptions } from '../util/backoff.ts';
import { isNode } from '../util/runtime.ts';
import type { Carries } from './provider.ts';

/** Options of every backend that speaks HTTP. */
export interface HttpOptions extends BackendOptions {
  /** Another address of the service, for stand-ins and gateways: an https URL; http for a host of this machine only. */
  readonly baseUrl?: string;
  /** Allows a `baseUrl` with http, so that the key is sent in the clear, where nobody can listen; default false. */
  readonly allowInsecureAuth?: boolean;
  /** How long one request may take, in milliseconds; default 30,000. */
  readonly timeoutMs?: number;
  /** Requests under way at once, over all calls; default 10. */
  readonly maxConnections?: number;
  /** Headers of each request, beside those that it needs. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Makes the requests instead of node:https, over connections of its own. A global `fetch` that was replaced is seen only when given here. */
  readonly fetch?: typeof globalThis.fetch;
  /** The proxy to connect through, in Node: `http://`, `https://` or `socks5://`, with login, host and port. */
  readonly proxy?: string;
  /** Tries of a mail that the provider certainly did not take and may take later, as when it is throttled; its `Retry-After` is obeyed. */
  readonly retry?: RetryOptions;
}

/** What the class of a provider declares about itself. */
export interface Declared {
  readonly name: string;
  readonly optionTable: AnyOptionTable;
  readonly carries: Carries;
  readonly required: readonly (string | readonly string[])[];
  readonly smtpPreset: string | null;
}

/** A header's name and value (RFC 9110, section 5). */
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const BASE_URL = /^https?:\/\/[^/?#@\s]+(?:\/[^?#\s]*)?$/i;

/** The table entries of {@link HttpOptions}. */
export const HTTP_OPTIONS: OptionTable<HttpOptions> = /* @__PURE__ */ (() => ({
  ...BACKEND_OPTIONS,
  baseUrl: {
    type: 'custom',
    expected: "a URL such as 'https://api.example.com'",
    check: (value) => typeof value === 'string' && BASE_URL.test(value) && URL.canParse(value),
    parse: (text) => text,
    part: 'address',
  },
  allowInsecureAuth: { type: 'boolean' },
  timeoutMs: { type: 'integer', min: 1, max: 2_147_483_647, part: 'wait', default: 30_000 },
  maxConnections: { type: 'integer', min: 1, max: 1_000, default: 10 },
  headers: {
    type: 'custom',
    expected: "an object of headers, such as { 'x-team': 'shop' }",
    check: isHeaders,
    secret: true,
  },
  fetch: { type: 'custom', expected: 'a function', check: (value) => typeof value === 'function' },
  proxy: { type: 'string', secret: true },
  retry: RETRY_OPTION,
}))();

/** The table entry of an account's key; an empty one counts as missing. */
export function keyOption(expected: string, shape: RegExp, variable: OptionVariable): OptionSpec {
  const check = (value: unknown): boolean => value === '' || (typeof value === 'string' && shape.test(value));
  const parse = (text: string): string => text;
  return { type: 'custom', expected, check, parse, secret: true, variable, urlPart: 'username', part: 'login' };
}

const SMTP_ONLY = ['username', 'password', 'host', 'port', 'useTls', 'useSsl', 'security'] as const;

/** Returns the options. @throws {ConfigurationError} `unknown-option` for those of SMTP, with the way to send over that. */
export function refuseSmtpOptions<O extends HttpOptions>(declared: Declared, options: O): O {
  const { name, optionTable, required, smtpPreset } = declared;
  const option = SMTP_ONLY.find(
    (each) => !Object.hasOwn(optionTable, each) && Reflect.get(options, each) !== undefined,
  );
  if (option === undefined) return options;
  const text = `${name}: ${option} is an option of SMTP, and this backend speaks HTTP: give ${required.map(anyOf).join(' and ')}, or send over '${smtpPreset ?? 'smtp'}'`;
  throw new ConfigurationError('unknown-option', text, { option });
}

/**
 * Checks what the table cannot say.
 *
 * @throws {ConfigurationError} `missing-option`, `conflicting-options`; `invalid-option` for a proxy that cannot be used, and for
 *   a `baseUrl` to which the key would go in the clear.
 */
export function checkHttpOptions({ name, optionTable, required, smtpPreset }: Declared, options: HttpOptions): void {
  const missing = required.find((each) => [each].flat().every((option) => !Reflect.get(options, option)));
  if (missing !== undefined) {
    const [option = '', ...others] = [missing].flat();
    const [variable] = [optionTable[option]?.variable ?? []].flat();
    const give = others.length === 0 ? 'give it' : 'give one of them';
    const advice = variable === undefined ? give : `${give}, or set ${variable.name}`;
    const other = smtpPreset === null ? '' : `; with the login of SMTP it is '${smtpPreset}'`;
    const text = `${name}: ${anyOf(missing)} is missing: ${advice}${other}`;
    throw new ConfigurationError('missing-option', text, { option, otherOptions: others });
  }
  const { baseUrl, proxy, fetch } = options;
  if (baseUrl !== undefined) refuseInTheClear(name, 'baseUrl', baseUrl, options);
  if (!proxy) return;
  parseProxy(proxy);
  if (fetch !== undefined) {
    const text = 'proxy cannot be used with fetch: let that function use the proxy';
    throw new ConfigurationError('conflicting-options', text, { option: 'proxy', otherOptions: ['fetch'] });
  }
  if (!isNode())
    throw new ConfigurationError('invalid-option', 'proxy needs Node.js: leave it out', { option: 'proxy' });
}

/**
 * Refuses an address to which the key would go in the clear. Through a proxy this machine is that of the proxy.
 *
 * @param option what says the address
 * @param where how it is called in the text
 * @throws {ConfigurationError} `invalid-option`
 */
export function refuseInTheClear(
  name: string,
  option: string,
  address: string,
  { allowInsecureAuth, proxy }: HttpOptions,
  where: string = option,
): void {
  if (allowInsecureAuth) return;
  const url = new URL(address);
  if (url.protocol === 'https:' || (isLoopback(url) && !proxy)) return;
  const only = `http is for this machine only${proxy ? ', and not through a proxy' : ''}`;
  const text = `${name}: ${where} must begin with https://, as the key is sent there (${only}); set allowInsecureAuth where nobody can listen`;
  throw new ConfigurationError('invalid-option', text, { option, otherOptions: ['allowInsecureAuth'] });
}

function anyOf(options: string | readonly string[]): string {
  return [options].flat().join(' or ');
}

function isHeaders(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.entries(value).every(([name, text]) => NAME.test(name) && typeof text === 'string' && VALUE.test(text));
}
