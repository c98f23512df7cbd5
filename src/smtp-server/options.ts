import { createSecureContext } from 'node:tls';
import { ConfigurationError } from '../model/errors.ts';
import { AUTH_EXCHANGES, type AuthMechanism } from './auth.ts';
import { type Certificate, generateCertificate } from './certificate.ts';
import { EXTENSIONS, type Extension } from './extensions.ts';
import type { SmtpServerHooks } from './hooks.ts';

/** How a server listens and what it offers. */
export interface SmtpServerSettings {
  /** The address to listen on; default `127.0.0.1`, which other machines cannot reach. */
  readonly host?: string;
  /** The port to listen on; default 0, any free port. */
  readonly port?: number;
  /** The server's name in its greeting; default `localhost`. */
  readonly name?: string;
  /** Speaks LMTP (RFC 2033); default false. */
  readonly lmtp?: boolean;
  /** PEM key and certificate; `generate` makes one for localhost (needs the package `node-forge`); default no TLS. */
  readonly tls?: Certificate | 'generate';
  /** Uses TLS from the first byte, as on port 465, instead of STARTTLS; default false. */
  readonly implicitTls?: boolean;
  /** The ESMTP extensions to offer; default all. STARTTLS and REQUIRETLS are offered only with `tls`. */
  readonly extensions?: readonly Extension[];
  /** The mechanisms to offer when `onAuth` exists; default all. */
  readonly authMechanisms?: readonly AuthMechanism[];
  /** Offers AUTH on connections without TLS too; default true only without `tls`. */
  readonly allowInsecureAuth?: boolean;
  /** Bytes allowed per mail; default 52,428,800. */
  readonly maxSize?: number;
  /** Recipients allowed per mail, more get 452; default 1,000. */
  readonly maxRecipients?: number;
  /** Connections allowed at once, more get 421; default 1,000. */
  readonly maxConnections?: number;
  /** Idle time in milliseconds after which a connection gets 421; default 300,000 (RFC 5321, section 4.5.3.2.7). */
  readonly idleTimeoutMs?: number;
  /** Refuses clients that pipeline more than RFC 2920 allows; default false. */
  readonly strictPipelining?: boolean;
  /** What to do with content that contains a bare CR or LF: `refuse` (550) or `keep`; default `refuse`. */
  readonly bareNewlines?: 'refuse' | 'keep';
}

/** How a server listens, what it offers and what it decides. */
export interface SmtpServerOptions extends SmtpServerSettings, SmtpServerHooks {}

/** {@link SmtpServerOptions} with every default filled in. */
export interface ResolvedSmtpServerOptions
  extends SmtpServerHooks,
    Required<Omit<SmtpServerSettings, 'tls' | 'extensions'>> {
  /** A SecureContext of node:tls; typed by its shape, since these types must work without Node's. */
  readonly secureContext: { readonly context: unknown } | null;
  readonly certificate: string | null;
  readonly extensions: ReadonlySet<Extension>;
}

/**
 * Fills in the defaults and generates a certificate if asked to.
 *
 * @throws {ConfigurationError} `missing-option` for implicit TLS without a certificate, `invalid-option` for an unknown
 * extension or mechanism, `missing-dependency` when a certificate cannot be generated.
 */
export async function resolveSmtpServerOptions(options: SmtpServerOptions): Promise<ResolvedSmtpServerOptions> {
  const { tls } = options;
  const certificate = tls === 'generate' ? await generateCertificate() : (tls ?? null);
  const implicitTls = options.implicitTls ?? false;
  if (implicitTls && certificate === null)
    throw new ConfigurationError(
      'missing-option',
      "implicitTls needs a certificate: give tls {key, cert} or 'generate'",
    );
  const extensions = new Set(oneOf('extensions', options.extensions ?? EXTENSIONS, EXTENSIONS));
  if (certificate === null) {
    extensions.delete('STARTTLS');
    extensions.delete('REQUIRETLS');
  }
  const mechanisms = Object.keys(AUTH_EXCHANGES) as AuthMechanism[]; // the record's keys are exactly that union
  return {
    ...options,
    host: options.host ?? '127.0.0.1',
    port: options.port ?? 0,
    name: options.name ?? 'localhost',
    lmtp: options.lmtp ?? false,
    implicitTls,
    secureContext: certificate === null ? null : createSecureContext({ ...certificate, minVersion: 'TLSv1.2' }),
    certificate: certificate?.cert ?? null,
    extensions,
    authMechanisms:
      options.onAuth === undefined ? [] : oneOf('authMechanisms', options.authMechanisms ?? mechanisms, mechanisms),
    allowInsecureAuth: options.allowInsecureAuth ?? certificate === null,
    maxSize: options.maxSize ?? 52_428_800,
    maxRecipients: options.maxRecipients ?? 1000,
    maxConnections: options.maxConnections ?? 1000,
    idleTimeoutMs: options.idleTimeoutMs ?? 300_000,
    strictPipelining: options.strictPipelining ?? false,
    bareNewlines: options.bareNewlines ?? 'refuse',
  };
}

function oneOf<T extends string>(option: string, given: readonly T[], known: readonly T[]): readonly T[] {
  const wrong = given.find((name) => !known.includes(name));
  if (wrong !== undefined)
    throw new ConfigurationError('invalid-option', `${option}: ${wrong} is not one of ${known.join(', ')}`);
  return given;
}
