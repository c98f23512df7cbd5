import { ConfigurationError } from '../model/errors.ts';
import { type AccessToken, type TokenSource, tokenSourceOf } from '../net/access-token.ts';
import { checkOAuth2, type OAuth2Options } from '../net/oauth-options.ts';
import { type ProxyServer, parseProxy, proxiedHost } from '../net/proxy-server.ts';
import { refuseInWorkerd } from '../options/refuse-in-workerd.ts';
import { type RetryOptions, resolveRetry } from '../util/backoff.ts';

/**
 * How TLS is used: `implicit`, from the first byte; `required`, by STARTTLS, or nothing is sent; `opportunistic`, by STARTTLS
 * where it is offered, without credentials otherwise; `none`.
 */
export type SmtpSecurity = 'implicit' | 'required' | 'opportunistic' | 'none';

/** The SASL mechanisms of this client, the strongest first; the last two are for access tokens. */
export const AUTH_METHODS: readonly AuthMethod[] = [
  'SCRAM-SHA-256',
  'SCRAM-SHA-1',
  'CRAM-MD5',
  'PLAIN',
  'LOGIN',
  'OAUTHBEARER',
  'XOAUTH2',
];

/** A SASL mechanism of this client. */
export type AuthMethod = 'SCRAM-SHA-256' | 'SCRAM-SHA-1' | 'CRAM-MD5' | 'PLAIN' | 'LOGIN' | 'OAUTHBEARER' | 'XOAUTH2';

/** What of node:tls can be set; the meanings are Node's. Certificates are PEM, or DER as bytes. */
export interface SmtpTlsOptions {
  /** Trusted in place of the authorities that Node trusts. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[];
  /** The certificate of this client. */
  readonly cert?: string | Uint8Array;
  /** Its private key. */
  readonly key?: string | Uint8Array;
  /** Of the private key. */
  readonly passphrase?: string;
  /** The name the certificate must have, and that is sent as SNI; the host by default. */
  readonly servername?: string;
  /** False accepts any certificate, an attacker's too. */
  readonly rejectUnauthorized?: boolean;
  /** TLSv1.2 by default (RFC 8996). */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
  /** A list as OpenSSL writes it; default: Node's. */
  readonly ciphers?: string;
}

/** The waits that can be bounded apart, in milliseconds. */
export interface SmtpTimeouts {
  /** Name lookup, TCP connection, TLS handshake: each. */
  readonly connect?: number;
  /** The server's first reply. */
  readonly greeting?: number;
  /** The reply to a command. */
  readonly reply?: number;
  /** One block of content to leave. */
  readonly data?: number;
  /** The reply to the end of the content; RFC 5321 section 4.5.3.2.6 asks for ten minutes, since giving up makes it `unknown`. */
  readonly final?: number;
}

/** A connected stream for the session: a `net.Socket`, or any Node Duplex, of a tunnel for example. */
export interface SmtpSocket {
  /** Writes bytes; false when it would rather wait. */
  write(bytes: Uint8Array): boolean;
  /** Ends it at once. */
  destroy(): unknown;
}

/** Where a socket of one's own must lead. */
export interface SmtpTarget {
  /** The server's name or address. */
  readonly host: string;
  /** The server's port. */
  readonly port: number;
  /** Aborts when the connection is no longer wanted. */
  readonly signal: AbortSignal;
}

