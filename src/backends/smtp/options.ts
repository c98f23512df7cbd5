import { BACKEND_OPTIONS, type BackendOptions, RETRY_OPTION } from '../../backend/backend.ts';
import { OAUTH2_OPTION } from '../../backend/oauth2-option.ts';
import type { DkimOptions } from '../../mime/compose/dkim-keys.ts';
import { DKIM_OPTION } from '../../mime/compose/dkim-option.ts';
import { parseProxy } from '../../net/proxy-server.ts';
import { type OptionSpec, type OptionTable, parseOption } from '../../options/option-table.ts';
import { AUTH_METHODS, resolveSmtpOptions, type SmtpOptions } from '../../smtp/options.ts';

/** Options of the smtp backend. */
export interface SmtpBackendOptions extends BackendOptions, SmtpOptions {
  /** Writes tags and metadata as X-Tag and X-Metadata headers; without it they are left out. */
  readonly tagHeaders?: boolean;
  /** Signs every message; several make several signatures. */
  readonly dkim?: DkimOptions | readonly DkimOptions[];
}

/** As long as a timer of Node can be, about 24 days. */
const MILLISECONDS: OptionSpec = { type: 'integer', min: 1, max: 2_147_483_647 };
const FUNCTION: OptionSpec = {
  type: 'custom',
  expected: 'a function',
  check: (value) => typeof value === 'function',
};
const PEM: OptionSpec = {
  type: 'custom',
  expected: 'PEM text or bytes, or a list of them',
  check: (value) => (Array.isArray(value) ? value : [value]).every(isText),
  parse: (text) => text,
};
const SECRET: OptionSpec = { type: 'string', secret: true };
/** The wait for the reply to a mail's content (RFC 5321, section 4.5.3.2.6). */
const FINAL_MS = 600_000;

/** What the smtp backend accepts. */
export const SMTP_OPTIONS: OptionTable<SmtpBackendOptions> = /* @__PURE__ */ (() => ({
  ...BACKEND_OPTIONS,
  host: {
    type: 'string',
    variable: { name: 'AMSDAL_EMAIL_HOST', example: 'smtp.example.com' },
    urlPart: 'host',
    part: 'address',
    default: ({ path }) => (path === undefined ? 'localhost' : undefined),
  },
  port: {
    type: 'integer',
    min: 1,
    max: 65_535,
    variable: { name: 'AMSDAL_EMAIL_PORT', example: '587' },
    urlPart: 'port',
    part: 'server',
    default: (options) => (options['path'] === undefined ? resolveSmtpOptions(options).port : undefined),
  },
  path: { type: 'string', part: 'address', replaces: ['proxy'] },
  proxy: {
    type: 'string',
    secret: true,
    show: (url) => parseProxy(url).name,
    variable: { name: 'AMSDAL_EMAIL_PROXY', example: 'http://proxy.example.com:3128' },
  },
  username: {
    type: 'string',
    variable: { name: 'AMSDAL_EMAIL_USER', example: 'mailer' },
    urlPart: 'username',
    part: 'login',
  },
  password: {
    ...SECRET,
    variable: { name: 'AMSDAL_EMAIL_PASSWORD', example: 'the password' },
    urlPart: 'password',
    part: 'login',
    replaces: ['oauth2'],
  },
  accessToken: {
    type: 'custom',
    expected: 'a string or a function that gets one',
    check: (value) => typeof value === 'function' || (typeof value === 'string' && value !== ''),
    parse: (text) => text,
    secret: true,
    part: 'login',
    replaces: ['oauth2'],
  },
  oauth2: { ...OAUTH2_OPTION, part: 'login', replaces: ['password', 'accessToken'] },
  useTls: { type: 'boolean', variable: { name: 'AMSDAL_EMAIL_USE_TLS', example: 'true' }, part: 'server' },
  useSsl: { type: 'boolean', variable: { name: 'AMSDAL_EMAIL_USE_SSL', example: 'true' }, part: 'server' },
  security: {
    type: 'enum',
    values: ['implicit', 'required', 'opportunistic', 'none'],
    default: (options) => resolveSmtpOptions(options).security,
  },
  tls: {
    type: 'object',
    fields: {
      ca: PEM,
      cert: PEM,
      key: { ...PEM, secret: true },
      passphrase: SECRET,
      servername: { type: 'string' },
      rejectUnauthorized: { type: 'boolean' },
      minVersion: { type: 'enum', values: ['TLSv1.2', 'TLSv1.3'] },
      ciphers: { type: 'string' },
    },
  },
  allowInsecureAuth: { type: 'boolean' },
  authMethod: { type: 'enum', values: AUTH_METHODS },
  name: { type: 'string' },
  lmtp: { type: 'boolean' },
  timeoutMs: {
    ...MILLISECONDS,
    variable: {
      name: 'AMSDAL_EMAIL_TIMEOUT',
      example: '30',
      scale: 1000,
      // It is about a server that hangs: a wait for the last reply that is as short makes mails `unknown`.
      implies: (ms) => ({ timeouts: { final: Math.max(FINAL_MS, Number(ms)) } }),
    },
    part: 'wait',
  },
  timeouts: {
    type: 'object',
    fields: {
      connect: MILLISECONDS,
      greeting: MILLISECONDS,
      reply: MILLISECONDS,
      data: MILLISECONDS,
      final: MILLISECONDS,
    },
  },
  maxConnections: { type: 'integer', min: 1, max: 1000 },
  maxInFlight: { type: 'integer', min: 1, max: 100_000 },
  pipelining: { type: 'boolean' },
  chunking: { type: 'boolean' },
  maxMessages: { type: 'integer', min: 1 },
  maxAgeMs: MILLISECONDS,
  idleMs: { type: 'integer', min: 0, max: 2_147_483_647 },
  retry: RETRY_OPTION,
  debug: {
    type: 'custom',
    expected: 'true, false, or a function that takes each line',
    check: (value) => typeof value === 'boolean' || typeof value === 'function',
    parse: (text) => parseOption({ type: 'boolean' }, text),
    variable: { name: 'AMSDAL_EMAIL_DEBUG', example: '1' },
  },
  socket: { ...FUNCTION, replaces: ['proxy'] },
  tagHeaders: { type: 'boolean' },
  dkim: DKIM_OPTION,
}))();

function isText(value: unknown): boolean {
  return typeof value === 'string' || value instanceof Uint8Array;
}
