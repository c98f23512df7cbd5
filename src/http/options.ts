import { BACKEND_OPTIONS, type BackendOptions, RETRY_OPTION } from '../backend/backend.ts';
import { ConfigurationError } from '../model/errors.ts';
import { parseProxy } from '../net/proxy-server.ts';
import type { AnyOptionTable, OptionSpec, OptionTable, OptionVariable } from '../options/option-table.ts';
import type { RetryOptions } from '../util/backoff.ts';
import { isNode } from '../util/runtime.ts';

/** Options of every backend that speaks HTTP. */
export interface HttpOptions extends BackendOptions {
  /** Another address of the service, for stand-ins and gateways, as `http://127.0.0.1:8080`. */
  readonly baseUrl?: string;
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

/** A header's name and value (RFC 9110, section 5). */
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const BASE_URL = /^https?:\/\/[^/?#@\s]+(?:\/[^?#\s]*)?$/i;

/** The table entries of {@link HttpOptions}. */
export const HTTP_OPTIONS: OptionTable<HttpOptions> = {
  ...BACKEND_OPTIONS,
  baseUrl: {
    type: 'custom',
    expected: "a URL such as 'https://api.example.com'",
    check: (value) => typeof value === 'string' && BASE_URL.test(value) && URL.canParse(value),
    parse: (text) => text,
    part: 'address',
  },
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
};

/** The table entry of an account's key; an empty one counts as missing. */
export function keyOption(expected: string, shape: RegExp, variable: OptionVariable): OptionSpec {
  const check = (value: unknown): boolean => value === '' || (typeof value === 'string' && shape.test(value));
  const parse = (text: string): string => text;
  return { type: 'custom', expected, check, parse, secret: true, variable, urlPart: 'username', part: 'login' };
}

/**
 * Checks what the table cannot say.
 *
 * @param required options that must be given
 * @throws {ConfigurationError} `missing-option`, `conflicting-options`; `invalid-option` for a proxy that cannot be used.
 */
export function checkHttpOptions(
  owner: string,
  table: AnyOptionTable,
  options: HttpOptions,
  required: readonly string[],
): void {
  const option = required.find((name) => !Reflect.get(options, name));
  if (option !== undefined) {
    const [variable] = [table[option]?.variable ?? []].flat();
    const advice = variable === undefined ? 'give it' : `give it, or set ${variable.name}`;
    throw new ConfigurationError('missing-option', `${owner}: ${option} is missing: ${advice}`, { option });
  }
  const { proxy, fetch } = options;
  if (!proxy) return;
  parseProxy(proxy);
  if (fetch !== undefined) {
    const text = 'proxy cannot be used with fetch: let that function use the proxy';
    throw new ConfigurationError('conflicting-options', text, { option: 'proxy', otherOptions: ['fetch'] });
  }
  if (!isNode())
    throw new ConfigurationError('invalid-option', 'proxy needs Node.js: leave it out', { option: 'proxy' });
}

function isHeaders(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.entries(value).every(([name, text]) => NAME.test(name) && typeof text === 'string' && VALUE.test(text));
}