/** Options of the SMTP engine. */
export interface SmtpOptions {
  /** `localhost` by default; IPv6 literals with or without brackets. */
  readonly host?: string;
  /** 25 by default, 587 with `useTls`, 465 with `useSsl`, 24 with `lmtp`. */
  readonly port?: number;
  /** The path of a unix socket, instead of host and port. */
  readonly path?: string;
  /**
   * The proxy through which the server is reached, which looks up its name: `http://user:password@proxy.example.com:3128` (CONNECT,
   * RFC 9110), the same with `https://` (TLS to the proxy), or `socks5://` (RFC 1928). User name and password are percent-encoded;
   * the ports are 80, 443 and 1080 by default. TLS and login hold between this client and the server, as without it.
   */
  readonly proxy?: string;
  /** Who logs in, with a password or a token; without it there is no login. */
  readonly username?: string;
  /** The password, or an app password of the provider. */
  readonly password?: string;
  /** An OAuth 2.0 access token, or a function that gets one; it is called again, once, when the server refuses the first. Wins over `password`. */
  readonly accessToken?: AccessToken;
  /** Where to get access tokens, instead of `password` or `accessToken`: each is used until shortly before its end, by all connections. */
  readonly oauth2?: OAuth2Options;
  /** STARTTLS, required, never skipped. */
  readonly useTls?: boolean;
  /** TLS from the first byte. */
  readonly useSsl?: boolean;
  /** Instead of the two flags. Default: `implicit` on port 465, `required` on 587 or with credentials, else `none`. */
  readonly security?: SmtpSecurity;
  /** Certificates and versions. */
  readonly tls?: SmtpTlsOptions;
  /** Sends credentials without TLS: anyone on the way can read them. */
  readonly allowInsecureAuth?: boolean;
  /** The mechanism to use, and no other; by default the strongest offered, and over TLS weaker ones where it is refused. */
  readonly authMethod?: AuthMethod;
  /** How EHLO introduces this client: a domain name or address literal; the host's full name or its address by default. */
  readonly name?: string;
  /** Speaks LMTP (RFC 2033). */
  readonly lmtp?: boolean;
  /** Bounds every single wait, in milliseconds. Not given: 30,000, and 600,000 for the reply to the content. */
  readonly timeoutMs?: number;
  /** Bounds single waits, over `timeoutMs`. */
  readonly timeouts?: SmtpTimeouts;
  /** The most connections at once, those being opened included; 5 by default. */
  readonly maxConnections?: number;
  /**
   * The most messages of one connection that may be unanswered, where the server offers PIPELINING and CHUNKING; 8 by default.
   * A lost connection makes exactly the unanswered ones `unknown`.
   */
  readonly maxInFlight?: number;
  /** False sends one command at a time also where PIPELINING is offered (RFC 2920). */
  readonly pipelining?: boolean;
  /** False sends content by DATA also where CHUNKING is offered (RFC 3030), for a filter that spoils BDAT. */
  readonly chunking?: boolean;
  /** The most messages sent over one connection before it is replaced; no limit by default. */
  readonly maxMessages?: number;
  /** How old a connection may become before it is replaced, in milliseconds; no limit by default. */
  readonly maxAgeMs?: number;
  /** How long an idle connection is kept, in milliseconds; 5,000 by default. */
  readonly idleMs?: number;
  /** Of a mail that certainly did not go out and may later. */
  readonly retry?: RetryOptions;
  /** Gets every line of the dialogue, secrets replaced by `***`, content left out; true prints them on standard error. */
  readonly debug?: boolean | ((line: string) => void);
  /** Makes the connection, in a way of your own; TLS is still done here, over it. */
  readonly socket?: (target: SmtpTarget) => SmtpSocket | Promise<SmtpSocket>;
}

/** Every option of the engine, checked and complete. */
export interface ResolvedSmtpOptions {
  readonly host: string;
  readonly port: number;
  readonly path: string | null;
  readonly proxy: ProxyServer | null;
  readonly credentials: SmtpCredentials | null;
  readonly security: SmtpSecurity;
  readonly tls: SmtpTlsOptions;
  readonly allowInsecureAuth: boolean;
  readonly authMethod: AuthMethod | null;
  readonly name: string | null;
  readonly lmtp: boolean;
  readonly timeouts: Required<SmtpTimeouts>;
  readonly maxConnections: number;
  readonly maxInFlight: number;
  readonly pipelining: boolean;
  readonly chunking: boolean;
  readonly maxMessages: number;
  readonly maxAgeMs: number;
  readonly idleMs: number;
  readonly retry: Required<RetryOptions>;
  readonly debug: ((line: string) => void) | null;
  readonly socket: SmtpOptions['socket'] | null;
}

/** Who logs in, and with what. */
export interface SmtpCredentials {
  readonly username: string;
  readonly password: string | null;
  /** Of access tokens, which win over the password; null without them. */
  readonly tokens: TokenSource | null;
  /** What a refusal usually means at this server; told with it. */
  readonly hint: string | null;
}

/** A domain name, or an address literal (RFC 5321, section 4.1.3). */
const EHLO_NAME =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?|\[(?:\d{1,3}(?:\.\d{1,3}){3}|IPv6:[0-9A-Fa-f:.]+)\])$/;
const CONTROL = /\p{Cc}/u;

/**
 * Checks the options against each other and fills in what was left out; their types were checked by then.
 *
 * @throws {ConfigurationError} naming the option, code `invalid-option`, `missing-option` or `conflicting-options`.
 */
export function resolveSmtpOptions(options: SmtpOptions = {}): ResolvedSmtpOptions {
  const { lmtp = false, allowInsecureAuth = false, host = 'localhost', name = null, path = null } = options;
  if (options.useTls && options.useSsl) {
    conflict(
      ['useTls', 'useSsl'],
      'useTls (STARTTLS) and useSsl (TLS from the first byte) exclude each other: set one of them',
    );
  }
  for (const option of ['path', 'proxy', 'tls'] as const) {
    if (options[option] === undefined) continue;
    refuseInWorkerd(
      'invalid-option',
      `${option} cannot be used`,
      'the runtime makes connections and verifies TLS by itself',
    );
  }
  if (host === '' || /[\s/@]|\p{Cc}/u.test(host)) {
    invalid('host', 'must be a host name or an IP address, without a scheme or port');
  }
  if (name !== null && (name.length > 255 || !EHLO_NAME.test(name))) {
    invalid('name', 'must be a domain name or an address literal such as [192.0.2.1]');
  }
  const timeouts = resolveTimeouts(options.timeoutMs, options.timeouts);
  const bareHost = host.replace(/^\[(.*)\]$/, '$1');
  const proxy = resolveProxy(options, bareHost);
  const credentials = resolveCredentials(options, timeouts);
  const security = resolveSecurity(options, credentials !== null);
  if (credentials && security === 'none' && !allowInsecureAuth) {
    conflict(
      ['useTls', 'useSsl', 'security', 'allowInsecureAuth'],
      'credentials are not sent without TLS: set useTls or useSsl, or allowInsecureAuth where nobody can listen',
    );
  }
  const port = options.port ?? defaultPort(options, security);
  if (lmtp && port === 25 && path === null)
    conflict(['port', 'lmtp'], 'lmtp is never spoken on port 25 (RFC 2033, section 5): set port');
  return {
    host: bareHost,
    port,
    path,
    proxy,
    credentials,
    security,
    tls: options.tls ?? {},
    allowInsecureAuth,
    authMethod: options.authMethod ?? null,
    name,
    lmtp,
    timeouts,
    maxConnections: options.maxConnections ?? 5,
    maxInFlight: options.maxInFlight ?? 8,
    pipelining: options.pipelining ?? true,
    chunking: options.chunking ?? true,
    maxMessages: options.maxMessages ?? Infinity,
    maxAgeMs: options.maxAgeMs ?? Infinity,
    idleMs: options.idleMs ?? 5_000,
    retry: resolveRetry(options.retry),
    debug: options.debug === true ? printToStderr : options.debug || null,
    socket: options.socket ?? null,
  };
}

/** Where a server is, as it may be shown: the path of its socket, or host and port, and the proxy in between. */
export function locationOf({ host, port, path, proxy }: ResolvedSmtpOptions): string {
  if (path !== null) return path;
  const server = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return proxy === null ? server : `${server} through the proxy ${proxy.name}`;
}

function resolveProxy(options: SmtpOptions, host: string): ProxyServer | null {
  if (options.proxy === undefined) return null;
  for (const other of ['path', 'socket'] as const) {
    if (options[other] !== undefined) {
      conflict(['proxy', other], `proxy leads to a host and port, and ${other} says another way: set one of them`);
    }
  }
  proxiedHost(host); // what no proxy can be told is refused before the network
  return parseProxy(options.proxy);
}

function resolveSecurity(options: SmtpOptions, hasCredentials: boolean): SmtpSecurity {
  const { security, useTls, useSsl, port, allowInsecureAuth } = options;
  if (security !== undefined) {
    const asked = useSsl ? 'implicit' : useTls ? 'required' : security;
    if (asked !== security) {
      const flag = useSsl ? 'useSsl' : 'useTls';
      conflict(['security', flag], `security '${security}' contradicts ${flag}: set one of them`);
    }
    return security;
  }
  if (useSsl) return 'implicit';
  if (useTls) return 'required';
  if (port === 465 && useSsl === undefined) return 'implicit';
  if (useTls === false) return 'none';
  if (port === 587) return 'required';
  return hasCredentials && !allowInsecureAuth ? 'required' : 'none';
}

function defaultPort(options: SmtpOptions, security: SmtpSecurity): number {
  if (options.lmtp) return 24;
  if (security === 'implicit') return 465;
  return options.useTls || options.security === 'required' ? 587 : 25;
}

function resolveCredentials(options: SmtpOptions, timeouts: Required<SmtpTimeouts>): SmtpCredentials | null {
  const { username, password, accessToken, oauth2, authMethod } = options;
  if (username !== undefined && (username === '' || CONTROL.test(username))) {
    invalid('username', 'must not be empty or hold control characters');
  }
  // PLAIN separates its fields by NUL (RFC 4616).
  if (password?.includes('\0')) invalid('password', 'must not contain NUL');
  if (oauth2 !== undefined) {
    if (password !== undefined)
      conflict(['oauth2', 'password'], 'oauth2 takes the place of password: give one of them');
    if (accessToken !== undefined)
      conflict(['oauth2', 'accessToken'], 'oauth2 gets the tokens that accessToken would be: give one of them');
    checkOAuth2(oauth2);
  }
  if (username === undefined) {
    if (password !== undefined) missing('username', 'password', 'is needed with password');
    if (accessToken !== undefined) missing('username', 'accessToken', 'is needed with accessToken');
    if (oauth2 !== undefined) missing('username', 'oauth2', 'is needed with oauth2: whose mailbox the token is for');
    if (authMethod !== undefined) missing('username', 'authMethod', 'is needed with authMethod');
    return null;
  }
  const tokens = tokenSourceOf(options, timeouts.connect);
  if (password === undefined && tokens === null)
    missing('password', 'username', 'or accessToken or oauth2 is needed with username');
  if (authMethod !== undefined) {
    const usesToken = authMethod === 'OAUTHBEARER' || authMethod === 'XOAUTH2';
    if (usesToken && tokens === null)
      missing('accessToken', 'authMethod', `or oauth2 is needed for authMethod ${authMethod}`);
    if (!usesToken && password === undefined)
      missing('password', 'authMethod', `is needed for authMethod ${authMethod}`);
  }
  return { username, password: password ?? null, tokens, hint: null };
}

function resolveTimeouts(all: number | undefined, given: SmtpTimeouts = {}): Required<SmtpTimeouts> {
  const waits = { connect: 30_000, greeting: 30_000, reply: 30_000, data: 30_000, final: 600_000 };
  const bounded = all === undefined ? waits : { connect: all, greeting: all, reply: all, data: all, final: all };
  return { ...bounded, ...given };
}

function invalid(option: string, what: string): never {
  throw new ConfigurationError('invalid-option', `${option} ${what}`, { option });
}

function missing(option: string, beside: string, what: string): never {
  throw new ConfigurationError('missing-option', `${option} ${what}`, { option, otherOptions: [beside] });
}

function conflict([option, ...otherOptions]: readonly [string, ...string[]], what: string): never {
  throw new ConfigurationError('conflicting-options', what, { option, otherOptions });
}

function printToStderr(line: string): void {
  process.stderr.write(`${line}\n`);
}
